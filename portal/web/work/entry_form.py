"""The entry editor's input: text as typed, kept whatever happens, and turned into content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any, Self

from werkzeug.datastructures import MultiDict

from portal.errors import Defect, Invalid
from portal.rules.entry_content import EntryContent
from portal.services.content import parse_content
from portal.web.work.entry_fields import (
    BASIS_LABELS,
    FIELDS,
    ITEM_FLAGS,
    ITEM_LABELS,
    ITEM_NUMBERS,
    Field,
    label_of,
)

ROWS_MAX = 1000
CODE_MAX = 30
NUMBER_MAX = 1_000_000_000
_SEPARATORS = re.compile(r"[,，、;；\s]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_ITEM_INPUTS = tuple(name for name in ITEM_LABELS if name != "order")
BLANK_ITEM: Mapping[str, Any] = {
    "name": "", "field_name": "", "data_type": "string", "length": "", "precision": "",
    "unit": "", "nullable": True, "primary_key": False, "open": True, "personal": "none",
    "masking": "none", "share_type": "", "code_list": "", "sample": "", "description": "",
}  # fmt: skip
BLANK_BASIS: Mapping[str, Any] = {**dict.fromkeys(BASIS_LABELS, ""), "kind": "law"}


class EntryForm:
    """`values`: text, or lists of texts (checks), or lists of rows (bases, items)."""

    def __init__(self, values: dict[str, Any], foreign: Mapping[str, Any] | None = None) -> None:
        self.values = values
        self._foreign = dict(foreign or {})

    @classmethod
    def from_content(cls, content: EntryContent) -> Self:
        given = asdict(content)
        values = {name: _as_typed(field, given[name]) for name, field in FIELDS.items()}
        return cls(values, content.foreign)

    @classmethod
    def from_post(cls, form: MultiDict[str, str], foreign: Mapping[str, Any] | None = None) -> Self:
        return cls({name: _posted(field, form) for name, field in FIELDS.items()}, foreign)

    def change_rows(self, action: str, place: str) -> None:
        """Add or remove a row: ("add", "items"), ("remove", "share_basis.1")."""
        name, _, number = place.partition(".")
        if name not in FIELDS or FIELDS[name].control not in ("items", "bases"):
            return
        rows = self.values[name]
        if action == "add" and len(rows) < ROWS_MAX:
            rows.append(dict(BLANK_ITEM if name == "items" else BLANK_BASIS))
        elif action == "remove" and number.isdigit() and int(number) < len(rows):
            del rows[int(number)]

    def drop_blank_rows(self) -> None:
        for name, field in FIELDS.items():
            if field.control in ("items", "bases"):
                self.values[name] = [row for row in self.values[name] if not _is_blank(name, row)]

    def content(self) -> EntryContent:
        """Return what was typed as content, however incomplete.

        Raises:
            Invalid: a value of a wrong shape (no date, no number, too long), each one named.
        """
        self.drop_blank_rows()
        found = list(self._shape_defects())
        if found:
            raise Invalid(found)
        given = {name: _as_value(field, self.values[name]) for name, field in FIELDS.items()}
        values = {name: value for name, value in given.items() if value not in ("", None)}
        try:
            return parse_content({**values, "foreign": self._foreign})
        except Invalid as error:
            raise Invalid([_worded(defect) for defect in error.defects]) from error

    def _shape_defects(self) -> Iterable[Defect]:
        if not self.values["title"].strip():
            yield Defect("title", "missing", "请先填写信息资源名称，再保存草稿。")
        for name, field in FIELDS.items():
            value = self.values[name]
            if isinstance(value, str):
                yield from _too_long(name, value, _longest(field))
            elif field.control in ("items", "bases"):
                for place, row in enumerate(value):
                    yield from _row_defects(f"{name}.{place}", row)


def _as_typed(field: Field, value: Any) -> Any:
    if field.control == "checks":
        return list(value)
    if field.control == "words":
        return "、".join(value)
    if field.control == "lines":
        return "\n".join(value)
    if field.control in ("bases", "items"):
        return [{k: _cell(v) for k, v in row.items() if k != "order"} for row in value]
    return value.isoformat() if isinstance(value, date) else str(value or "")


def _cell(value: Any) -> Any:
    return value if isinstance(value, bool) else "" if value is None else str(value)


def _posted(field: Field, form: MultiDict[str, str]) -> Any:
    if field.control == "checks":
        return [_clean(value) for value in form.getlist(field.name)]
    if field.control in ("bases", "items"):
        return _posted_rows(field, form)
    return _clean(form.get(field.name, ""))


def _posted_rows(field: Field, form: MultiDict[str, str]) -> list[dict[str, Any]]:
    """Read `items.0.name` and the like; the numbers only order the rows."""
    pattern = re.compile(rf"{field.name}\.(\d{{1,6}})\.\w+")
    numbers = sorted({int(m[1]) for key in form if (m := pattern.fullmatch(key))})[:ROWS_MAX]
    names = _ITEM_INPUTS if field.control == "items" else tuple(BASIS_LABELS)
    rows = []
    for number in numbers:
        at = f"{field.name}.{number}"
        rows.append(
            {
                name: f"{at}.{name}" in form
                if name in ITEM_FLAGS
                else _clean(form.get(f"{at}.{name}", ""))
                for name in names
            }
        )
    return rows


def _clean(text: str) -> str:
    """Drop what no database text may hold; line ends become \\n."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _is_blank(name: str, row: Mapping[str, Any]) -> bool:
    if name == "items":
        return not any(row[part] for part in ("name", "field_name", "length", "description"))
    return row["kind"] != "consent" and not any(v for k, v in row.items() if k != "kind")


def _as_value(field: Field, value: Any) -> Any:
    if field.control == "words":
        return list(dict.fromkeys(word for word in _SEPARATORS.split(value) if word))
    if field.control == "lines":
        return [line.strip() for line in value.splitlines() if line.strip()]
    if field.control == "items":
        return [
            {k: v for k, v in row.items() if v != ""} | {"order": n} | _names(row)
            for n, row in enumerate(value, 1)
        ]
    return value


def _names(row: Mapping[str, Any]) -> dict[str, str]:
    return {"name": row["name"], "field_name": row["field_name"]}


def _longest(field: Field) -> int:
    return CODE_MAX if field.control in ("select", "date") else field.longest


def _too_long(at: str, value: str, longest: int) -> Iterable[Defect]:
    if len(value) > longest:
        yield Defect(
            at, "too_long", "“{label}”不能超过{n}个字。", {"label": label_of(at), "n": longest}
        )


def _row_defects(at: str, row: Mapping[str, Any]) -> Iterable[Defect]:
    for name, value in row.items():
        if not isinstance(value, str):
            continue
        yield from _too_long(f"{at}.{name}", value, 2000)
        number = name in ITEM_NUMBERS and value
        if number and not (value.isascii() and value.isdigit() and int(value) <= NUMBER_MAX):
            yield Defect(
                f"{at}.{name}",
                "int_parsing",
                "“{label}”应为不大于{n}的整数。",
                {"label": label_of(f"{at}.{name}"), "n": NUMBER_MAX},
            )


def _worded(defect: Defect) -> Defect:
    """Say the field by its label instead of by its name."""
    return Defect(defect.field, defect.code, defect.message, {"field": label_of(defect.field)})
