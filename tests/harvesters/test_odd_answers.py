"""What real servers answer beside the rules: understood where the meaning is plain, else said where."""

from __future__ import annotations

import io
import json
from typing import Any

import openpyxl
import pytest
import requests

from harvesters.ckan.mapping import record_from_package
from harvesters.codes import CodeBook
from harvesters.kinds import make_kind
from harvesters.open_list.faults import UnreadableList
from harvesters.open_list.reader import read_open_list
from harvesters.record import FaultyRecord, HarvestedRecord, SourceFailed, SourceSettings
from portal.codes import all_code_names
from tests.harvesters.replay import Answer, ReplayServer

BOOK = CodeBook(all_code_names())
PACKAGE: dict[str, Any] = {
    "id": "p-1",
    "name": "buses",
    "title": "公交站点",
    "resources": [{"id": "r-1", "url": "https://data.example.cn/1.csv", "format": "CSV"}],
}
TURTLE = (
    "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n"
    "<https://e.cn/c> a dcat:Catalog ; dcat:dataset <https://e.cn/1>, <https://e.cn/far> .\n"
    '<https://e.cn/1> dct:title "公交站点" .\n[] a dcat:Dataset ; dct:title "无编号" .\n'
)
XML = (
    '<?xml version="1.0" encoding="GB2312"?><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns:dcat="http://www.w3.org/ns/dcat#" xmlns:dct="http://purl.org/dc/terms/">'
    '<dcat:Dataset rdf:about="https://e.cn/1"><dct:title>公交站点</dct:title></dcat:Dataset>'
    "</rdf:RDF>"
)
LIST = "数据集名称,数据摘要,开放类型\n公交站点,全省公交站点位置,无条件开放\n公交线路,全省公交线路走向,无条件开放\n"


def gather(
    server: ReplayServer, kind: str, body: bytes, path: str = "/list"
) -> list[HarvestedRecord | FaultyRecord]:
    server.on(path, Answer(body=body))
    with requests.Session() as http:
        http.trust_env = False
        address = server.url + path.removesuffix("/api/action/package_search")
        settings = SourceSettings(address, {"attempts": 1})
        return list(make_kind(kind, all_code_names()).gather(settings, http))


def found(count: Any = 1, **more: Any) -> dict[str, Any]:
    return {"success": True, "result": {"count": count, "results": [{**PACKAGE, **more}]}}


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"id": 7}, "title", "公交站点"),
        ({"tags": ["交通", "公交"]}, "keywords", ("交通", "公交")),
        ({"tags": "交通，公交"}, "keywords", ("交通", "公交")),
        ({"extras": {"frequency": "monthly"}}, "update_frequency", "monthly"),
        ({"title": {"en": "Stops", "zh_CN": "站点"}}, "title", "站点"),
        ({"groups": ["transport"]}, "theme", "transport"),
        ({"tags": None, "extras": None, "groups": None, "organization": None}, "title", "公交站点"),
    ],
)
def test_a_package_in_another_shape_is_understood(
    given: dict[str, Any], field: str, value: Any
) -> None:
    record = record_from_package({**PACKAGE, **given}, BOOK)
    assert record.fields[field] == value
    assert len(record.files) == 1


def test_a_resource_without_its_list_is_kept_and_nonsense_is_named() -> None:
    (one,) = PACKAGE["resources"]
    for resources in (one, {"0": one}):
        assert record_from_package({**PACKAGE, "resources": resources}, BOOK).files[0].url
    with pytest.raises(ValueError, match="tags 应为列表"):
        record_from_package({**PACKAGE, "tags": 5}, BOOK)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_a_ckan_answer_in_another_encoding_is_read(server: ReplayServer, encoding: str) -> None:
    body = json.dumps(found("1"), ensure_ascii=False).encode(encoding)
    (record,) = gather(server, "ckan", body, "/api/action/package_search")
    assert isinstance(record, HarvestedRecord)
    assert record.fields["title"] == "公交站点"


def test_what_a_ckan_says_of_its_own_trouble_is_passed_on(server: ReplayServer) -> None:
    body = json.dumps({"success": False, "error": {"message": "检索服务维护中"}}).encode()
    with pytest.raises(SourceFailed, match="检索服务维护中"):
        gather(server, "ckan", body, "/api/action/package_search")


@pytest.mark.parametrize("copied", ["/dataset", "/api/3/", "/api/3/action/package_search"])
def test_an_address_copied_too_long_is_cut(server: ReplayServer, copied: str) -> None:
    server.on("/api/action/package_search", Answer(body=json.dumps(found()).encode()))
    with requests.Session() as http:
        settings = SourceSettings(server.url + copied, {"attempts": 1})
        assert len(list(make_kind("ckan", all_code_names()).gather(settings, http))) == 1


def test_a_data_json_with_nan_and_bare_addresses_is_read(server: ReplayServer) -> None:
    body = b'{"dataset": [{"identifier": "1", "title": "x", "n": NaN, "distribution": ["https://e.cn/1.csv"]}]}'
    (record,) = gather(server, "datajson", body)
    assert isinstance(record, HarvestedRecord)
    assert record.files[0].url == "https://e.cn/1.csv"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"dataset": [{"identifier": "1", "title": "x"},]}', "第 1 行第 48 个字符"),
        (b'{"dataset": [{"identifier": "1", "tit', "可能被截断"),
        (b'callback({"dataset": []})', "第 1 行第 1 个字符"),
    ],
)
def test_a_broken_data_json_says_where(server: ReplayServer, body: bytes, words: str) -> None:
    with pytest.raises(SourceFailed, match=words):
        gather(server, "datajson", body)


def test_untyped_and_undescribed_data_sets_are_not_lost(server: ReplayServer) -> None:
    records = gather(server, "dcat", TURTLE.encode())
    assert [r.remote_id for r in records if isinstance(r, HarvestedRecord)] == ["https://e.cn/1"]
    faults = {r.remote_id: r.reason for r in records if isinstance(r, FaultyRecord)}
    assert "没有给出它的内容" in faults["https://e.cn/far"]
    assert "缺少标识" in faults[""]  # a blank node's name is another one next time


@pytest.mark.parametrize("encoding", ["gb2312", "utf-16"])
def test_rdf_xml_in_a_chinese_encoding_is_read(server: ReplayServer, encoding: str) -> None:
    (record,) = gather(server, "dcat", XML.encode(encoding))
    assert isinstance(record, HarvestedRecord)
    assert record.fields["title"] == "公交站点"


def test_entities_are_refused_in_every_encoding(server: ReplayServer) -> None:
    text = XML.replace("?><rdf", '?><!DOCTYPE r [<!ENTITY a "x">]><rdf')
    for encoding in ("gb2312", "utf-16"):
        with pytest.raises(SourceFailed, match="实体"):
            gather(server, "dcat", text.encode(encoding))


def test_json_ld_with_a_mark_and_a_list_and_dcats_own_context_is_read(
    server: ReplayServer,
) -> None:
    context = [
        "https://www.w3.org/ns/dcat.jsonld",
        {"dataset": {"@id": "dcat:dataset", "@container": "@list"}},
    ]
    one = {"@id": "https://e.cn/1", "@type": "Dataset", "title": "公交站点"}
    text = json.dumps({"@context": context, "@id": "https://e.cn/c", "dataset": [one]})
    (record,) = gather(server, "dcat", text.encode("utf-8-sig"))
    assert isinstance(record, HarvestedRecord)
    assert record.fields["title"] == "公交站点"


def rows(data: bytes) -> list[str]:
    records = read_open_list(data, "清单.csv", all_code_names())
    return [r.fields["title"] if isinstance(r, HarvestedRecord) else r.reason for r in records]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", "，"])
def test_every_usual_mark_parts_the_cells(mark: str) -> None:
    assert rows(LIST.replace(",", mark).encode()) == ["公交站点", "公交线路"]


def test_big5_is_told_from_gb18030() -> None:
    text = "資料集名稱,資料集描述,更新頻率\n公車站點位置資料,全省公車站點位置,每月\n"
    assert rows(text.encode("big5")) == ["公車站點位置資料"]
    assert rows(LIST.encode("gb18030")) == ["公交站点", "公交线路"]


def test_a_quote_that_swallows_lines_is_refused_and_a_cell_of_two_lines_is_not() -> None:
    with pytest.raises(UnreadableList, match="第 2 行的引号没有闭合"):
        rows(LIST.replace("全省公交站点", '"全省公交站点').encode())
    assert len(rows(LIST.replace("全省公交站点位置", '"全省\n公交站点"').encode())) == 2


def test_a_second_line_of_headings_is_part_of_the_header() -> None:
    text = "数据集名称,数据摘要,开放属性,\n,,开放类型,开放条件\n公交站点,说明,有条件开放,须申请\n"
    (record,) = read_open_list(text.encode(), "x.csv", all_code_names())
    assert isinstance(record, HarvestedRecord)
    assert record.fields["open_condition"] == "须申请"
    assert record.place == "第 3 行"


def test_a_web_page_with_a_table_is_a_spreadsheet_and_others_are_named() -> None:
    cells = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in line.split(",")) + "</tr>"
        for line in LIST.splitlines()
    )
    page = f'<html><meta charset="gbk"><table>{cells}</table></html>'
    assert rows(page.encode("gbk")) == ["公交站点", "公交线路"]
    for data, words in (
        (b"%PDF-1.4\n1 0 obj", "PDF"),
        (b'<?xml version="1.0"?><Workbook/>', "XML"),
        (b'{"a": 1}', "JSON"),
        (b"<html><body>x</body></html>", "网页"),
    ):
        with pytest.raises(UnreadableList, match=words):
            rows(data)


def test_a_hidden_sheet_is_not_published_and_not_passed_over() -> None:
    book = openpyxl.Workbook()
    for name in ("清单", "旧清单"):
        sheet = book.create_sheet(name)
        for line in LIST.splitlines():
            sheet.append(
                [f"{name}{cell}" if cell.startswith("公交") else cell for cell in line.split(",")]
            )
    book["旧清单"].sheet_state = "hidden"
    data = io.BytesIO()
    book.save(data)
    found = rows(data.getvalue())
    assert found[:2] == ["清单公交站点", "清单公交线路"]
    assert "隐藏的工作表没有读取" in found[2]
