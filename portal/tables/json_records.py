"""Records of JSON, NDJSON and GeoJSON as a table of texts, each number as it was written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from portal.errors import Invalid
from portal.tables.encoding import decoded
from portal.tables.geojson import feature_record, features_of, is_topology, named_system
from portal.tables.header import unique_names
from portal.tables.json_text import Written, parse, written
from portal.tables.limits import MIB, ReadLimits
from portal.tables.parsed_table import ParsedTable, RowsWriter, batched, storable

LINES = (".jsonl", ".ndjson")  # a name that says so is believed of a single record too
SUFFIXES = (".json", ".jsonl", ".ndjson", ".geojson")
LOOK_CHARACTERS = 65_536
DEEPEST = 4  # levels of objects in which an array of records is looked for, or that are flattened
BATCH_CELLS = 40_000
NAME_KEY = "键"  # the column of the names, where records are the values of one object

Record = Mapping[str, Any]


def looks_like_json(start: str, filename: str) -> bool:
    """Tell by the first characters; a name that says JSON is believed only if they agree."""
    if start[:1] not in ("{", "["):
        return False
    if filename.lower().endswith(SUFFIXES):
        return True
    first = start.split("\n", 1)[0]
    return start[1:].lstrip()[:1] in ('"', "{", "[", "") and (
        first.rstrip()[-1:] in ("{", "[", "}", "]", ",") or len(first) >= LOOK_CHARACTERS
    )


def check_named(start: str, filename: str) -> None:
    """Refuse a file that is named JSON and holds one single value.

    Raises:
        Invalid: with the value.
    """
    if not filename.lower().endswith(SUFFIXES):
        return
    start = start.strip()
    try:
        json.loads(start)
    except (ValueError, RecursionError):
        return
    raise Invalid.one(
        "file",
        "no_records",
        "JSON 里只有一个值（{value}），不是由记录组成的数组，不能作为表格读取。"
        "请改为 [{{…}}, {{…}}] 的形式。",
        value=start[:40],
    )


def read_json(path: Path, filename: str, encoding: str, limits: ReadLimits) -> ParsedTable:
    """Read a file of records.

    Raises:
        Invalid: broken JSON (with its line), no records in it, or too large to be held.
    """
    table = ParsedTable(encoding=encoding, are_records=True)
    if _is_lines(path, encoding, least=1 if filename.lower().endswith(LINES) else 2):
        return _table(table, lambda: _lines(path, encoding, table), limits)
    size = path.stat().st_size
    if size > limits.json_bytes:
        raise Invalid.one(
            "file",
            "too_large",
            "JSON 文件过大：{found} MB，最多 {allowed} MB。请改为每行一条记录的 NDJSON，或 CSV。",
            found=size // MIB,
            allowed=limits.json_bytes // MIB,
        )
    value = _parse("".join(_texts(path, encoding)))
    features = features_of(value)
    if features is not None:
        table.coordinates = named_system(value)
        return _table(table, lambda: _features(features, table), limits)
    records = _records(value)
    return _table(table, lambda: enumerate(map(_flat, records), start=1), limits)


def _features(features: Sequence[Any], table: ParsedTable) -> Iterator[tuple[int, Record]]:
    for number, feature in enumerate(features, start=1):
        record = feature_record(feature)
        if record:
            yield number, _flat(record)
        else:
            table.notes.add(number, "bad_record", [written(feature)])


def text_start(path: Path, encoding: str) -> str:
    """Return the first characters, without spaces before them. Raises Invalid: not this encoding."""
    return next(_texts(path, encoding), "").lstrip()[:LOOK_CHARACTERS]


def _texts(path: Path, encoding: str) -> Iterator[str]:
    with path.open("rb") as file:
        try:
            yield from decoded(file, encoding)
        except UnicodeDecodeError:
            raise Invalid.one(
                "file",
                "wrong_encoding",
                "文件里有不属于 {encoding} 编码的字节。请换一种编码重新上传，或另存为 UTF-8。",
                encoding=encoding.upper(),
            ) from None


def _is_lines(path: Path, encoding: str, *, least: int) -> bool:
    """Tell whether each of the first lines is a JSON object by itself, and there are enough."""
    lines = (line for line in _split_lines(_texts(path, encoding)) if line.strip())
    try:
        found = [json.loads(line) for line in islice(lines, 2)]
    except (ValueError, RecursionError):
        return False
    return len(found) >= least and all(isinstance(one, dict) for one in found)


def _lines(path: Path, encoding: str, table: ParsedTable) -> Iterator[tuple[int, Record]]:
    for row, line in enumerate(_split_lines(_texts(path, encoding)), start=1):
        yield from _line(row, line, table)


def _split_lines(texts: Iterable[str]) -> Iterator[str]:
    """Yield the lines; a line of many pieces is put together once."""
    held: list[str] = []
    for text in texts:
        first, *more = text.split("\n")
        held.append(first)
        for line in more:
            yield "".join(held)
            held = [line]
    yield "".join(held)


def _line(row: int, line: str, table: ParsedTable) -> Iterator[tuple[int, Record]]:
    if not line.strip():
        return
    try:
        value = parse(line)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        yield row, _flat(feature_record(value) if value.get("type") == "Feature" else value)
    else:
        table.notes.add(row, "bad_record", [line])


def _parse(text: str) -> Any:
    try:
        return parse(text)
    except json.JSONDecodeError as error:
        raise Invalid.one(
            f"第 {error.lineno} 行",
            "bad_json",
            "JSON 在第 {row} 行第 {column} 个字符处写错了，无法读取。请检查引号、逗号和括号后重新上传。",
            row=error.lineno,
            column=error.colno,
        ) from None
    except RecursionError:
        raise _no_records() from None


def _records(value: Any) -> list[Record]:
    """Return the longest array of records, or the records that are the values of one object.

    Raises:
        Invalid: there is none.
    """
    if is_topology(value):
        raise Invalid.one(
            "file",
            "topojson",
            "文件是 TopoJSON，不能作为表格读取。请用地图软件另存为 GeoJSON 后重新上传。",
        )
    arrays = [found for found in _arrays(value, DEEPEST) if _are_records(found[0])]
    if arrays:
        longest, beside = max(arrays, key=_weight)
        return _of_lists(longest, beside) if isinstance(longest[0], list) else longest
    if isinstance(value, dict) and len(value) > 1:
        if _are_alike(list(value.values())):
            return [{NAME_KEY: name, **one} for name, one in value.items()]
        if not any(isinstance(one, dict | list) for one in value.values()) and len(value) > 3:
            return [{NAME_KEY: name, "值": one} for name, one in value.items()]
    raise _no_records()


def _no_records() -> Invalid:
    return Invalid.one(
        "file",
        "no_records",
        "JSON 里没有由记录组成的数组，不能作为表格读取。公众仍可下载原文件；"
        "要能预览和查询，请改为 [{…}, {…}] 的形式。",
    )


def texts_beside(path: Path, encoding: str) -> Iterator[str]:
    """Yield the values that stand in a document and not in the records read from it."""
    if _is_lines(path, encoding, least=2):
        return
    value = _parse("".join(_texts(path, encoding)))
    if isinstance(value, dict) and isinstance(value.get("features"), list):
        yield from _values(value, value["features"])
        return
    arrays = [found for found in _arrays(value, DEEPEST) if _are_records(found[0])]
    if arrays:
        yield from _values(value, max(arrays, key=_weight)[0])


def _values(value: Any, without: list[Any]) -> Iterator[str]:
    open_ones = [value]
    while open_ones:
        one = open_ones.pop()
        if one is without:
            continue
        if isinstance(one, dict):
            open_ones.extend(one.values())
        elif isinstance(one, list):
            open_ones.extend(one)
        elif isinstance(one, str):
            yield one


def _weight(found: tuple[list[Any], Mapping[str, Any]]) -> tuple[bool, int]:
    """Rows with their names beside them count before the objects that name the columns."""
    rows, beside = found
    are_rows = isinstance(rows[0], list) and _names_beside(beside, max(map(len, rows))) is not None
    return are_rows, len(rows)


def _arrays(
    value: Any, depth: int, beside: Mapping[str, Any] | None = None
) -> Iterator[tuple[list[Any], Mapping[str, Any]]]:
    """Yield every array with the object that it is a member of."""
    if isinstance(value, list):
        yield value, beside or {}
    elif isinstance(value, dict) and depth:
        for one in value.values():
            yield from _arrays(one, depth - 1, value)


def _are_records(found: list[Any]) -> bool:
    return bool(found) and (
        all(isinstance(one, dict) for one in found)
        or (len(found) > 1 and all(isinstance(one, list) and one for one in found))
    )


def _are_alike(values: list[Any]) -> bool:
    """Tell whether objects are records of one kind: on average they have half of all names."""
    if not all(isinstance(one, dict) and one for one in values):
        return False
    names = {name for one in values for name in one}
    return sum(map(len, values)) * 2 >= len(names) * len(values)


def _of_lists(rows: list[list[Any]], beside: Mapping[str, Any]) -> list[Record]:
    """Return rows as records; the names stand beside them, or in the first row, or nowhere."""
    width = max(map(len, rows))
    given = _names_beside(beside, width)
    if (
        given is None
        and all(isinstance(cell, str) for cell in rows[0])
        and not any(isinstance(cell, Written) for cell in rows[0])
    ):
        given, rows = [_text(cell) or "" for cell in rows[0]], rows[1:]
    names = unique_names(given or [])
    names += [f"列{number}" for number in range(len(names) + 1, width + 1)]
    return [dict(zip(names, row, strict=False)) for row in rows]


def _names_beside(beside: Mapping[str, Any], width: int) -> list[str] | None:
    """Return the names of columns that stand in an array of their own: as texts, or as objects."""
    for one in beside.values():
        if not isinstance(one, list) or len(one) != width:
            continue
        found = [_name_of(cell) for cell in one]
        if all(found):
            return [name for name in found if name]
    return None


def _name_of(cell: Any) -> str | None:
    if isinstance(cell, dict):
        cell = next(
            (cell[key] for key in ("title", "label", "name", "id", "field") if key in cell), None
        )
    return (
        cell if isinstance(cell, str) and not isinstance(cell, Written) and cell.strip() else None
    )


def _flat(record: Record, before: str = "", depth: int = DEEPEST) -> dict[str, str | None]:
    flat: dict[str, str | None] = {}
    for name, value in record.items():
        if isinstance(value, dict) and value and depth > 1:
            flat |= _flat(value, f"{before}{name}.", depth - 1)
        else:
            flat[f"{before}{name}"] = _text(value)
    return flat


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return written(value)


def _table(table: ParsedTable, records: Any, limits: ReadLimits) -> ParsedTable:
    """Write the records; the columns are the names of all of them, in order of appearance."""
    columns: dict[str, None] = {}
    for _, record in records():
        columns.update(dict.fromkeys(record))
        if len(columns) > limits.columns:
            raise Invalid.one(
                "file",
                "too_many_columns",
                "记录里的字段名共有 {found} 个以上，最多 {allowed} 个，不像一张表格。",
                found=limits.columns,
                allowed=limits.columns,
            )
    if not columns:
        raise Invalid.one("file", "no_rows", "文件里没有任何记录。请填写数据后重新上传。")
    table.notes.restore(type(table.notes)())  # what the first pass noted is noted again
    keys = list(columns)
    table.names, table.named = unique_names(keys), [bool(key.strip()) for key in keys]
    table.open()
    try:
        _write(table, keys, records())
    except BaseException:
        table.close()
        raise
    return table


def _write(table: ParsedTable, keys: Sequence[str], records: Iterable[tuple[int, Any]]) -> None:
    writer = RowsWriter(table)
    try:
        for batch in batched(records, BATCH_CELLS // len(keys), _size):
            columns = [storable([one.get(key) for _, one in batch]) for key in keys]
            writer.write(pa.array([row for row, _ in batch], pa.int64()), columns)
    finally:
        writer.close()


def _size(record: tuple[int, Mapping[str, str | None]]) -> int:
    return sum(len(text) for text in record[1].values() if text)
