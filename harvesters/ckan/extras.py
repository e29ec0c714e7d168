"""The `extras` keys that say something in our words, each read and written by one rule.

Names: those of ckanext-dcat for what it knows, `jl_` and the field's name for the rest
(domain/catalogue-fields.md, section 4).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from harvesters.codes import CodeBook

Read = Callable[[str, CodeBook], Any]
Write = Callable[[Any], Any]

ITEM_KEYS = {
    "order": int,
    "name": str,
    "field_name": str,
    "data_type": str,
    "length": int,
    "precision": int,
    "nullable": bool,
    "primary_key": bool,
    "code_list": str,
    "unit": str,
    "description": str,
    "share_type": str,
    "open": bool,
    "masking": str,
    "personal": str,
    "sample": str,
}
BASIS_KEYS = ("kind", "title", "document_number", "article", "quote", "url")


@dataclass(frozen=True)
class ExtraRule:
    """`read` raises ValueError on what it cannot understand; `write` undoes it."""

    field: str
    read: Read
    write: Write = str


def read_extra(key: str, value: Any, book: CodeBook) -> tuple[str, Any, bool] | None:
    """Return (field, value, whether writing it back gives the same text), or None if unknown."""
    rule = EXTRA_RULES.get(key)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if rule is None or not text.strip():
        return None
    try:
        found = rule.read(text.strip(), book)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return rule.field, found, gives_back(rule.write(found), value)


def gives_back(written: Any, value: Any) -> bool:
    """Say whether what we would write is what was there; spacing inside JSON does not matter."""
    if isinstance(written, list) and isinstance(value, str):
        return bool(json.loads(value) == written)
    return bool(written == value)


def _text(field: str) -> ExtraRule:
    return ExtraRule(field, lambda text, _: text)


def _day(field: str) -> ExtraRule:
    return ExtraRule(field, lambda text, _: date.fromisoformat(text[:10]), date.isoformat)


def _moment(field: str) -> ExtraRule:
    return ExtraRule(field, lambda text, _: datetime.fromisoformat(text), datetime.isoformat)


def _code(field: str, codes: str) -> ExtraRule:
    return ExtraRule(field, lambda text, book: _required(book.find(codes, text), text))


def _required(code: str | None, text: str) -> str:
    if code is None:
        raise ValueError(text)
    return code


def _region_in_uri(text: str, book: CodeBook) -> str:
    return _required(book.find("regions", text.rstrip("/").rpartition("/")[2]), text)


def _theme_in_uri(text: str, book: CodeBook) -> str:
    found = [book.find("themes", w.rstrip("/").rpartition("/")[2]) for w in _words(text)]
    return _required(found[0] if found else None, text)


def _codes(field: str, codes: str) -> ExtraRule:
    def read(text: str, book: CodeBook) -> tuple[str, ...]:
        return tuple(_required(book.find(codes, word), word) for word in _words(text))

    return ExtraRule(field, read, list)


def _word_list(field: str) -> ExtraRule:
    return ExtraRule(field, lambda text, _: tuple(_words(text)), list)


def _words(text: str) -> list[str]:
    found = json.loads(text) if text.startswith("[") else [text]
    if not all(isinstance(word, str) for word in found):
        raise ValueError(text)
    return found


def _items(text: str, _: CodeBook) -> tuple[dict[str, Any], ...]:
    return tuple(_item(row, number) for number, row in enumerate(json.loads(text), 1))


def _item(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    item = {key: row[key] for key in ITEM_KEYS if row.get(key) not in (None, "")}
    for key, value in item.items():
        if not isinstance(value, ITEM_KEYS[key]):
            raise ValueError(key)
    if "name" not in item:
        raise ValueError("name")
    return {"order": number, **item}


def _basis(field: str) -> ExtraRule:
    def read(text: str, _: CodeBook) -> tuple[dict[str, str], ...]:
        rows = json.loads(text)
        if not all(isinstance(row["kind"], str) for row in rows):
            raise ValueError(text)
        return tuple({k: str(row[k]) for k in BASIS_KEYS if row.get(k)} for row in rows)

    return ExtraRule(field, read, list)


EXTRA_RULES: Mapping[str, ExtraRule] = {
    "identifier": _text("code"),
    "issued": _day("issued"),
    "modified": _moment("data_modified"),
    "frequency": _code("update_frequency", "update_frequency"),
    "update_frequency": _code("update_frequency", "update_frequency"),
    "temporal_start": _day("temporal_start"),
    "temporal_end": _day("temporal_end"),
    "spatial_uri": ExtraRule("region", _region_in_uri),
    "contact_name": _text("contact_name"),
    "contact_email": _text("contact_email"),
    "publisher_name": _text("provider_name"),
    "publisher_identifier": _text("provider_uscc"),
    "related_resource": _word_list("related_codes"),
    "access_rights": _code("open_type", "open_types"),
    "jl_title_en": _text("title_en"),
    "jl_responsible_dept": _code("responsible_dept", "departments"),
    "jl_region": _code("region", "regions"),
    "theme": ExtraRule("theme", _theme_in_uri, lambda _: None),
    "jl_theme": _code("theme", "themes"),
    "jl_more_themes": _codes("more_themes", "themes"),
    "jl_resource_class": _code("resource_class", "resource_classes"),
    "jl_base_library": _code("base_library", "base_libraries"),
    "jl_provider_uscc": _text("provider_uscc"),
    "jl_format": _codes("format", "formats"),
    "jl_open_type": _code("open_type", "open_types"),
    "jl_open_condition": _text("open_condition"),
    "jl_open_condition_ground": _codes("open_condition_ground", "open_condition_grounds"),
    "jl_closed_ground": _codes("closed_ground", "closed_grounds"),
    "jl_closed_basis": _basis("closed_basis"),
    "jl_share_type": _code("share_type", "share_types"),
    "jl_share_condition": _text("share_condition"),
    "jl_share_mode": _codes("share_mode", "share_modes"),
    "jl_share_basis": _basis("share_basis"),
    "jl_security_level": _code("security_level", "security_levels"),
    "jl_acquisition_method": _code("acquisition_method", "acquisition_methods"),
    "jl_collection_basis": _basis("collection_basis"),
    "jl_source_system": _text("source_system"),
    "jl_update_frequency": _code("update_frequency", "update_frequency"),
    "jl_related_codes": _word_list("related_codes"),
    "jl_related_service_items": _word_list("related_service_items"),
    "jl_contact_phone": _text("contact_phone"),
    "jl_licence": _code("licence", "licences"),
    "jl_items": ExtraRule("items", _items, list),
}
