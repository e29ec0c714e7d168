from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from portal.errors import Invalid
from portal.tables import quick_text, under_header
from portal.tables.limits import ReadLimits
from portal.tables.reader import read_table
from portal.tables.text_rows import sniff_delimiter
from portal.tables.under_header import NotPlain


def rows_of(table):
    data = pq.read_table(table.rows_path).to_pydict()
    columns = [data[f"c{number}"] for number in range(len(table.names))]
    return list(zip(*columns, strict=True))


def read_text(tmp_path, text, filename="table.csv", **options):
    path = tmp_path / filename
    path.write_text(text, encoding="utf-8", newline="")
    return read_table(path, filename=filename, **options)


def defect(path, **options):
    with pytest.raises(Invalid) as caught:
        read_table(path, filename=options.pop("filename", path.name), **options)
    (only,) = caught.value.defects
    return only


@pytest.mark.parametrize(
    "name", ["population_utf16le_bom.csv", "population_utf16be.csv", "population_utf8_bom.csv"]
)
def test_every_encoding_gives_the_same_rows(files, name):
    with read_table(files / name, filename=name) as table:
        assert table.names == ["地区", "年份", "年末总人口（万人）", "城镇化率"]
        assert rows_of(table)[0] == ("长春市", "2022", "906.54", "66.3")
        assert table.row_count == 3
        assert table.delimiter == ","


def test_titles_footnotes_and_totals_are_listed(files):
    with read_table(files / "totals.csv", filename="totals.csv") as table:
        assert table.names == ["序号", "地区", "男", "女"]
        noted = {(note.row, note.kind, note.kept) for note in table.notes.listed}
    assert noted == {
        (1, "title", False),
        (2, "title", False),
        (10, "total", True),
        (11, "footnote", False),
    }
    assert table.notes.counts["blank"] == 1


def test_ragged_rows_are_listed_with_row_and_reason(files):
    with read_table(files / "ragged.csv", filename="ragged.csv") as table:
        assert [row[0] for row in rows_of(table)] == ["001", "002", "004", "005"]
        assert rows_of(table)[1] == ("002", "乙", None)
        noted = [(note.row, note.kind) for note in table.notes.listed]
        assert noted == [(3, "short"), (5, "long"), (7, "repeated_header")]
        assert "多出来的" in table.notes.listed[1].text
        assert "分隔符" in table.notes.listed[1].reason


def test_notes_are_capped_but_all_are_counted(tmp_path):
    with read_text(tmp_path, "a,b\n" + "1,2\n" * 300 + "1,2,3\n" * 500) as table:
        assert len(table.notes.listed) == 200
        assert table.notes.counts["long"] == 500
        assert table.row_count == 300


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("empty.csv", "empty_file", "0 字节"),
        ("blank.csv", "no_rows", "没有任何内容"),
        ("header_only.csv", "no_rows", "没有数据行"),
        ("binary.csv", "binary_content", "图片"),
        ("bad_bytes.csv", "wrong_encoding", "UTF-8"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(files, name, code, words):
    found = defect(files / name)
    assert found.code == code
    assert words in found.text()


def test_data_in_the_first_row_gets_made_names_and_a_note(files):
    with read_table(files / "no_header.csv", filename="no_header.csv") as table:
        assert table.names == ["列1", "列2", "列3", "列4"]
        assert [(note.row, note.kind) for note in table.notes.listed] == [(1, "no_header")]
        assert table.row_count == 2


def test_an_open_quote_swallows_no_row(files):
    with read_table(files / "open_quote.csv", filename="open_quote.csv") as table:
        assert rows_of(table) == [("甲", '"没有结束'), ("乙", "正常"), ("丙", "正常")]
        assert [(note.row, note.kind) for note in table.notes.listed] == [(2, "stray_quote")]


def test_stray_quotes_in_the_middle_are_kept_as_they_stand(tmp_path):
    text = '规格,说明\n"5" 屏,甲\n"一\n二",乙\n"三,丙\n"四,丁\n5"管,"戊""己"\n'
    with read_text(tmp_path, text) as table:
        assert rows_of(table) == [
            ('"5" 屏', "甲"), ("一\n二", "乙"), ('"三', "丙"), ('"四', "丁"), ('5"管', '戊"己'),
        ]  # fmt: skip
        assert [note.row for note in table.notes.listed] == [2, 4, 5]


PLAIN = [
    "a,b\n1,2\n3,4\n",
    "a,b\r\n1,2\r\n\r\n3,4",
    "a,b\r1,2\n3,4\r\n5,6\r",
    'a,b\n"x, y","1\n2"\n"say ""hi""",\n,"""q"""\n',
    "标题\n\na,b\n合计,2\na,b\n注：说明,\n\u3000甲 ,\t1\n",
    "a,b,,\n1,2,,\n3,4,,\n",
    'a,b\n"",""\n"1",2\n',
    "a\n1\n\n2\n",
    "a,b\n1,2\n3\n4,5,6\n",
    'a,b\n1,2"\n"3,4\n5,"6"\n',
]


@pytest.mark.parametrize("text", PLAIN)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_quick_and_the_careful_reader_agree(tmp_path, monkeypatch, text, encoding):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    named = {"utf-8-sig": "utf-8"}.get(encoding, encoding)

    def read():
        with read_table(path, filename="table.csv", encoding=named) as table:
            numbers = pq.read_table(table.rows_path)["_row"].to_pylist()
            return table.names, rows_of(table), numbers, table.notes

    quick = read()
    monkeypatch.setattr(quick_text, "read_quickly", _give_up)
    careful = read()
    blanks = [[(cell or "") for cell in row] for row in careful[1]]
    assert [list(row) for row in quick[1]] == blanks or quick[1] == careful[1]
    assert (quick[0], quick[2], quick[3]) == (careful[0], careful[2], careful[3])


def _give_up(*_arguments, **_named):
    raise NotPlain


def test_most_well_formed_text_takes_the_quick_way(tmp_path, monkeypatch):
    monkeypatch.setattr(under_header, "_write", _give_up)
    for text in PLAIN[:8]:
        with read_text(tmp_path, text) as table:
            assert table.row_count


def test_a_wrong_override_is_refused(files):
    assert defect(files / "hospitals_gb18030.csv", encoding="utf-8").code == "wrong_encoding"


def test_a_file_without_header_can_be_read_as_such(files):
    with read_table(files / "no_header.csv", filename="x.csv", has_header=False) as table:
        assert table.names == ["列1", "列2", "列3", "列4"]
        assert table.row_count == 2


def test_names_are_unique_and_on_one_line(tmp_path):
    with read_text(tmp_path, '名称,名称,"单\n价",\n甲,乙,1,x\n丙,丁,2,y\n') as table:
        assert table.names == ["名称", "名称_2", "单 价", "列4"]
        assert table.named == [True, True, True, False]


def test_caps_hold(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text(",".join(f"c{n}" for n in range(30)) + "\n" + ",".join("x" * 30) + "\n")
    assert defect(path, limits=ReadLimits(columns=20)).code == "too_many_columns"
    assert defect(path, limits=ReadLimits(text_bytes=10)).code == "too_large"


@pytest.mark.parametrize(
    ("text", "filename", "expected"),
    [
        ("a,b\n1,2\n", "x.csv", ","),
        ("a\tb\n1\t2\n", "x.csv", "\t"),
        ("a;b;c\n1,5;2,5;3\n", "x.csv", ";"),
        ("标题，一份表\na|b|c\n1|2|3\n4|5|6\n", "x.txt", "|"),
        ('a,b\n"x\ny;z",2\n"p\nq;r",3\n', "x.csv", ","),
        ("只有一列\n1\n", "x.csv", ","),
        ("只有一列\n1\n", "x.tsv", "\t"),
    ],
)
def test_the_delimiter_is_found(text, filename, expected):
    assert sniff_delimiter(text.splitlines(keepends=True), filename)[0] == expected


def test_closing_removes_the_temporary_folder(files):
    table = read_table(files / "ragged.csv", filename="ragged.csv")
    path = table.rows_path
    assert path.exists()
    table.close()
    assert not path.exists()
    with pytest.raises(ValueError, match="closed"):
        _ = table.rows_path


@pytest.mark.slow
def test_twenty_megabytes_stream_through(tmp_path):
    path = tmp_path / "big.csv"
    line = "220102199001010011,示例有限公司,长春市,2024-01-01,12.50\n"
    count = 20_000_000 // len(line.encode())
    with path.open("w", encoding="utf-8") as file:
        file.write("证件号,名称,地区,日期,金额\n")
        file.writelines(line for _ in range(count))
    with read_table(path, filename="big.csv") as table:
        assert table.row_count == count
        assert not table.notes.counts
