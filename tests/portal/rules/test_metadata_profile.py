"""The rules of profile jl-1, each by the smallest content that breaks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from portal.rules.entry_content import EntryContent, InformationItem, LegalBasis
from portal.rules.metadata_profile import FOREIGN_1, JL_1, defects
from portal.services.codes_known import known_codes
from tests.factories import conditional_content, content

ITEM = InformationItem(1, "站点名称", "stop_name", "string", 100)
LAW = LegalBasis("law", "中华人民共和国个人信息保护法", article="第二十八条")


def _fields(given: EntryContent) -> set[str]:
    return {defect.field for defect in defects(given, JL_1, known_codes())}


def test_a_complete_entry_has_no_defect() -> None:
    assert _fields(content()) == set()
    assert _fields(conditional_content()) == set()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "长" * 201}, "title"),
        ({"abstract": "太短"}, "abstract"),
        ({"keywords": ("",)}, "keywords"),
        ({"keywords": tuple(map(str, range(21)))}, "keywords"),
        ({"resource_class": "1"}, "base_library"),
        ({"more_themes": ("transport",)}, "more_themes"),
        ({"theme": "nope"}, "theme"),
        ({"region": ""}, "region"),
        ({"format": ()}, "format"),
        ({"format": ("exe",)}, "format"),
        ({"items": ()}, "items"),
        ({"items": (ITEM, ITEM)}, "items"),
        ({"items": (replace(ITEM, field_name="1st"),)}, "items.0.field_name"),
        ({"items": (replace(ITEM, length=None),)}, "items.0.length"),
        ({"items": (replace(ITEM, precision=200),)}, "items.0.precision"),
        ({"items": (replace(ITEM, data_type="magic"),)}, "items.0.data_type"),
        ({"items": (replace(ITEM, personal="sensitive"),)}, "items.0.open"),
        ({"items": (replace(ITEM, open=False),)}, "items"),
        ({"share_mode": ()}, "share_mode"),
        ({"share_type": "authorised", "share_basis": (LAW,)}, "share_condition"),
        ({"share_type": "none", "share_condition": "隐私"}, "share_basis"),
        ({"open_type": "conditional", "open_condition_ground": ("capability",)}, "open_condition"),
        ({"open_type": "conditional", "open_condition": "有"}, "open_condition_ground"),
        ({"open_type": "none"}, "closed_ground"),
        ({"open_type": "none", "closed_ground": ("law",)}, "closed_basis"),
        ({"security_level": "3"}, "open_type"),
        ({"security_level": "4"}, "open_type"),
        ({"licence": ""}, "licence"),
        ({"collection_basis": ()}, "collection_basis"),
        ({"contact_name": ""}, "contact_name"),
        ({"contact_email": "kein"}, "contact_email"),
        ({"temporal_start": date(2026, 2, 1), "temporal_end": date(2026, 1, 1)}, "temporal_end"),
    ],
)
def test_a_broken_rule_names_its_field(changes: dict[str, Any], field: str) -> None:
    assert field in _fields(content(**changes))


def test_a_basis_of_another_kind_is_not_enough_to_refuse_sharing() -> None:
    given = content(
        share_type="none",
        share_condition="内部管理",
        share_basis=(LegalBasis("other", "内部规定", article="第一条"),),
    )
    assert "share_basis" in _fields(given)


def test_a_foreign_record_needs_a_title_alone() -> None:
    assert defects(EntryContent(title="外来"), FOREIGN_1, known_codes()) == []
    assert defects(EntryContent(title=" "), FOREIGN_1, known_codes()) != []
