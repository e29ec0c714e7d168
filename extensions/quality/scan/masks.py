"""What a decision makes of a column: SQL that hides or coarsens its values.

Where a column is of a kind as a whole, what no pattern touched is hidden too; in other texts only the
parts that are sensitive are.
"""

from __future__ import annotations

from collections.abc import Sequence

from extensions.quality.scan.findings import ColumnFindings
from extensions.quality.scan.kinds import KINDS, PROVINCES, narrow
from portal.tables.column_types import ColumnType
from portal.tables.info import Column

RELEASE, DROP, MASK, GENERALISE = "release", "drop", "mask", "generalise"
TREATMENTS = {
    DROP: "删除该列",
    MASK: "遮盖",
    GENERALISE: "概化",
    RELEASE: "原样开放",
}
REFUSE = "refuse"
WHOLE_TREATMENTS = {RELEASE: "原样开放", REFUSE: "不予开放"}
"""What can be decided on a file in which no column is known."""
WHOLE_SHARE = 0.5
_DATES = (ColumnType.DATE, ColumnType.DATETIME)
_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)

# kind -> (pattern, replacement) by treatment; the replacements keep what tells nobody apart.
_MASKED: dict[str, tuple[str, str]] = {
    "id_number": (r"\b([1-9][0-9]{2})[0-9]{13}([0-9][0-9Xx])\b", r"\1*************\2"),
    "old_id_number": (r"\b([1-9][0-9]{2})[0-9]{10}([0-9]{2})\b", r"\1**********\2"),
    "uscc": (r"\b([0-9A-Za-z]{4})[0-9A-Za-z]{12}([0-9A-Za-z]{2})\b", r"\1************\2"),
    "mobile": (r"(1[3-9][0-9])[- ]?[0-9]{4}[- ]?([0-9]{4})", r"\1****\2"),
    "landline": (r"(0[0-9]{2,3})[- ]?[0-9]{4,5}([0-9]{3})", r"\1-****\2"),
    "bank_card": (r"\b([0-9]{4})[0-9 -]{7,16}([0-9]{4})\b", r"\1********\2"),
    "email": (r"[A-Za-z0-9._%+-]+@", "***@"),
    "plate": (rf"([{PROVINCES}][A-HJ-NP-Z])[·.\s-]?[A-HJ-NP-Z0-9挂学警港澳]{{5,6}}", r"\1*****"),
    "address": (r"[0-9一二三四五六七八九十]{1,5}\s*(号楼|号|栋|幢|座|单元|室|户|门|楼|层)", r"*\1"),
    "house": (r"[0-9]{1,5}\s*(号楼|号|栋|幢|座|单元|室|户|门|楼|层)", r"*\1"),
    "passport": (r"\b([A-Z])[0-9A-Z][0-9]{6,8}\b", r"\1********"),
    "name": (r"^\s*(.).*$", r"\1**"),
    "birth_date": (r"^\s*([0-9]{4}).*$", r"\1-**-**"),
}
_COARSE: dict[str, tuple[str, str]] = {
    "id_number": (r"\b([1-9][0-9]{5})[0-9]{11}[0-9Xx]\b", r"\1…"),
    "old_id_number": (r"\b([1-9][0-9]{5})[0-9]{9}\b", r"\1…"),
    "uscc": (r"\b([0-9A-Za-z]{8})[0-9A-Za-z]{10}\b", r"\1…"),
    "mobile": (r"(1[3-9][0-9])[- ]?[0-9]{4}[- ]?[0-9]{4}", r"\1…"),
    "landline": (r"(0[0-9]{2,3})[- ]?[0-9]{7,8}", r"\1"),
    "bank_card": (r"\b([0-9]{6})[0-9 -]{9,17}\b", r"\1…"),
    "email": (r"[A-Za-z0-9._%+-]+@", "@"),
    "plate": (rf"([{PROVINCES}][A-HJ-NP-Z])[·.\s-]?[A-HJ-NP-Z0-9挂学警港澳]{{5,6}}", r"\1"),
    "address": (r"^(.*[省市州县区旗]).*$|^.*$", r"\1"),
    "house": (r"^(.*[省市州县区旗]).*$|^.*$", r"\1"),
    "passport": (r"\b([A-Z])[0-9A-Z][0-9]{6,8}\b", r"\1…"),
    "name": (r"^\s*(.).*$", r"\1某"),
    "birth_date": (r"^\s*([0-9]{4}).*$", r"\1"),
}
_WHOLE = frozenset({"name", "birth_date", "address", "house"})
"""A value of these that is coarse already stays as it is when it is generalised."""


def treated_sql(column: Column, found: ColumnFindings | None, treatment: str) -> str | None:
    """Return SQL for a column's public text; None when the column is dropped.

    Args:
        found: what the scan says of the column; None for a column without a finding, of which a
            mask keeps the first character and a generalisation the year or the order of magnitude.
    """
    if treatment == DROP or (found is not None and found.in_header):
        return None
    name = f'"{column.field_name}"'
    kinds = _kinds(column, found)
    if not kinds:
        return _coarse_plain(name, column) if treatment == GENERALISE else _hidden(name)
    text = narrow(f"{name}::VARCHAR")
    table = _COARSE if treatment == GENERALISE else _MASKED
    changed = text
    for kind in kinds:
        pattern, replacement = table[kind]
        changed = f"regexp_replace({changed}, '{pattern}', '{replacement}', 'g')"
    keeps_coarse = treatment == GENERALISE and _WHOLE.intersection(kinds)
    if found is not None and _is_whole(found) and not keeps_coarse:
        return f"CASE WHEN {changed} = {text} THEN {_hidden(name)} ELSE {changed} END"
    return changed


def _kinds(column: Column, found: ColumnFindings | None) -> Sequence[str]:
    if found is not None:
        order = list(KINDS)
        return sorted(found.kinds, key=order.index)
    return ("birth_date",) if column.type in _DATES else ()


def _is_whole(found: ColumnFindings) -> bool:
    return any(one.by == "name" or one.share >= WHOLE_SHARE for one in found.findings)


def _hidden(name: str) -> str:
    text = f"{name}::VARCHAR"
    return f"left({text}, 1) || repeat('*', least(8, greatest(1, length({text}) - 1)))"


def _coarse_plain(name: str, column: Column) -> str:
    if column.type in _NUMBERS:
        step = f"(CASE WHEN abs({name}) < 100 THEN 10 ELSE 10 ** floor(log10(abs({name}))) END)"
        low = f"(floor({name} / {step}) * {step})"
        return f"{low}::HUGEINT || '～' || ({low} + {step})::HUGEINT"
    return f"left({name}::VARCHAR, 2) || '…'"
