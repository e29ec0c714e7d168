"""Values of rows as JSON: ISO dates, decimals with all their digits, big integers as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

MAX_SAFE_INTEGER = 2**53  # what JavaScript's numbers hold exactly


def decimal_text(value: Decimal) -> str:
    """Return a decimal without an exponent."""
    return format(value, "f")


def json_value(value: Any) -> Any:
    """Return what `dumps` writes for a value: text, int, an exact number, or None.

    Decimals become `orjson.Fragment`: only orjson can write them, digit by digit.
    """
    if isinstance(value, Decimal):
        return orjson.Fragment(decimal_text(value))
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_SAFE_INTEGER else str(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds" if value.microsecond else "seconds")
    if isinstance(value, date):
        return value.isoformat()
    return value


def json_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of a TablePage as `dumps` takes them."""
    return [{name: json_value(value) for name, value in row.items()} for row in rows]


def dumps(value: Any) -> bytes:
    """Write a structure that may hold the fragments of `json_value`, as UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME)
