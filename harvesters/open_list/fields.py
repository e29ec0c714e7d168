"""How each field of the two sheets is read. Code lists are named as the portal hands them in."""

from __future__ import annotations

from collections.abc import Mapping

from harvesters.open_list.cells import (
    Read,
    as_addresses,
    as_basis,
    as_code,
    as_code_even_none,
    as_codes,
    as_date,
    as_number,
    as_text,
    as_words,
    as_yes_no,
    unless_empty,
)

LIST_CODES: Mapping[str, str] = {
    "responsible_dept": "departments",
    "region": "regions",
    "resource_class": "resource_classes",
    "base_library": "base_libraries",
    "theme": "themes",
    "update_frequency": "update_frequency",
    "open_type": "open_types",
    "licence": "licences",
    "share_type": "share_types",
    "security_level": "security_levels",
    "acquisition_method": "acquisition_methods",
}
LIST_MANY_CODES: Mapping[str, str] = {
    "more_themes": "themes",
    "format": "formats",
    "open_condition_ground": "open_condition_grounds",
    "closed_ground": "closed_grounds",
    "share_mode": "share_modes",
}
ITEM_CODES: Mapping[str, str] = {"data_type": "data_types", "share_type": "share_types"}
ITEM_CODES_EVEN_NONE: Mapping[str, str] = {"masking": "maskings", "personal": "personal_kinds"}

LIST_FIELDS: Mapping[str, Read] = {
    **{
        name: unless_empty(as_text)
        for name in [
            "code",
            "title",
            "title_en",
            "abstract",
            "provider_name",
            "provider_uscc",
            "open_condition",
            "share_condition",
            "source_system",
            "contact_name",
            "contact_phone",
            "contact_email",
        ]
    },
    **{name: unless_empty(as_code(codes)) for name, codes in LIST_CODES.items()},
    **{name: unless_empty(as_codes(codes)) for name, codes in LIST_MANY_CODES.items()},
    **{
        name: unless_empty(as_basis) for name in ("closed_basis", "share_basis", "collection_basis")
    },
    **{
        name: unless_empty(as_words)
        for name in ("keywords", "related_codes", "related_service_items", "item_names")
    },
    **{
        name: unless_empty(as_date)
        for name in ("temporal_start", "temporal_end", "issued", "data_modified")
    },
    "file_urls": unless_empty(as_addresses),
}
ITEM_FIELDS: Mapping[str, Read] = {
    **dict.fromkeys(
        ["title", "code", "name", "field_name", "code_list", "unit", "description", "sample"],
        as_text,
    ),
    **{name: unless_empty(as_number) for name in ("order", "length", "precision")},
    **{name: unless_empty(as_yes_no) for name in ("nullable", "primary_key", "open")},
    **{name: unless_empty(as_code(codes)) for name, codes in ITEM_CODES.items()},
    **{name: as_code_even_none(codes) for name, codes in ITEM_CODES_EVEN_NONE.items()},
}
EXAMPLE = "【示例，请删除】"
"""Begins the title of the template's example row, which is never read."""
EXPLANATION_SHEETS = frozenset({"填写说明", "代码表"})
EXTRA_WORDS = frozenset({"合计", "总计"})
EXTRA_STARTS = ("注：", "注:", "备注：", "备注:", "说明：", "说明:", "填表人", "填报单位", "制表")
