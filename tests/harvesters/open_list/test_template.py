"""The template: what an agency fills in comes back as it was meant."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from harvesters.open_list import UnreadableList, read_open_list, write_template
from harvesters.open_list.columns import headings
from harvesters.record import BESIDE_CONTENT, Codes, HarvestedRecord
from portal.rules.metadata_profile import JL_1, defects
from portal.services.codes_known import known_codes
from portal.services.content import parse_content

FILLED: Mapping[str, tuple[Any, Any]] = {  # field: (what is typed, what it means)
    "code": ("307022220000015/000123", "307022220000015/000123"),
    "title": ("城市公交站点信息", "城市公交站点信息"),
    "title_en": ("Bus stops", "Bus stops"),
    "abstract": ("全省城市公交站点的名称和位置，由各市按月汇总报送。", None),
    "provider_name": ("吉林省交通运输厅", "吉林省交通运输厅"),
    "provider_uscc": ("11220000013544446X", "11220000013544446X"),
    "responsible_dept": ("吉林省教育厅", "JL-EDU"),
    "region": ("长春市", "220100"),
    "resource_class": ("部门信息资源", "3"),
    "base_library": ("人口", "population"),
    "theme": ("交通运输", "transport"),
    "more_themes": ("生活服务、地理空间", ("living", "geo")),
    "keywords": ("公交、站点", ("公交", "站点")),
    "format": ("CSV、XLSX", ("csv", "xlsx")),
    "update_frequency": ("每月", "monthly"),
    "open_type": ("有条件开放", "conditional"),
    "open_condition": ("仅供研究使用", "仅供研究使用"),
    "open_condition_ground": ("时效性较强、需要持续获取", ("time_critical", "continuous")),
    "closed_ground": ("法律、法规规定不得开放", ("law",)),
    "closed_basis": (
        "《某某法》第三条",
        ({"kind": "law", "title": "某某法", "article": "第三条"},),
    ),
    "licence": ("吉林省公共数据有条件开放使用协议（草案）", "jl-conditional-1.0"),
    "share_type": ("授权共享", "authorised"),
    "share_condition": ("经同意", "经同意"),
    "share_mode": ("接口、文件", ("interface", "file")),
    "share_basis": (
        "《某某条例》第四条",
        ({"kind": "regulation", "title": "某某条例", "article": "第四条"},),
    ),
    "security_level": ("2级", "2"),
    "acquisition_method": ("履职产生", "generated"),
    "collection_basis": ("被采集人同意", ({"kind": "consent"},)),
    "source_system": ("公交系统", "公交系统"),
    "temporal_start": (date(2024, 1, 1), date(2024, 1, 1)),
    "temporal_end": ("2024-12-31", date(2024, 12, 31)),
    "related_codes": ("307022220000015/000001", ("307022220000015/000001",)),
    "related_service_items": ("A01、A02", ("A01", "A02")),
    "contact_name": ("科技处", "科技处"),
    "contact_phone": ("0431-00000000", "0431-00000000"),
    "contact_email": ("office@example.cn", "office@example.cn"),
    "file_urls": ("https://example.cn/stops.csv", None),
}
ITEM: Mapping[str, tuple[Any, Any]] = {
    "title": ("城市公交站点信息", None),
    "code": ("307022220000015/000123", None),
    "order": (1, 1),
    "name": ("站点名称", "站点名称"),
    "field_name": (None, "zhan_dian_ming_cheng"),
    "data_type": ("字符型", "string"),
    "length": (100, 100),
    "precision": (2, 2),
    "nullable": ("否", False),
    "primary_key": ("是", True),
    "code_list": ("GB/T 2260", "GB/T 2260"),
    "unit": ("个", "个"),
    "description": ("全称", "全称"),
    "share_type": ("非共享", "none"),
    "open": ("是", True),
    "masking": ("无", "none"),
    "personal": ("否", "none"),
    "sample": ("人民广场", "人民广场"),
}


@pytest.fixture
def template(codes: Codes) -> Workbook:
    return load_workbook(io.BytesIO(write_template(codes)))


def fill(
    workbook: Workbook, sheet_name: str, kind: str, values: Mapping[str, Any], line: int
) -> None:
    sheet = workbook[sheet_name]
    columns = {str(cell.value).rstrip("*"): cell.column for cell in sheet[1]}
    for field, value in values.items():
        sheet.cell(line, columns[headings(kind)[field]], value)


def saved(workbook: Workbook) -> bytes:
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def typed(values: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {field: pair[0] for field, pair in values.items()}


def test_the_sheets_and_their_lists(template: Workbook) -> None:
    assert template.sheetnames == ["开放清单", "信息项", "填写说明", "代码表"]
    assert template["代码表"].sheet_state == "hidden"
    assert template["开放清单"]["B1"].value == "数据集名称*"
    assert template["开放清单"]["B1"].comment
    rules = template["开放清单"].data_validations.dataValidation
    assert len(rules) >= 10
    for rule in rules:
        cells = template["代码表"][rule.formula1.partition("!")[2].replace("$", "")]
        assert all(cell[0].value for cell in cells)


def test_every_column_has_a_test_here(template: Workbook) -> None:
    for name, kind, values in (("开放清单", "list", FILLED), ("信息项", "items", ITEM)):
        shown = {str(cell.value).rstrip("*") for cell in template[name][1]}
        assert shown == {headings(kind)[field] for field in values}


@pytest.mark.parametrize("line", [2, 3])
def test_what_was_filled_in_comes_back(template: Workbook, codes: Codes, line: int) -> None:
    """Below the example row, and over it."""
    fill(template, "开放清单", "list", typed(FILLED), line)
    fill(template, "信息项", "items", typed(ITEM), line)
    if line == 2:
        template["信息项"].cell(2, 5).value = None  # the example's field name
    (record,) = read_open_list(saved(template), "清单.xlsx", codes)
    assert isinstance(record, HarvestedRecord)
    meant = {f: w if w is not None else t for f, (t, w) in FILLED.items() if f != "file_urls"}
    items = ({field: want for field, (_, want) in ITEM.items() if want is not None},)
    assert record.fields == {**meant, "items": items}
    assert record.files[0].url == "https://example.cn/stops.csv"
    assert record.foreign == {}
    assert record.place == f"第 {line} 行"


def test_a_filled_template_satisfies_the_profile(template: Workbook, codes: Codes) -> None:
    fill(template, "开放清单", "list", typed(FILLED), 3)
    fill(template, "信息项", "items", typed(ITEM), 3)
    (record,) = read_open_list(saved(template), "清单.xlsx", codes)
    assert isinstance(record, HarvestedRecord)
    values = {k: v for k, v in record.fields.items() if k not in BESIDE_CONTENT}
    assert defects(parse_content(values), JL_1, known_codes()) == []


def test_the_example_itself_would_be_read_without_its_mark(
    template: Workbook, codes: Codes
) -> None:
    for name in ("开放清单", "信息项"):
        sheet = template[name]
        for cell in sheet[2]:
            if cell.value:
                cell.value = str(cell.value).removeprefix("【示例，请删除】")
    (record,) = read_open_list(saved(template), "清单.xlsx", codes)
    assert isinstance(record, HarvestedRecord), record.reason
    assert record.fields["items"][0]["name"] == "站点名称"


def test_an_unfilled_template_says_so(template: Workbook, codes: Codes) -> None:
    with pytest.raises(UnreadableList, match="没有数据"):
        read_open_list(saved(template), "清单.xlsx", codes)
