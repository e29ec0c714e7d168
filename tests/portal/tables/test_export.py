from __future__ import annotations

import csv
import io
import json
import re
from datetime import date, datetime
from decimal import Decimal
from xml.etree import ElementTree

import openpyxl
import pyarrow.parquet as pq
import pytest
from openpyxl.utils.escape import unescape
from python_calamine import CalamineWorkbook
from rdflib import RDF, RDFS, Graph, URIRef

from portal.errors import Invalid, Unavailable
from portal.tables.export import BROKEN_OFF, FACTS, PIECE_BYTES, ExportForm, export_rows
from portal.tables.export_sql import MAX_XLSX_TEXT
from portal.tables.query import Filter, TableQuery
from portal.tables.stream import Stream

ALL = TableQuery(limit=None)
ROWS = [
    ["220102199001010011", '甲, "乙"\n丙', "-5", "1.50", "2024-01-31", "2024-01-31 08:30:05"],
    ["001", "<a> & 'b' _x0041_", "7", "20.25", "1899-01-01", "2024-02-01 00:00:00"],
    ["002", "", "", "", "", ""],
    ["003", "=1+1", "123456789012345", "-0.75", "1900-03-01", "2024-02-01 12:00:00.5"],
]
HEADER = ["证件号", "说明", "数量", "金额", "日期", "时间"]


def csv_text(rows, header=HEADER):
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue()


def export(cache, info, form, query=ALL):
    pieces = list(export_rows(cache, info, query, form))
    assert max(map(len, pieces), default=0) <= PIECE_BYTES
    return b"".join(pieces)


def shown(value):
    """Bring a value of any form to one text, to compare."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        text = value.isoformat(" ")
        return text.removesuffix("00000") if "." in text else text
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return str(value)


def shown_cell(cell):
    if isinstance(cell.value, str):
        return unescape(cell.value)  # _x005F_, which openpyxl leaves to its callers
    is_day = isinstance(cell.value, datetime) and "h" not in cell.number_format
    return shown(cell.value.date() if is_day else cell.value)


def rows_of(form, data):
    """Read a download back with another library; return rows of texts."""
    if form in (ExportForm.CSV, ExportForm.CSV_GB18030):
        text = data.decode("utf-8-sig" if form is ExportForm.CSV else "gb18030")
        return list(csv.reader(io.StringIO(text, newline="")))[1:]
    if form is ExportForm.XLSX:
        sheet = openpyxl.load_workbook(io.BytesIO(data)).active
        return [[shown_cell(cell) for cell in row] for row in list(sheet)[1:]]
    if form in (ExportForm.JSON, ExportForm.NDJSON):
        text = data.decode()
        lines = [text] if form is ExportForm.JSON else text.splitlines()
        read = [json.loads(line, parse_float=Decimal) for line in lines]
        objects = read[0] if form is ExportForm.JSON else read
        return [[shown(value).replace("T", " ") for value in row.values()] for row in objects]
    if form is ExportForm.XML:
        tree = ElementTree.fromstring(data)
        names = [field.get("name") for field in tree.iter("field")]
        return [
            [row.findtext(name, "").replace("T", " ") for name in names] for row in tree.iter("row")
        ]
    if form is ExportForm.RDF:
        return rows_of_turtle(data.decode())
    table = pq.read_table(io.BytesIO(data))
    return [[shown(value) for value in row.values()] for row in table.to_pylist()]


CSVW_ROW = URIRef("http://www.w3.org/ns/csvw#Row")


def rows_of_turtle(text):
    """Read with rdflib; columns in the order of the text, since triples have none."""
    graph = Graph().parse(data=text, format="turtle")
    columns = [
        URIRef(f"{base_of(text)}#{name}") for name in re.findall(r"^:(\w+) a rdf", text, re.M)
    ]
    rows = [int(row.partition("#row-")[2]) for row in graph.subjects(RDF.type, CSVW_ROW)]
    order = {n: text.index(f"<#row-{n}> ") for n in rows} if len(rows) < 100 else {}
    subjects = [
        URIRef(f"{base_of(text)}#row-{n}") for n in sorted(rows, key=lambda n: order.get(n, n))
    ]
    return [
        [shown(None if (v := graph.value(s, c)) is None else v.toPython()) for c in columns]
        for s in subjects
    ]


def base_of(text):
    return re.match("@base <(.*)> ", text)[1]


def expected(form):
    rows = [list(row) for row in ROWS]
    if form in (ExportForm.CSV, ExportForm.CSV_GB18030):
        rows[3][1] = "'=1+1"
    if form is ExportForm.XLSX:  # numbers, whose last zeros a cell does not show
        rows[0][3] = "1.5"
    return rows


@pytest.fixture
def info(build):
    return build(csv_text(ROWS))


@pytest.mark.parametrize("form", list(ExportForm))
def test_every_form_has_the_same_rows(cache, info, form):
    assert rows_of(form, export(cache, info, form)) == expected(form)
    assert FACTS[form].content_type
    assert FACTS[form].extension


@pytest.mark.parametrize("form", list(ExportForm))
def test_columns_filters_sort_and_limit_hold_in_every_form(cache, info, form):
    query = TableQuery(
        columns=["shu_liang", "zheng_jian_hao"],
        filters=[Filter("shu_liang", "not_blank")],
        sort=[("shu_liang", True)],
        limit=2,
    )
    got = rows_of(form, export(cache, info, form, query))
    assert got == [["123456789012345", "003"], ["7", "001"]]


@pytest.mark.parametrize("form", list(ExportForm))
def test_no_rows_are_still_a_whole_file(cache, info, form):
    query = TableQuery(filters=[Filter("zheng_jian_hao", "eq", "none")], limit=None)
    assert rows_of(form, export(cache, info, form, query)) == []


def test_turtle_names_rows_columns_and_types(cache, info):
    address = "https://data.example/dataset/甲 乙/1"
    pieces = export_rows(cache, info, ALL, ExportForm.RDF, address=address)
    graph = Graph().parse(data=b"".join(pieces), format="turtle")
    table = "https://data.example/dataset/%E7%94%B2%20%E4%B9%99/1"
    row, column = URIRef(f"{table}#row-1"), URIRef(f"{table}#jin_e")
    assert str(graph.value(column, RDFS.label)) == "金额"
    value = graph.value(row, column)
    assert (str(value), value.datatype) == (
        "1.50",
        URIRef("http://www.w3.org/2001/XMLSchema#decimal"),
    )
    assert graph.value(row, URIRef(f"{table}#zheng_jian_hao")).toPython() == "220102199001010011"
    assert graph.value(URIRef(f"{table}#row-3"), RDF.type) == CSVW_ROW
    assert graph.value(URIRef(f"{table}#row-3"), column) is None


def test_csv_begins_with_the_mark_and_the_names(cache, info):
    data = export(cache, info, ExportForm.CSV)
    assert data.startswith(b"\xef\xbb\xbf" + "证件号,说明,数量".encode())
    assert b"\r\n-5," not in data
    assert "证件号".encode("gb18030") in export(cache, info, ExportForm.CSV_GB18030)[:20]


@pytest.mark.parametrize(
    "cell", ["=cmd()", "+1+2", "-2+3", "@SUM(A1)", "＝1+1", '=HYPERLINK("x","y")']
)
def test_formulas_are_neutralised_in_csv_and_quoted_in_xlsx(build, cache, cell):
    info = build(csv_text([["01", cell], ["02", "x"]], ["代码", "说明"]))
    rows = rows_of(ExportForm.CSV, export(cache, info, ExportForm.CSV))
    assert rows[0][1] == f"'{cell}"
    sheet = openpyxl.load_workbook(io.BytesIO(export(cache, info, ExportForm.XLSX))).active
    assert sheet["B2"].value == cell
    assert sheet["B2"].quotePrefix
    assert sheet["B2"].data_type != "f" or not cell.startswith("=")
    assert not sheet["B3"].quotePrefix


@pytest.mark.parametrize("cell", ["-", "--", "-12.5", "+7"])
def test_a_lone_dash_or_number_in_a_text_column_stays(build, cache, cell):
    info = build(csv_text([["01", cell], ["02", "文字"]], ["代码", "说明"]))
    assert rows_of(ExportForm.CSV, export(cache, info, ExportForm.CSV))[0][1] == cell


def test_a_header_that_is_a_formula_is_neutralised(build, cache):
    info = build(csv_text([["1", "x"]], ["=1+1", "名称"]))
    assert export(cache, info, ExportForm.CSV).startswith(b"\xef\xbb\xbf'=1+1,")


def test_xlsx_has_real_dates_and_codes_as_text(cache, info):
    data = export(cache, info, ExportForm.XLSX)
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert [cell.value for cell in sheet[1]] == HEADER
    assert (sheet["A2"].data_type, sheet["A2"].value) == ("s", "220102199001010011")
    assert (sheet["E2"].is_date, sheet["E2"].value) == (True, datetime(2024, 1, 31))
    assert sheet["E3"].value == "1899-01-01"
    assert sheet["F2"].value == datetime(2024, 1, 31, 8, 30, 5)
    assert sheet.freeze_panes == "A2"
    rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert rows[1][0] == "220102199001010011"
    assert rows[1][4] == date(2024, 1, 31)
    assert rows[2][1] == "<a> & 'b' _x0041_"


def test_xlsx_cuts_a_text_that_no_cell_can_hold(build, cache):
    info = build(csv_text([["01", "长" * 40_000], ["02", "短"]], ["代码", "说明"]))
    sheet = openpyxl.load_workbook(io.BytesIO(export(cache, info, ExportForm.XLSX))).active
    assert len(sheet["B2"].value) == MAX_XLSX_TEXT
    assert sheet["B2"].value.endswith("（内容过长，已截断）")


def test_long_numbers_stay_whole_in_every_form(build, cache):
    info = build(csv_text([["1", "123456789012345.123456"], ["2", "0.1"]], ["序号", "值"]))
    assert info.columns[1].type == "number"
    for form in ExportForm:
        assert rows_of(form, export(cache, info, form))[0][1] == "123456789012345.123456"


@pytest.mark.parametrize("form", [ExportForm.XML, ExportForm.XLSX])
def test_control_characters_break_no_xml(build, cache, form):
    info = build("代码,说明\n01,a\x01b\x0bc\n02,\ufffe\n")
    assert rows_of(form, export(cache, info, form))[0][1] == "a\ufffdb\ufffdc"


def test_a_single_column_keeps_its_blank_rows_in_csv(build, cache):
    info = build("名称,空\n甲,1\n,2\n乙,3\n")
    query = TableQuery(columns=["ming_cheng"], limit=None)
    got = rows_of(ExportForm.CSV, export(cache, info, ExportForm.CSV, query))
    assert got == [["甲"], [""], ["乙"]]


def test_rows_beyond_a_sheet_go_on_in_the_next(build, cache, monkeypatch):
    monkeypatch.setattr("portal.tables.export_xlsx.MAX_SHEET_ROWS", 101)
    info = build("编号,名称\n" + "".join(f"{n},名{n}\n" for n in range(250)))
    workbook = openpyxl.load_workbook(io.BytesIO(export(cache, info, ExportForm.XLSX)))
    assert [sheet.max_row for sheet in workbook] == [101, 101, 51]
    assert workbook.worksheets[2]["A51"].value == "249"


@pytest.mark.parametrize("form", list(ExportForm))
def test_large_tables_stream_in_order(build, cache, form):
    count = 6_000 if form is ExportForm.RDF else 60_000  # rdflib takes its time
    info = build(
        "编号,名称\n" + "".join(f"{n:06d},名称{n * 7919 % 60_013}\n" for n in range(count))
    )
    pieces = export_rows(cache, info, TableQuery(limit=None), form)
    first = next(pieces)
    data = b"".join([first, *pieces])
    assert len(first) <= PIECE_BYTES < len(data)
    if form is ExportForm.XLSX:
        read = (
            CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()[1:]
        )
    else:
        read = rows_of(form, data)
    assert [row[0] for row in read] == [f"{n:06d}" for n in range(count)]


def test_errors_come_before_the_first_byte(cache, info):
    with pytest.raises(Invalid):
        export_rows(cache, info, TableQuery(columns=["none"], limit=None), ExportForm.CSV)


@pytest.mark.parametrize("form", list(ExportForm))
def test_a_receiver_that_goes_away_frees_the_table(build, cache, form):
    info = build("编号,名称\n" + "".join(f"{n},名称{n * 7919 % 30_000}\n" for n in range(30_000)))
    pieces = export_rows(cache, info, TableQuery(limit=None), form)
    next(pieces)
    pieces.close()
    assert [one.users for one in cache._tables._attached.values()] == [0]
    assert cache.run(info, TableQuery(limit=1)).total == 30_000


@pytest.mark.parametrize("form", list(ExportForm))
def test_an_export_that_breaks_off_is_never_taken_for_a_whole_one(build, cache, monkeypatch, form):
    count = 60_000
    info = build("编号,名称\n" + "".join(f"{n},名称{n * 7919 % 60_013}\n" for n in range(count)))
    real = Stream.record_batches

    def breaking(self, rows):
        for number, batch in enumerate(real(self, rows)):
            if number == 3:
                raise Unavailable()
            yield batch

    monkeypatch.setattr(Stream, "record_batches", breaking)
    monkeypatch.setattr("portal.tables.export.PARQUET_BATCH_ROWS", 10_000)
    monkeypatch.setattr("portal.tables.export.PIECE_BYTES", 4096)
    received = []
    with pytest.raises(Unavailable):
        received.extend(export_rows(cache, info, TableQuery(limit=None), form))
    data = b"".join(received)
    assert data
    if form in (ExportForm.CSV, ExportForm.CSV_GB18030):
        text = data.decode("utf-8-sig" if form is ExportForm.CSV else "gb18030", "ignore")
        assert text.endswith(BROKEN_OFF)
        with pytest.raises(csv.Error):
            list(csv.reader(io.StringIO(text), strict=True))
    else:
        with pytest.raises(Exception):  # noqa: B017, PT011  (each reader has errors of its own)
            rows_of(form, data)
