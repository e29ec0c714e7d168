"""From input to `EntryContent` and to the JSON of a version, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from portal.errors import Defect, Invalid
from portal.models.entry import EntryVersion
from portal.rules.entry_content import EntryContent

_MESSAGES = {
    "extra_forbidden": "未知字段“{field}”。",
    "unexpected_keyword_argument": "未知字段“{field}”。",
    "missing": "缺少字段“{field}”。",
    "missing_argument": "缺少字段“{field}”。",
    "string_type": "“{field}”应为文字。",
    "tuple_type": "“{field}”应为列表。",
    "dataclass_type": "“{field}”应为对象。",
    "dict_type": "“{field}”应为对象。",
    "bool_parsing": "“{field}”应为“是”或“否”。",
    "int_parsing": "“{field}”应为整数。",
    "int_type": "“{field}”应为整数。",
    "date_from_datetime_parsing": "“{field}”应为日期，如 2026-11-24。",
    "date_parsing": "“{field}”应为日期，如 2026-11-24。",
    "date_type": "“{field}”应为日期，如 2026-11-24。",
}


LONGEST_TEXT, LARGEST_NUMBER = 100_000, 2**53
_ADAPTER: TypeAdapter[EntryContent] = TypeAdapter(EntryContent)
_FIELDS = frozenset(EntryContent.__dataclass_fields__)


def parse_content(values: Mapping[str, Any]) -> EntryContent:
    """Return the content; every value of a wrong shape and every unknown field is named.

    Raises:
        Invalid: one defect for each field at fault.
    """
    unknown = [
        Defect(name, "unknown_field", "未知字段“{field}”。", {"field": name})
        for name in values
        if name not in _FIELDS
    ]
    unknown += [*_unstorable(values)]
    try:
        content = _ADAPTER.validate_python({k: v for k, v in values.items() if k in _FIELDS})
    except ValidationError as error:
        raise Invalid([*unknown, *(_defect(e) for e in error.errors())]) from error
    if unknown:
        raise Invalid(unknown)
    return content


def _unstorable(values: Any, place: str = "") -> Iterator[Defect]:
    """Name what no database keeps: NULs, texts and numbers beyond all measure."""
    if isinstance(values, str):
        if "\x00" in values:
            yield Defect(
                place, "control_character", "“{field}”含有不可见的控制字符。", {"field": place}
            )
        elif len(values) > LONGEST_TEXT:
            yield Defect(
                place, "too_long", "“{field}”超过{max}个字。", {"field": place, "max": LONGEST_TEXT}
            )
    elif isinstance(values, int) and abs(values) > LARGEST_NUMBER:
        yield Defect(place, "too_large", "“{field}”的数值过大。", {"field": place})
    elif isinstance(values, Mapping):
        for name, value in values.items():
            yield from _unstorable(value, f"{place}.{name}" if place else str(name))
    elif isinstance(values, list | tuple):
        for number, value in enumerate(values):
            yield from _unstorable(value, f"{place}.{number}")


def _defect(error: Any) -> Defect:
    field = ".".join(str(part) for part in error["loc"])
    message = _MESSAGES.get(error["type"], "“{field}”的值不对。")
    return Defect(field, str(error["type"]), message, {"field": field})


def content_json(content: EntryContent) -> dict[str, Any]:
    """Return the content as plain JSON values; empty values are left out."""
    values = orjson.loads(orjson.dumps(content))  # orjson writes dataclasses by itself
    return {key: value for key, value in values.items() if value not in ("", None, [], {})}


def content_hash(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()


def content_of(version: EntryVersion) -> EntryContent:
    return parsed_content(version.content_hash, orjson.dumps(version.content))


@lru_cache(maxsize=512)
def parsed_content(_hash: str, raw: bytes) -> EntryContent:
    """Return the content that a version keeps as JSON; the same hash is read once."""
    return _ADAPTER.validate_json(raw)


def set_content(version: EntryVersion, content: EntryContent) -> None:
    """Write the content and the columns that repeat parts of it."""
    values = content_json(content)
    version.content = values
    version.content_hash = content_hash(values)
    version.title = content.title
    version.theme = content.theme
    version.share_type = content.share_type
    version.open_type = content.open_type
    version.security_level = content.security_level
    version.acquisition_method = content.acquisition_method
    version.update_frequency = content.update_frequency
