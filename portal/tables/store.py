"""A parsed table becomes a typed Parquet file in storage, and a TableInfo."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from portal.errors import Defect, Invalid
from portal.storage.base import Storage
from portal.tables.column_types import COLUMNS_A_QUERY, ColumnType, TypedColumn, infer_types
from portal.tables.header import FIELD_NAME, field_names
from portal.tables.info import Column, TableInfo
from portal.tables.parsed_table import ParsedTable
from portal.tables.row_notes import MAX_LISTED, RowNotes

EXACT_DISTINCT_ROWS = 200_000
MAX_KEYS = 2
MAX_KEY_LENGTH = 64
GROUP_ROWS = 61_440  # small enough that the first page is read at once, and memory stays low
MEMORY_LIMIT = "256MB"
NO_GROUPS = "FALSE"
# Kind of note, a test that costs little, and the one that counts.
BROKEN_TEXTS = (
    (
        "scientific",
        "contains({}, 'E+')",
        "regexp_full_match({}, '[-+]?[0-9]([.][0-9]+)?E[+][0-9]{{1,3}}')",
    ),
    (
        "mojibake",
        "contains({0}, '锟斤拷') OR contains({0}, '\ufffd')",
        "contains({0}, '锟斤拷') OR contains({0}, '\ufffd')",
    ),
)


def build_table(
    parsed: ParsedTable,
    storage: Storage,
    *,
    names: Mapping[str, str] | None = None,
    types: Mapping[str, ColumnType] | None = None,
) -> TableInfo:
    """Type the columns, keep the rows as Parquet (with `_id` 1 to n in file order), describe them.

    Args:
        names: field names that are given already (by the information items), by column name;
            the other columns get one made.
        types: that a person chose, by column name. A value that has not the type becomes blank
            and is noted with its row.

    Raises:
        Invalid: a given field name is malformed or doubled.
        StorageUnavailable: nothing was kept.
    """
    with tempfile.TemporaryDirectory(prefix="xiangyun-build-") as folder:
        connection = duckdb.connect(
            config={"memory_limit": MEMORY_LIMIT, "threads": 2, "temp_directory": folder}
        )
        try:
            return _build(connection, parsed, storage, names or {}, types or {}, Path(folder))
        finally:
            connection.close()


def _build(
    connection: duckdb.DuckDBPyConnection,
    parsed: ParsedTable,
    storage: Storage,
    given: Mapping[str, str],
    types: Mapping[str, ColumnType],
    folder: Path,
) -> TableInfo:
    source = connection.read_parquet(str(parsed.rows_path))
    source.create_view("source")
    notes = RowNotes(list(parsed.notes.listed), parsed.notes.counts.copy())
    groups = _group_rows(connection, parsed, notes)
    data = "source" if groups == NO_GROUPS else f"(SELECT * FROM source WHERE NOT ({groups}))"
    connection.execute(f"CREATE VIEW data AS SELECT * FROM {data}")
    typed = infer_types(connection, "data", parsed.names, parsed.row_count, types)
    _note_misfits(connection, parsed.names, typed, notes)
    _note_columns(connection, parsed, typed, notes)
    kept = [
        (name, one)
        for name, named, one in zip(parsed.names, parsed.named, typed, strict=True)
        if named or not one.all_blank
    ]
    columns = _columns(kept, given)
    path = folder / "table.parquet"
    selected = [one for _, one in kept]
    _write_parquet(connection, columns, selected, path, renumber=groups != NO_GROUPS)
    row_count, described = _describe(connection, path, columns)
    with path.open("rb") as file:
        stored = storage.put(file)
    return TableInfo(
        parquet_sha256=stored.sha256,
        parquet_bytes=stored.size_bytes,
        row_count=row_count,
        columns=described,
        encoding=parsed.encoding,
        encoding_confidence=parsed.encoding_confidence,
        delimiter=parsed.delimiter,
        sheet=parsed.sheet,
        sheets=tuple(parsed.sheets),
        key_fields=_keys(connection, described, row_count),
        notes=tuple(sorted(notes.listed, key=lambda note: note.row)),
        note_counts=dict(notes.counts),
        header_rows=parsed.header_rows,
        coordinates=parsed.coordinates,
    )


def _group_rows(connection: duckdb.DuckDBPyConnection, parsed: ParsedTable, notes: RowNotes) -> str:
    """Return SQL that tells headings between rows (北京市（92所）) from data; FALSE if none.

    A heading has text in the first cell only, in a first column that is otherwise all numbers.
    Anything less clear stays a row.
    """
    width = len(parsed.names)
    if width < 3 or parsed.are_records:
        return NO_GROUPS
    number = "regexp_full_match(trim(c0), '[0-9]{1,9}')"
    first = connection.execute(
        f"SELECT count(*) FILTER (WHERE {number}), count(*) FILTER (WHERE c0 <> '' AND NOT {number})"
        " FROM source"
    ).fetchone() or (0, 0)
    if not first[1] or first[0] < first[1]:
        return NO_GROUPS
    others = " AND ".join(f"coalesce(trim(c{number}), '') = ''" for number in range(1, width))
    heading = (
        f"(coalesce(trim(c0), '') <> '' AND {others} AND NOT regexp_matches(c0, '^\\s*[0-9]'))"
    )
    found = connection.execute(
        f"SELECT count(*) FILTER (WHERE {heading}),"
        f" count(*) FILTER (WHERE {number}),"
        f" count(*) FILTER (WHERE NOT {heading} AND coalesce(trim(c0), '') <> '' AND NOT {number})"
        " FROM source"
    ).fetchone() or (0, 0, 0)
    headings, numbers, others_filled = found
    if not headings or others_filled or numbers < headings:
        return NO_GROUPS
    rows = connection.execute(
        f"SELECT _row, c0 FROM source WHERE {heading} ORDER BY _id LIMIT {MAX_LISTED}"
    ).fetchall()
    for row, text in rows:
        notes.add(row, "group", [text])
    notes.add_uncounted("group", headings - len(rows))
    return heading


def _note_misfits(
    connection: duckdb.DuckDBPyConnection,
    names: Sequence[str],
    typed: Sequence[TypedColumn],
    notes: RowNotes,
) -> None:
    """List the values that have not the type that a person chose for their column."""
    for name, one in zip(names, typed, strict=True):
        if not one.fits:
            continue
        misfit = f"{one.source} <> '' AND NOT coalesce({one.fits}, false)"
        row = connection.execute(f"SELECT count(*) FROM data WHERE {misfit}").fetchone()
        count = row[0] if row else 0
        listed = connection.execute(
            f"SELECT _row, {one.source} FROM data WHERE {misfit} ORDER BY _id LIMIT {MAX_LISTED}"
        ).fetchall()
        for number, text in listed:
            notes.add(number, "misfit", [f"{name}：{text}"])
        notes.add_uncounted("misfit", count - len(listed))


def _note_columns(
    connection: duckdb.DuckDBPyConnection,
    parsed: ParsedTable,
    typed: Sequence[TypedColumn],
    notes: RowNotes,
) -> None:
    """List what was done to whole columns, and values that were broken before they came here."""
    for name, one in zip(parsed.names, typed, strict=True):
        if one.note:
            notes.add(max(parsed.header_rows, default=1), one.note, [name])
    texts = [one.source for one in typed if one.type is ColumnType.TEXT and not one.all_blank]
    for start in range(0, len(texts), COLUMNS_A_QUERY):
        part = [
            (column, kind, test.format(column), cheap.format(column))
            for column in texts[start : start + COLUMNS_A_QUERY]
            for kind, cheap, test in BROKEN_TEXTS
        ]
        any_of = ", ".join(f"bool_or({cheap})" for *_, cheap in part)
        found = connection.execute(f"SELECT {any_of} FROM data").fetchone() or ()
        for (column, kind, test, _), is_there in zip(part, found, strict=True):
            if is_there:
                _note_where(connection, column, kind, test, notes)


def _note_where(
    connection: duckdb.DuckDBPyConnection, column: str, kind: str, test: str, notes: RowNotes
) -> None:
    row = connection.execute(f"SELECT count(*) FROM data WHERE {test}").fetchone()
    listed = connection.execute(
        f"SELECT _row, {column} FROM data WHERE {test} ORDER BY _id LIMIT {MAX_LISTED}"
    ).fetchall()
    for number, text in listed:
        notes.add(number, kind, [text])
    notes.add_uncounted(kind, (row[0] if row else 0) - len(listed))


def _columns(kept: Sequence[tuple[str, TypedColumn]], given: Mapping[str, str]) -> list[Column]:
    names = [name for name, _ in kept]
    wanted = [given.get(name, "") for name in names]
    defects = [
        Defect(
            name,
            "field_name_invalid",
            "列“{name}”的字段名“{field_name}”不合规范：须为小写字母开头的字母、数字和下划线，不重复。",
            {"name": name, "field_name": one},
        )
        for name, one in zip(names, wanted, strict=True)
        if one and (not FIELD_NAME.fullmatch(one) or wanted.count(one) > 1)
    ]
    if defects:
        raise Invalid(defects)
    taken = [one for one in wanted if one]
    made = iter(
        field_names([*taken, *(n for n, one in zip(names, wanted, strict=True) if not one)])
    )
    for _ in taken:  # those given come first, so that the made ones keep clear of them
        next(made)
    return [
        Column(
            name=name,
            field_name=one or next(made),
            type=typed.type,
            sql_type=typed.sql_type,
            decimal_places=typed.decimal_places,
            blank_marks=typed.blank_marks,
        )
        for (name, typed), one in zip(kept, wanted, strict=True)
    ]


def _write_parquet(
    connection: duckdb.DuckDBPyConnection,
    columns: Sequence[Column],
    typed: Sequence[TypedColumn],
    path: Path,
    *,
    renumber: bool,
) -> None:
    selected = ", ".join(
        f'{one.expression} AS "{column.field_name}"'
        for column, one in zip(columns, typed, strict=True)
    )
    rows = f"SELECT _id, {selected} FROM data"
    if renumber:
        rows = f"SELECT row_number() OVER () AS _id, * EXCLUDE (_id) FROM ({rows} ORDER BY _id)"
    quoted = "'" + str(path).replace("'", "''") + "'"
    connection.execute(
        f"COPY ({rows}) TO {quoted} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP_ROWS})"
    )


def describe_parquet(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: Sequence[Column]
) -> tuple[int, tuple[Column, ...], tuple[str, ...]]:
    """Return row count, columns with their statistics, and key fields of a written table."""
    row_count, described = _describe(connection, path, columns)
    return row_count, described, _keys(connection, described, row_count)


def _describe(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: Sequence[Column]
) -> tuple[int, tuple[Column, ...]]:
    connection.read_parquet(str(path)).create_view("typed")
    row = connection.execute("SELECT count(*) FROM typed").fetchone()
    row_count = int(row[0]) if row else 0
    exact = row_count <= EXACT_DISTINCT_ROWS
    described: list[Column] = []
    for start in range(0, len(columns), COLUMNS_A_QUERY):
        part = columns[start : start + COLUMNS_A_QUERY]
        aggregates = ", ".join(_statistics(column, exact) for column in part)
        found = connection.execute(f"SELECT {aggregates} FROM typed").fetchone() or ()
        described += [
            _described(column, values, row_count, exact)
            for column, values in zip(part, found, strict=True)
        ]
    return row_count, tuple(described)


def _statistics(column: Column, exact: bool) -> str:
    name = f'"{column.field_name}"'
    distinct = f"count(DISTINCT {name})" if exact else f"approx_count_distinct({name})"
    longest = f"max(length({name}))" if column.type is ColumnType.TEXT else "NULL"
    return (
        f"{{'filled': count({name}), 'distinct': {distinct}, 'longest': {longest},"
        f" 'least': min({name})::VARCHAR, 'most': max({name})::VARCHAR}}"
    )


def _described(column: Column, values: dict[str, Any], row_count: int, exact: bool) -> Column:
    return replace(
        column,
        blank_count=row_count - values["filled"],
        distinct_count=min(values["distinct"], values["filled"]),
        distinct_exact=exact,
        minimum=_short(column, values["least"]),
        maximum=_short(column, values["most"]),
        max_length=values["longest"],
    )


def _short(column: Column, text: str | None) -> str | None:
    if text is None:
        return None
    if column.type is ColumnType.NUMBER and column.decimal_places is None and "." in text:
        return text.rstrip("0").rstrip(".")
    return text[:200]


def _keys(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[Column], row_count: int
) -> tuple[str, ...]:
    """Return the first columns that are keys: no blank, no repetition, counted exactly."""
    likely = [
        column.field_name
        for column in columns
        if column.type in (ColumnType.TEXT, ColumnType.INTEGER)
        and column.blank_count == 0
        and (column.max_length or 0) <= MAX_KEY_LENGTH
        and column.distinct_count >= row_count * (1.0 if column.distinct_exact else 0.9)
    ][:MAX_KEYS]
    if not likely or row_count <= EXACT_DISTINCT_ROWS:
        return tuple(likely)
    counts = ", ".join(f'count(DISTINCT "{name}")' for name in likely)
    counted = connection.execute(f"SELECT {counts} FROM typed").fetchone()
    return tuple(
        name for name, count in zip(likely, counted or (), strict=True) if count == row_count
    )
