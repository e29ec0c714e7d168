"""Open lists as agencies write them: encodings, title rows, other headings, faults by line."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from harvesters.open_list import UnreadableList, read_open_list
from harvesters.record import BESIDE_CONTENT, Codes, FaultyRecord, HarvestedRecord
from portal.services.content import parse_content

SHARED = Path(__file__).parents[4] / "shared" / "data"
HEADER = "数据集名称,提供单位,更新周期,开放类型"


def read(text: str, codes: Codes, encoding: str = "utf-8") -> list[Any]:
    return read_open_list(text.encode(encoding), "清单.csv", codes)


def one(row: str, codes: Codes, header: str = HEADER) -> Any:
    (record,) = read(f"{header}\n{row}\n", codes)
    return record


def book_bytes(**sheets: list[list[Any]]) -> bytes:
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_encodings(codes: Codes, encoding: str) -> None:
    (record,) = read(f"{HEADER}\n公交𠮷站点,省统计局,每日,无条件开放\n", codes, encoding)
    assert record.fields["title"] == "公交𠮷站点"
    assert record.fields["open_type"] == "unconditional"


@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_delimiters(codes: Codes, mark: str) -> None:
    text = f"{HEADER}\n甲,乙,每周,非开放\n".replace(",", mark)
    assert read(text, codes)[0].fields["update_frequency"] == "weekly"


def test_title_rows_and_footnotes_are_passed_over(codes: Codes) -> None:
    text = f"附件1,,,\n吉林省统计局数据开放清单,,,\n\n{HEADER}\n甲,乙,每日,非开放\n注：本表每年更新,,,\n合计,1,,\n"
    (record,) = read(text, codes)
    assert (record.fields["title"], record.place) == ("甲", "第 5 行")


def test_other_headings_mean_the_same(codes: Codes) -> None:
    header = (
        "序号,信息资源名称（必填）*,数源单位：,更新频率,开放属性,所属领域,资源摘要,文件格式,关键字"
    )
    record = one("1,甲,乙,每季,不予开放,交通运输,说明,csv/EXCEL、接口,公交；站点", codes, header)
    assert record.fields == {
        "title": "甲",
        "provider_name": "乙",
        "update_frequency": "quarterly",
        "open_type": "none",
        "theme": "transport",
        "abstract": "说明",
        "format": ("csv", "xlsx", "api"),
        "keywords": ("公交", "站点"),
    }
    assert record.foreign == {"序号": "1"}


def test_a_second_column_for_a_field_and_unknown_columns_are_kept(codes: Codes) -> None:
    record = one("甲,乙,其他名,x", codes, "数据集名称,提供单位,目录名称,自定义")
    assert record.foreign == {"目录名称": "其他名", "自定义": "x"}


def test_codes_and_labels_both_serve(codes: Codes) -> None:
    header = "数据集名称,开放类型,主题,省级责任部门,所属地区,安全级别,共享方式,分类,开放许可"
    by_label = "甲,无条件开放,交通运输,省教育厅,长春市,1级,接口、文件,部门信息资源,cc-by-4.0"
    by_code = "甲,unconditional,transport,JL-EDU,220100,1,interface|file,3,cc-by-4.0"
    assert one(by_label, codes, header).fields == one(by_code, codes, header).fields


def test_grounds_and_bases(codes: Codes) -> None:
    header = "数据集名称,开放类型,非开放情形,非开放依据,采集依据"
    record = one(
        "甲,非开放,法律、法规规定不得开放、涉及个人隐私,"
        "《某某法》（主席令第1号）第九条；规章：《某某细则》第二条,被采集人同意",
        codes,
        header,
    )
    assert set(record.fields["closed_ground"]) == {"law", "privacy"}
    assert record.fields["closed_basis"] == (
        {"kind": "law", "title": "某某法", "document_number": "主席令第1号", "article": "第九条"},
        {"kind": "rule", "title": "某某细则", "article": "第二条"},
    )
    assert record.fields["collection_basis"] == ({"kind": "consent"},)


@pytest.mark.parametrize("text", ["2026-03-02", "2026/3/2", "2026年3月2日", "20260302", "2026.3.2"])
def test_dates(codes: Codes, text: str) -> None:
    record = one(f"甲,{text}", codes, "数据集名称,发布日期")
    assert record.fields["issued"] == date(2026, 3, 2)


def test_placeholders_are_empty(codes: Codes) -> None:
    record = one("甲,无,/,暂无,—", codes, "数据集名称,开放条件,联系电话,英文名称,关键词")
    assert record.fields == {"title": "甲"}


def test_every_fault_of_a_line_is_named_with_its_column(codes: Codes) -> None:
    text = (
        f"{HEADER},发布日期,下载地址\n甲,乙,每日,无条件开放,,\n乙,乙,每百年,是,2026-02-31,ftp://x\n"
    )
    good, bad = read(text, codes)
    assert isinstance(good, HarvestedRecord)
    assert isinstance(bad, FaultyRecord)
    assert bad.place == "第 3 行"
    for part in (
        "“更新周期”一栏",
        "每百年",
        "可填：实时、每日",
        "“开放类型”",
        "“发布日期”",
        "“下载地址”",
    ):
        assert part in bad.reason


def test_a_line_without_a_title_is_at_fault(codes: Codes) -> None:
    bad = one(",省统计局,每日,非开放", codes)
    assert isinstance(bad, FaultyRecord)
    assert "缺少数据集名称" in bad.reason


def test_two_lines_with_one_id_name_each_other(codes: Codes) -> None:
    header = "信息资源代码,数据集名称"
    first, second = read(f"{header}\n1/1,甲\n1/1,乙\n", codes)
    assert first.remote_id == "1/1"
    assert isinstance(second, FaultyRecord)
    assert "第 3 行与第 2 行的信息资源代码相同" in second.reason


def test_the_id_is_the_code_or_made_of_provider_and_title(codes: Codes) -> None:
    before = one("甲,省统计局,每日,非开放", codes)
    after = one("甲,省统计局,每周,无条件开放", codes)
    other = one("甲,省教育厅,每日,非开放", codes)
    assert before.remote_id == after.remote_id != other.remote_id


def test_files_of_a_line(codes: Codes) -> None:
    header = "数据集名称,数据格式,下载地址"
    record = one("甲,CSV,https://example.cn/a.csv；https://example.cn/b.csv?x=1;2", codes, header)
    assert [file.url for file in record.files] == [
        "https://example.cn/a.csv",
        "https://example.cn/b.csv?x=1;2",
    ]
    assert record.files[0].format == "csv"


def test_items_in_one_cell(codes: Codes) -> None:
    record = one("甲,水位（米、平均）、1号站、水位（米、平均）", codes, "数据集名称,信息项")
    assert record.fields["items"] == (
        {"name": "水位（米、平均）", "order": 1, "field_name": "shui_wei_mi_ping_jun"},
        {"name": "1号站", "order": 2, "field_name": "f_1_hao_zhan"},
    )


LIST = [["数据集名称", "信息资源代码", "开放类型"], ["甲", None, "非开放"], ["乙", "1/2", "非开放"]]


def test_items_in_their_own_sheet(codes: Codes) -> None:
    items = [
        [
            "数据集名称",
            "信息资源代码",
            "序号",
            "信息项名称",
            "字段名",
            "数据类型",
            "长度",
            "可否为空",
            "主键",
            "是否开放",
            "脱敏规则",
            "个人信息",
            "示例值",
        ],
        ["甲", None, 2, "名称", None, "C", 20, "是", "否", "是", "无", "否", "人民广场"],
        ["甲", None, 1, "编号", "id", "整型", None, "否", "是", "否", "证件号遮盖", "敏感", 7],
        [None, "1/2", 1, "名称", None, "字符型", 5, None, None, None, None, None, None],
    ]
    first, second = read_open_list(book_bytes(清单=LIST, 信息项=items), "x.xlsx", codes)
    assert first.fields["items"] == (
        {
            "order": 1,
            "name": "编号",
            "field_name": "id",
            "data_type": "integer",
            "nullable": False,
            "primary_key": True,
            "open": False,
            "masking": "mask_id",
            "personal": "sensitive",
            "sample": "7",
        },
        {
            "order": 2,
            "name": "名称",
            "field_name": "ming_cheng",
            "data_type": "string",
            "length": 20,
            "nullable": True,
            "primary_key": False,
            "open": True,
            "masking": "none",
            "personal": "none",
            "sample": "人民广场",
        },
    )
    assert second.fields["items"][0]["length"] == 5
    content = {k: v for k, v in first.fields.items() if k not in BESIDE_CONTENT}
    assert parse_content(content).items[1].name == "名称"


def test_faulty_items_fault_their_data_set_and_orphans_are_named(codes: Codes) -> None:
    items = [
        ["数据集名称", "信息项名称", "数据类型", "长度"],
        ["甲", "名称", "怪型", "五"],
        ["甲", None, "字符型", 5],
        ["丙", "名称", "字符型", 5],
    ]
    first, second, orphan = read_open_list(book_bytes(清单=LIST, 信息项=items), "x.xlsx", codes)
    assert isinstance(first, FaultyRecord)
    for part in ("“信息项”第 2 行", "怪型", "“五”不是整数", "“信息项”第 3 行：缺少信息项名称"):
        assert part in first.reason
    assert isinstance(second, HarvestedRecord)
    assert orphan.place == "“信息项”第 4 行"
    assert "“丙”" in orphan.reason


def test_several_list_sheets_are_all_read(codes: Codes) -> None:
    rows = [["数据集名称", "开放类型"], ["甲", "非开放"]]
    other = [["数据集名称", "开放类型"], ["乙", "怪"]]
    first, second = read_open_list(book_bytes(一处=rows, 二处=other), "x.xlsx", codes)
    assert first.place == "“一处”第 2 行"
    assert second.place == "“二处”第 2 行"


def test_a_merged_provider_holds_for_all_its_lines(codes: Codes) -> None:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    for row in (
        ["提供单位", "数据集名称", "开放类型"],
        ["省厅", "甲", "非开放"],
        [None, "乙", "非开放"],
    ):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    buffer = io.BytesIO()
    workbook.save(buffer)
    records = read_open_list(buffer.getvalue(), "x.xlsx", codes)
    assert [r.fields["provider_name"] for r in records] == ["省厅", "省厅"]  # type: ignore[union-attr]


def test_a_code_that_became_a_number_is_refused(codes: Codes) -> None:
    rows = [["数据集名称", "信息资源代码"], ["甲", 307022220000015001]]
    (bad,) = read_open_list(book_bytes(清单=rows), "x.xlsx", codes)
    assert "请把单元格设为文本" in bad.reason  # type: ignore[union-attr]


def test_dates_and_whole_numbers_of_a_workbook(codes: Codes) -> None:
    rows = [["数据集名称", "发布日期", "安全级别"], ["甲", date(2026, 3, 2), 1.0]]
    (record,) = read_open_list(book_bytes(清单=rows), "x.xlsx", codes)
    assert record.fields["issued"] == date(2026, 3, 2)  # type: ignore[union-attr]
    assert record.fields["security_level"] == "1"  # type: ignore[union-attr]


def test_a_path_serves_as_well(codes: Codes, tmp_path: Path) -> None:
    path = tmp_path / "清单.csv"
    path.write_text(f"{HEADER}\n甲,乙,每日,非开放\n", "gb18030")
    assert len(read_open_list(path, path.name, codes)) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "空的"),
        (b" \n ", "空的"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "识别|文本或电子表格"),
        (b"<!DOCTYPE html><html></html>", "网页"),
        (b"PK\x03\x04broken", "损坏"),
        (b"\xd0\xcf\x11\xe0broken", "损坏|密码"),
        (b"\xff\xff\xff\xff\xff", "编码"),
        ("甲,乙\n丙,丁\n".encode(), "表头"),
        (f"{HEADER}\n".encode(), "只有表头"),
        (b"x" * 20_000_001, "超过"),
        (("甲," * 400 + "\n").encode(), "太大"),
    ],
)
def test_files_that_are_no_list(codes: Codes, data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableList, match=reason):
        read_open_list(data, "x", codes)


@pytest.mark.skipif(not SHARED.is_dir(), reason="real files are not at hand")
def test_real_files_do_no_harm(codes: Codes) -> None:
    """None of them is an open list with our headings; each gets a clear answer."""
    names = (
        "tw-open-lists-a/data-portal-list.xlsx",
        "tw-open-lists-a/Datasets/yilan.gov.tw/yilan.2018.03.20.OD.csv",
        *(str(p.relative_to(SHARED)) for p in SHARED.glob("cn-xls*/**/*.xls*")),
    )
    for name in names:
        with pytest.raises(UnreadableList, match="表头"):
            read_open_list(SHARED / name, name, codes)
