"""What a column holds, decided over all its values and written down with their statistics.

Types are verified by pattern, never by trying a cast: DuckDB rounds '656969.48' to an integer and
takes ' 12 ', '1e3' and '0x1F'. A column where one single value does not fit is text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import duckdb


class ColumnType(StrEnum):
    TEXT = "text"
    INTEGER = "integer"  # at most 15 digits: exact in every program that reads it
    NUMBER = "number"  # a decimal, kept exactly
    DATE = "date"
    DATETIME = "datetime"  # without a zone


# Stand for "no value" in Chinese statistical tables; blanks in columns of numbers and dates only.
BLANK_MARKS = (
    "-",
    "--",
    "—",
    "——",
    "－",
    "/",
    "…",
    "...",
    "NA",
    "N/A",
    "n/a",
    "null",
    "NULL",
    "NaN",
)
SAMPLE_ROWS = 20_000
COLUMNS_A_QUERY = 40
MAX_PRECISION = 38  # of DuckDB's and Parquet's decimals

# The characters themselves: DuckDB knows no \u escapes and would trim the letters of one.
_SPACES = "' \t\r\n\f\v\u00a0\u3000\ufeff\u200b'"
_WHOLE = "(0|[1-9][0-9]{0,14}|[1-9][0-9]{0,2}(,[0-9]{3}){1,4})"
_DATE = (
    "[0-9]{4}(-[0-9]{1,2}-[0-9]{1,2}|/[0-9]{1,2}/[0-9]{1,2}"
    "|[.][0-9]{1,2}[.][0-9]{1,2}|年[0-9]{1,2}月[0-9]{1,2}[日号]?)"
)
_TIME = r"[T\s]*[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
_COMPACT_DATE = "(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
PATTERNS = {
    "numbers": f"[-+]?({_WHOLE}([.][0-9]{{1,20}})?|[.][0-9]{{1,20}})",
    "integers": f"[-+]?{_WHOLE}",
    "dates": _DATE,
    "moments": f"{_DATE}{_TIME}",
    "compact_dates": _COMPACT_DATE,
    # A division of China (GB/T 2260 and its longer forms), or a mobile number: digits, no amount.
    "codes": "(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])([0-9]{4}|[0-9]{7}|[0-9]{10})"
    "|1[3-9][0-9]{9}",
}

_CODE_NAME = re.compile(
    r"代码|编码|编号|标识|身份证|证件|证号|电话|手机|传真|邮编|学号|工号|[账帐]号|卡号|文号|批号"
    r"|车牌|条码|许可证|注册号|流水号|代號|編號|編碼|代碼|電話|郵遞|.*[码碼]$"
    r"|(?<![A-Za-z])(?i:id|code|codes|zip|zipcode|postcode|phone|tel|telephone|fax|mobile|isbn)"
    r"(?![A-Za-z])|(?<=[a-z])(Id|ID|Code)(?![a-z])"
)
_DATE_NAME = re.compile(r"日期|时间|年月日|(?<![A-Za-z])(?i:date|day)(?![A-Za-z])|(?<=[a-z])Date")


def names_a_code(name: str) -> bool:
    """Whether the name says that values are identifiers, to be kept as written."""
    return _CODE_NAME.search(name) is not None


@dataclass(frozen=True)
class TypedColumn:
    """How to make the typed column out of the text column `source`."""

    source: str
    type: ColumnType
    sql_type: str  # DuckDB's, e.g. DECIMAL(12,2)
    expression: str  # DuckDB SQL over `source`
    decimal_places: int | None = None  # for numbers written with the same count everywhere
    blank_marks: tuple[str, ...] = ()  # marks that became blanks
    all_blank: bool = False


def infer_types(
    connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str], rows: int
) -> list[TypedColumn]:
    """Return the type of each text column `c0, c1, …` of a relation named in SQL.

    A sample of the first rows says which patterns are worth checking on every row.
    """
    columns = [f"c{number}" for number in range(len(names))]
    sample = f"(SELECT * FROM {relation} WHERE _id <= {SAMPLE_ROWS})"
    every = dict.fromkeys(columns, tuple(PATTERNS))
    counted = _count(connection, sample, every)
    if rows > SAMPLE_ROWS:
        wanted = {column: _worth_checking(counted[column]) for column in columns}
        counted = _count(connection, relation, wanted)
    typed = [
        _decide(column, name, counted[column]) for column, name in zip(columns, names, strict=True)
    ]
    return _without_false_dates(connection, relation, typed)


def clean(column: str) -> str:
    """Return SQL for the text without spaces around it, NULL when nothing is left."""
    return f"nullif(trim({column}, {_SPACES}), '')"


def _count(
    connection: duckdb.DuckDBPyConnection, relation: str, wanted: dict[str, tuple[str, ...]]
) -> dict[str, dict[str, Any]]:
    counted: dict[str, dict[str, Any]] = {}
    columns = list(wanted)
    for start in range(0, len(columns), COLUMNS_A_QUERY):
        part = columns[start : start + COLUMNS_A_QUERY]
        cleaned = ", ".join(f"{clean(column)} AS {column}" for column in part)
        aggregates = ", ".join(
            f"{{{', '.join(_aggregates(column, wanted[column]))}}}" for column in part
        )
        row = connection.execute(
            f"SELECT {aggregates} FROM (SELECT {cleaned} FROM {relation})"
        ).fetchone()
        counted.update(zip(part, row or (), strict=True))
    return counted


def _aggregates(column: str, patterns: Sequence[str]) -> list[str]:
    marks = ", ".join(f"'{mark}'" for mark in BLANK_MARKS)
    parts = [
        f"'filled': count({column})",
        f"'marked': count(*) FILTER (WHERE {column} IN ({marks}))",
        f"'marks': list(DISTINCT {column}) FILTER (WHERE {column} IN ({marks}))",
    ]
    parts += [
        f"'{name}': count(*) FILTER (WHERE regexp_full_match({column}, '{PATTERNS[name]}'))"
        for name in patterns
    ]
    if "numbers" in patterns:
        point = f"nullif(instr({column}, '.'), 0)"
        places = f"coalesce(length({column}) - {point}, 0)"
        digits = f"length(regexp_replace(split_part({column}, '.', 1), '[^0-9]', '', 'g'))"
        number = f"regexp_full_match({column}, '{PATTERNS['numbers']}')"
        parts += [
            f"'most_places': max({places}) FILTER (WHERE {number})",
            f"'least_places': min({places}) FILTER (WHERE {number})",
            f"'most_digits': max({digits}) FILTER (WHERE {number})",
        ]
    return parts


def _worth_checking(counts: dict[str, Any]) -> tuple[str, ...]:
    """Return the patterns that all values of the sample fit."""
    values = counts["filled"] - counts["marked"]
    fits = {name for name in PATTERNS if counts[name] == values}
    if "dates" in fits or counts["dates"] + counts["moments"] == values:
        fits |= {"dates", "moments"}
    if fits & {"integers", "codes", "compact_dates"}:
        fits |= {"numbers", "integers"}
    return tuple(name for name in PATTERNS if name in fits)


def _decide(column: str, name: str, counts: dict[str, Any]) -> TypedColumn:
    values = counts["filled"] - counts["marked"]
    marks = tuple(sorted(counts["marks"] or ()))

    def fits(*patterns: str) -> bool:
        return bool(0 < values == sum(counts.get(pattern, 0) for pattern in patterns))

    text = TypedColumn(
        column, ColumnType.TEXT, "VARCHAR", clean(column), all_blank=counts["filled"] == 0
    )
    if values == 0 or names_a_code(name):
        return text
    if fits("dates"):
        return _date(column, marks)
    if fits("dates", "moments"):
        return TypedColumn(
            column, ColumnType.DATETIME, "TIMESTAMP", _moment_sql(column), None, marks
        )
    if fits("compact_dates") and _DATE_NAME.search(name):
        return TypedColumn(
            column,
            ColumnType.DATE,
            "DATE",
            f"try_strptime({clean(column)}, '%Y%m%d')::DATE",
            None,
            marks,
        )
    if not fits("numbers") or (fits("codes") and values >= 3):
        return text
    if fits("integers"):
        return _number(column, ColumnType.INTEGER, "BIGINT", None, marks)
    places, digits = counts["most_places"], counts["most_digits"]
    precision = max(digits, 1) + places
    if precision > MAX_PRECISION:
        return text
    fixed = places if counts["least_places"] == places else None
    return _number(column, ColumnType.NUMBER, f"DECIMAL({precision},{places})", fixed, marks)


def _number(
    column: str, kind: ColumnType, sql_type: str, places: int | None, marks: tuple[str, ...]
) -> TypedColumn:
    expression = f"try_cast(replace({clean(column)}, ',', '') AS {sql_type})"
    return TypedColumn(column, kind, sql_type, expression, places, marks)


def _date(column: str, marks: tuple[str, ...]) -> TypedColumn:
    return TypedColumn(column, ColumnType.DATE, "DATE", _moment_sql(column, "DATE"), None, marks)


def _moment_sql(column: str, sql_type: str = "TIMESTAMP") -> str:
    iso = (
        f"regexp_replace({clean(column)}, "
        r"'^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})[日号]?[T\s]*', '\1-\2-\3 ')"
    )
    return f"try_cast(trim({iso}) AS {sql_type})"


def _without_false_dates(
    connection: duckdb.DuckDBPyConnection, relation: str, typed: list[TypedColumn]
) -> list[TypedColumn]:
    """Make text again of columns where a value only looks like a date (30 February, hour 25)."""
    dates = [one for one in typed if one.type in (ColumnType.DATE, ColumnType.DATETIME)]
    if not dates:
        return typed
    marks = ", ".join(f"'{mark}'" for mark in BLANK_MARKS)
    checks = ", ".join(
        f"count(*) FILTER (WHERE {clean(one.source)} NOT IN ({marks}) AND {one.expression} IS NULL)"
        for one in dates
    )
    row = connection.execute(f"SELECT {checks} FROM {relation}").fetchone() or ()
    false = {one.source for one, count in zip(dates, row, strict=True) if count}
    return [
        TypedColumn(one.source, ColumnType.TEXT, "VARCHAR", clean(one.source))
        if one.source in false
        else one
        for one in typed
    ]
