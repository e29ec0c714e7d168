"""脱敏: how a value looks when its information item has a masking rule (art. 45)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

HIDDEN = "*"


def mask_id(value: Any) -> str:
    """Keep the first three and the last two characters of an identity number."""
    return _middle_hidden(str(value), 3, 2)


def mask_phone(value: Any) -> str:
    """Keep the first three and the last four digits: 139****5678."""
    return _middle_hidden(str(value), 3, 4)


def mask_name(value: Any) -> str:
    """Keep the family name, that is the first character."""
    return _middle_hidden(str(value), 1, 0)


def generalise_date(value: Any) -> str:
    """Keep the year and the month."""
    if isinstance(value, date | datetime):
        return f"{value:%Y-%m}"
    text = str(value)
    return text[:7] if len(text) >= 8 and text[4:5] == "-" else text[:4]


def _middle_hidden(text: str, first: int, last: int) -> str:
    """A text too short to keep its ends is hidden as a whole."""
    if len(text) <= first + last:
        return text[:1] + HIDDEN * (len(text) - 1) if first == 1 else HIDDEN * len(text)
    end = text[len(text) - last :] if last else ""
    return text[:first] + HIDDEN * (len(text) - first - last) + end


def dropped(_value: Any) -> None:
    """`drop`, and any rule that is not known: nothing is given."""


_RULES: dict[str, Callable[[Any], str | None]] = {
    "mask_id": mask_id,
    "mask_phone": mask_phone,
    "mask_name": mask_name,
    "generalise_date": generalise_date,
}


# What a reviewer may mask beyond the catalogue: by the data types that each rule fits.
GRANTABLE = {
    "mask_id": ("string", "text"),
    "mask_phone": ("string", "text"),
    "mask_name": ("string", "text"),
    "generalise_date": ("date", "datetime"),
}


def is_masked(rule: str) -> bool:
    return rule not in ("", "none")


def mask_rows(rows: Sequence[dict[str, Any]], rules: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the rows with every field masked by its rule (field name -> rule); blanks stay."""
    functions = {name: _RULES.get(rule, dropped) for name, rule in rules.items() if is_masked(rule)}
    if not functions:
        return list(rows)
    return [
        {
            name: functions[name](value) if name in functions and value is not None else value
            for name, value in row.items()
        }
        for row in rows
    ]
