"""What a column holds, decided over all its values and written down with their statistics.

Types are verified by pattern, never by trying a cast: DuckDB rounds '656969.48' to an integer and
takes ' 12 ', '1e3' and '0x1F'. A column where one single value does not fit is text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import duckdb

from portal.tables.wide_digits import narrow, narrowed, wide_columns


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
SAMPLE_ROWS = 2_000
COLUMNS_A_QUERY = 40
WHOLE_DIGITS = 15  # of a number, at most; signs and commas count among the characters
MAX_PRECISION = 38  # of DuckDB's and Parquet's decimals

_WHOLE = "(0|[1-9][0-9]{0,14}|[1-9][0-9]{0,2}(,[0-9]{3}){1,4})"
_DATE = (
    "[0-9]{4}(-[0-9]{1,2}-[0-9]{1,2}|/[0-9]{1,2}/[0-9]{1,2}"
    "|[.][0-9]{1,2}[.][0-9]{1,2}|年[0-9]{1,2}月[0-9]{1,2}[日号]?)"
)
_TIME = r"[T\s]*[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
_COMPACT_DATE = "(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
_ISO_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ISO_TIME = "[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
_MARKS = ", ".join(f"'{mark}'" for mark in BLANK_MARKS)
PATTERNS = {
    "numbers": f"[-+]?({_WHOLE}([.][0-9]{{1,20}})?|[.][0-9]{{1,20}})",
    "dates": _DATE,
    "moments": f"{_DATE}{_TIME}",
    "iso_dates": _ISO_DATE,  # which a cast reads as they are
    "iso_moments": _ISO_DATE + _ISO_TIME,
    "compact_dates": _COMPACT_DATE,
    "serials": "[34][0-9]{4}",  # how Excel counts days: 1982 to 2036
    # A division of China (GB/T 2260 and its longer forms), or a mobile number: digits, no amount.
    "codes": "(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])([0-9]{4}|[0-9]{7}|[0-9]{10})"
    "|1[3-9][0-9]{9}",
}

CHOSEN_INTEGER = "[-+]?[0-9][0-9,]{0,20}"  # where a person says so, zeros in front are none
CHOSEN_NUMBER = "[￥¥]?[-+]?([0-9][0-9,]{0,20}([.][0-9]{1,15})?|[.][0-9]{1,15})[%％元]?"

_CODE_NAME = re.compile(
    r"代码|编码|编号|标识|身份证|证件|证号|电话|手机|传真|邮编|学号|工号|[账帐]号|卡号|单号|文号|批号"
    r"|车牌|条码|许可证|注册号|流水号|代號|編號|編碼|代碼|電話|郵遞|.*[码碼]$"
    r"|(?<![A-Za-z])(?i:id|youbian|code|codes|zip|zipcode|postcode|phone|tel|telephone|fax|mobile|isbn)"
    r"(?![A-Za-z])|(?<=[a-z])(Id|ID|Code)(?![a-z])"
)
_DAY_NAME = re.compile(r"日期|年月日|(?<![A-Za-z])(?i:date)(?![A-Za-z])|(?<=[a-z])Date")
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
    fits: str = ""  # of a type that a person chose: SQL that tells which values have it
    note: str = ""  # a key of `row_notes.REASONS`: what was done to the whole column


def infer_types(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    names: Sequence[str],
    rows: int,
    chosen: Mapping[str, ColumnType] | None = None,
) -> list[TypedColumn]:
    """Return the type of each text column `c0, c1, …` of a relation named in SQL.

    A sample of the first rows says which patterns are worth checking on every row. Texts come
    without spaces around them; an empty one is a blank.

    Args:
        chosen: types that a person chose, by column name; they hold whatever the values are.
    """
    columns = [f"c{number}" for number in range(len(names))]
    wide = wide_columns(connection, relation, columns, SAMPLE_ROWS)
    data, relation = relation, narrow(relation, wide)
    sample = f"(SELECT * FROM {relation} WHERE _id <= {SAMPLE_ROWS})"
    counted = _count(connection, sample, dict.fromkeys(columns, tuple(PATTERNS)))
    if rows > SAMPLE_ROWS:
        wanted = {column: _worth_checking(counted[column]) for column in columns}
        counted |= _count(connection, relation, {c: p for c, p in wanted.items() if p})
        again = {c: _second_look(counted[c], p) for c, p in wanted.items() if p}
        counted |= _count(connection, relation, {c: p for c, p in again.items() if p})
        _recount_blanks(connection, relation, [c for c, p in wanted.items() if not p], counted)
    _list_marks(connection, relation, counted)
    typed = []
    for column, name in zip(columns, names, strict=True):
        kind = (chosen or {}).get(name)
        if kind is None:
            typed.append(_decide(column, name, counted[column]))
        else:
            typed.append(chosen_type(connection, relation, column, kind))
    typed = [_of_wide(one) if one.source in wide else one for one in typed]
    return _without_false_dates(connection, data, typed)


def _of_wide(one: TypedColumn) -> TypedColumn:
    """Return the same over the text as it is in the file; a text stays as it was written."""
    if one.type is ColumnType.TEXT:
        return one
    bare = re.compile(rf"\b{one.source}\b")
    return replace(
        one,
        expression=bare.sub(narrowed(one.source), one.expression),
        fits=bare.sub(narrowed(one.source), one.fits),
    )


def clean(column: str) -> str:
    """Return SQL for the text, NULL when nothing is in it."""
    return f"nullif({column}, '')"


def _list_marks(
    connection: duckdb.DuckDBPyConnection, relation: str, counted: dict[str, dict[str, Any]]
) -> None:
    """Add which marks stand for blanks, and the exact digits where signs or commas are in between."""
    for column, counts in counted.items():
        if counts["marked"]:
            rows = connection.execute(
                f"SELECT DISTINCT {column} FROM {relation} WHERE {column} IN ({_MARKS}) ORDER BY 1"
            ).fetchall()
            counts["marks"] = [text for (text,) in rows]
        odd = counts["marked"] or counts.get("grouped") or counts.get("signed")
        if odd and "most_places" in counts:
            bare = f"regexp_replace({column}, '[^0-9.]', '', 'g')"
            sizes = ", ".join(_sizes("bare"))
            row = connection.execute(
                f"SELECT {{{sizes}}} FROM (SELECT {bare} AS bare FROM {relation}"
                f" WHERE {column} <> '' AND {column} NOT IN ({_MARKS}))"
            ).fetchone()
            counts |= row[0] if row else {}


def _recount_blanks(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Sequence[str],
    counted: dict[str, dict[str, Any]],
) -> None:
    """Texts are texts; but a column without a name goes only if it is blank to its end."""
    blank = [column for column in columns if not counted[column]["filled"]]
    for start in range(0, len(blank), COLUMNS_A_QUERY):
        part = blank[start : start + COLUMNS_A_QUERY]
        counts = ", ".join(f"count({clean(column)})" for column in part)
        row = connection.execute(f"SELECT {counts} FROM {relation}").fetchone() or ()
        for column, filled in zip(part, row, strict=True):
            counted[column] = {**counted[column], "filled": filled}


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
    parts = [
        f"'filled': count({column})",
        f"'marked': count(*) FILTER (WHERE {column} IN ({_MARKS}))",
    ]
    parts += [
        f"'{name}': count(*) FILTER (WHERE regexp_full_match({column}, '{PATTERNS[name]}'))"
        for name in patterns
    ]
    if "numbers" in patterns:
        parts += [
            f"'grouped': count(*) FILTER (WHERE contains({column}, ','))",
            f"'signed': count(*) FILTER (WHERE {column} < '.')",
            *_sizes(column),
        ]
    return parts


def _sizes(column: str) -> list[str]:
    """Return SQL for the characters before and behind the point of plain numbers."""
    point = f"coalesce(nullif(instr({column}, '.'), 0), length({column}) + 1)"
    return [
        f"'most_places': max(length({column}) - {point})",  # -1: no point
        f"'least_places': min(length({column}) - {point})",
        f"'most_digits': max({point} - 1)",
    ]


def _worth_checking(counts: dict[str, Any]) -> tuple[str, ...]:
    """Return the patterns to check on every row, by what the sample fits: the fewest that decide."""
    values = counts["filled"] - counts["marked"]
    if not values:
        return tuple(PATTERNS)
    fits = {name for name in PATTERNS if counts[name] == values}
    if "codes" in fits:
        return ("codes",)
    if counts["iso_dates"] + counts["iso_moments"] == values:
        return ("iso_dates", "iso_moments")
    if counts["dates"] + counts["moments"] == values:
        return ("dates", "moments")
    return tuple(name for name in ("numbers", "compact_dates", "serials") if name in fits)


def _second_look(counts: dict[str, Any], checked: tuple[str, ...]) -> tuple[str, ...]:
    """Return what else to check where a later row fits nothing of what the sample promised."""
    values = counts["filled"] - counts["marked"]
    if len(checked) == len(PATTERNS) or sum(counts[name] for name in checked) >= values:
        return ()
    if checked == ("codes",):
        return ("numbers",)
    return ("dates", "moments") if checked == ("iso_dates", "iso_moments") else ()


def _decide(column: str, name: str, counts: dict[str, Any]) -> TypedColumn:
    values = counts["filled"] - counts["marked"]
    marks = tuple(counts.get("marks", ()))

    def fits(*patterns: str) -> bool:
        return bool(0 < values == sum(counts.get(pattern, 0) for pattern in patterns))

    text = TypedColumn(
        column, ColumnType.TEXT, "VARCHAR", clean(column), all_blank=counts["filled"] == 0
    )
    if values == 0 or names_a_code(name):
        return text
    for days, moments, is_iso in (("iso_dates", "iso_moments", True), ("dates", "moments", False)):
        if fits(days) or fits(days, moments):
            kind = ColumnType.DATE if fits(days) else ColumnType.DATETIME
            return _moment(column, kind, marks, is_iso=is_iso)
    if fits("compact_dates") and _DATE_NAME.search(name):
        return TypedColumn(column, ColumnType.DATE, "DATE", _compact(column), None, marks)
    if fits("serials") and _DAY_NAME.search(name):
        serial = f"DATE '1899-12-30' + try_cast({column} AS INTEGER)"
        return TypedColumn(column, ColumnType.DATE, "DATE", serial, None, marks, note="serial_date")
    if not fits("numbers") or (fits("codes") and values >= 3):
        return text
    if counts["most_places"] < 0:
        return _number(column, ColumnType.INTEGER, "BIGINT", None, marks, counts)
    return _decimal(column, marks, counts) or text


def _decimal(column: str, marks: tuple[str, ...], counts: dict[str, Any]) -> TypedColumn | None:
    places = max(counts["most_places"], 0)
    precision = max(min(counts["most_digits"], WHOLE_DIGITS), 1) + places
    if precision > MAX_PRECISION:
        return None
    fixed = places if max(counts["least_places"], 0) == places else None
    kind = f"DECIMAL({precision},{places})"
    return _number(column, ColumnType.NUMBER, kind, fixed, marks, counts)


def _number(
    column: str,
    kind: ColumnType,
    sql_type: str,
    places: int | None,
    marks: tuple[str, ...],
    counts: dict[str, Any],
) -> TypedColumn:
    text = f"replace({column}, ',', '')" if counts["grouped"] else column
    return TypedColumn(column, kind, sql_type, f"try_cast({text} AS {sql_type})", places, marks)


def _moment(
    column: str, kind: ColumnType, marks: tuple[str, ...] = (), *, is_iso: bool = False
) -> TypedColumn:
    sql_type = "DATE" if kind is ColumnType.DATE else "TIMESTAMP"
    text = column
    if not is_iso:
        text = (
            f"trim(regexp_replace({column}, "
            r"'^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})[日号]?[T\s]*', '\1-\2-\3 '))"
        )
    return TypedColumn(column, kind, sql_type, f"try_cast({text} AS {sql_type})", None, marks)


def _compact(column: str) -> str:
    return f"try_strptime({clean(column)}, '%Y%m%d')::DATE"


def chosen_type(
    connection: duckdb.DuckDBPyConnection, relation: str, column: str, kind: ColumnType
) -> TypedColumn:
    """Return the column in the type that a person chose; what does not fit becomes blank.

    `fits` of the answer tells those values, so that each can be listed.
    """
    if kind is ColumnType.TEXT:
        return TypedColumn(column, kind, "VARCHAR", clean(column))
    if kind in (ColumnType.DATE, ColumnType.DATETIME):
        plain = _moment(column, kind)
        expression = (
            f"CASE WHEN regexp_full_match({column}, '{_DATE}({_TIME})?') THEN {plain.expression}"
            f" WHEN regexp_full_match({column}, '{_COMPACT_DATE}') THEN {_compact(column)} END"
        )
        return replace(plain, expression=expression, fits=f"({expression}) IS NOT NULL")
    pattern = CHOSEN_INTEGER if kind is ColumnType.INTEGER else CHOSEN_NUMBER
    fits = f"regexp_full_match({column}, '{pattern}')"
    sizes = ", ".join(_sizes("bare"))
    row = connection.execute(
        f"SELECT {{{sizes}}} FROM (SELECT regexp_replace({column}, '[^0-9.]', '', 'g') AS bare"
        f" FROM {relation} WHERE {fits})"
    ).fetchone()
    counts = {name: size or 0 for name, size in (row[0] if row else {}).items()} | {"grouped": 1}
    if kind is ColumnType.INTEGER:
        typed = _number(column, kind, "BIGINT", None, (), counts)
    else:
        typed = _decimal(column, (), counts) or TypedColumn(
            column, kind, "DOUBLE", f"try_cast(replace({column}, ',', '') AS DOUBLE)"
        )
        bare = f"regexp_replace({column}, '[￥¥%％元]', '', 'g')"  # the person knows what it counts
        typed = replace(typed, expression=re.sub(rf"\b{column}\b", bare, typed.expression))
    expression = f"CASE WHEN {fits} THEN {typed.expression} END"
    return replace(typed, expression=expression, fits=f"({expression}) IS NOT NULL")


def _without_false_dates(
    connection: duckdb.DuckDBPyConnection, relation: str, typed: list[TypedColumn]
) -> list[TypedColumn]:
    """Make text again of columns where a value only looks like a date (30 February, hour 25)."""
    dates = [
        one for one in typed if one.type in (ColumnType.DATE, ColumnType.DATETIME) and not one.fits
    ]
    if not dates:
        return typed
    checks = ", ".join(
        f"count(*) FILTER (WHERE {clean(one.source)} NOT IN ({_MARKS}) AND {one.expression} IS NULL)"
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
