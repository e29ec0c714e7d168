"""Files under a false name are read as what they hold, with a note; what holds no table is refused."""

from __future__ import annotations

import pytest

from portal.tables.reader import read_table
from tests.portal.tables.test_reader import defect, read_text, rows_of

PAGE = """<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta charset="gb2312">
<title>导出</title><style>td{mso-number-format:"\\@"}</style></head><body><h1>名单</h1><table>
<tr><td colspan=4>吉林省学校名单</td></tr>
<tr><th rowspan=2>地区</th><th colspan=2>人数</th><th rowspan=2>备注</th></tr>
<tr><th>男</th><th>女</th></tr>
<tr><td rowspan=2>长春&nbsp;市</td><td>001</td><td>2<br>3</td><td>a&lt;b</td></tr>
<tr><td>003</td><td>4<td></tr><tr><td>吉林市</td><td>005</td><td>6</td><td>x</td></tr>
</table><table><tr><td>登录人</td></tr></table></body></html>"""
EXCEL_XML = """<?xml version="1.0"?>
<?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="S"><Table>
<Row><Cell><Data ss:Type="String">名称</Data></Cell><Cell><Data ss:Type="String">日期</Data></Cell>
<Cell><Data ss:Type="String">数</Data></Cell></Row>
<Row><Cell><Data ss:Type="String">甲</Data></Cell>
<Cell><Data ss:Type="DateTime">2024-03-05T00:00:00.000</Data></Cell>
<Cell><Data ss:Type="Number">1.50</Data></Cell></Row>
<Row ss:Index="4"><Cell><Data ss:Type="String">乙</Data></Cell>
<Cell ss:Index="3"><Data ss:Type="Number">2</Data></Cell></Row></Table></Worksheet></Workbook>"""


def kinds(table):
    return [note.kind for note in table.notes.listed]


def test_a_workbook_under_a_csv_name_is_read(files, tmp_path):
    path = tmp_path / "学校.csv"
    path.write_bytes((files / "schools.xlsx").read_bytes())
    with (
        read_table(path, filename=path.name) as table,
        read_table(files / "schools.xlsx", filename="schools.xlsx") as same,
    ):
        assert rows_of(table) == rows_of(same)
        assert kinds(table)[0] == "misnamed"


@pytest.mark.parametrize("encoding", ["gbk", "utf-16"])
def test_a_text_under_the_name_of_a_workbook_is_read(tmp_path, encoding):
    path = tmp_path / "人口.xls"
    path.write_bytes("地区\t人口\n长春市\t906\n吉林市\t362\n".encode(encoding))
    with read_table(path, filename=path.name) as table:
        assert (table.names, table.row_count) == (["地区", "人口"], 2)
        assert kinds(table) == ["misnamed"]


def test_a_web_page_with_a_table_is_read_with_its_merged_cells(tmp_path):
    path = tmp_path / "名单.xls"
    path.write_bytes(PAGE.encode("gbk"))
    with read_table(path, filename=path.name) as table:
        assert table.names == ["地区", "人数/男", "人数/女", "备注"]
        assert rows_of(table) == [
            ("长春 市", "001", "2\n3", "a<b"),
            ("长春 市", "003", "4", ""),
            ("吉林市", "005", "6", "x"),
        ]
        assert kinds(table) == ["misnamed", "title"]


def test_xml_of_excel_2003_is_read(tmp_path):
    with read_text(tmp_path, EXCEL_XML, "表.xls") as table:
        assert table.names == ["名称", "日期", "数"]
        assert rows_of(table) == [("甲", "2024-03-05", "1.50"), ("乙", "", "2")]


def test_spans_do_not_fill_the_memory(tmp_path):
    path = tmp_path / "炸弹.xls"
    path.write_text("<table><tr><td rowspan=5000 colspan=5000>x</td></tr>" + "<tr>" * 5000)
    assert defect(path).code == "too_large"


@pytest.mark.parametrize(
    ("name", "data", "code", "words"),
    [
        ("登录.xls", "<html><body>登录超时</body></html>".encode(), "no_table", "没有表格"),
        ("一句话.xlsx", "这不是表格\n只是一句话\n".encode(), "workbook_unreadable", "扩展名"),
        ("文档.csv", b"%PDF-1.4 x", "binary_content", "PDF"),
        ("包.csv", b"\x1f\x8b\x08\x00", "binary_content", "gzip"),
    ],
)
def test_what_holds_no_table_is_refused_by_name(tmp_path, name, data, code, words):
    path = tmp_path / name
    path.write_bytes(data)
    found = defect(path)
    assert found.code == code
    assert words in found.text()
