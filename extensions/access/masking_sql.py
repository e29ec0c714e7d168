"""The masks of `masking` as SQL: the engine masks a million rows in the time Python takes for some.

Both say the same of every value; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping

from extensions.access.masking import HIDDEN, is_masked
from portal.tables.column_types import ColumnType
from portal.tables.info import Column

MOMENTS = (ColumnType.DATE, ColumnType.DATETIME)
_KEPT = {"mask_id": (3, 2), "mask_phone": (3, 4), "mask_name": (1, 0)}
"""How many characters of each end a rule leaves."""


def masked_values(columns: tuple[Column, ...], rules: Mapping[str, str]) -> dict[str, str]:
    """Return SQL of the JSON value of each masked column, by field name.

    Args:
        rules: field name -> masking rule; an unknown one gives nothing, as `drop` does.
    """
    return {
        one.field_name: _json_of(one, rules[one.field_name])
        for one in columns
        if is_masked(rules.get(one.field_name, ""))
    }


def _json_of(column: Column, rule: str) -> str:
    masked = masked_text(column, rule)
    return f"to_json({masked})::VARCHAR" if masked else "'null'"


def masked_text(column: Column, rule: str) -> str:
    """Return SQL of the masked text, NULL for NULL; "" where nothing is given."""
    name = f'"{column.field_name}"'
    text = _text_of(column)
    if rule in _KEPT:
        return _middle_hidden(text, *_KEPT[rule])
    if rule != "generalise_date":
        return ""
    if column.type in MOMENTS:
        return f"left({name}::VARCHAR, 7)"
    is_day = f"length({text}) >= 8 AND substr({text}, 5, 1) = '-'"
    return f"CASE WHEN {is_day} THEN left({text}, 7) ELSE left({text}, 4) END"


def _text_of(column: Column) -> str:
    name = f'"{column.field_name}"'
    if column.type is ColumnType.TEXT:
        return name
    if column.type is ColumnType.NUMBER and column.decimal_places is None:
        return f"rtrim(rtrim({name}::VARCHAR, '0'), '.')"
    return f"{name}::VARCHAR"


def _middle_hidden(text: str, first: int, last: int) -> str:
    """A text too short to keep its ends is hidden as a whole, a name but for its first character."""
    length = f"length({text})"
    shown = f"left({text}, {first}) || repeat('{HIDDEN}', {length} - {first + last})"
    if last:
        shown += f" || right({text}, {last})"
    whole = f"repeat('{HIDDEN}', {length})"
    if first == 1:
        whole = f"left({text}, 1) || repeat('{HIDDEN}', greatest({length} - 1, 0))"
    return f"CASE WHEN {length} <= {first + last} THEN {whole} ELSE {shown} END"
