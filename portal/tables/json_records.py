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
from portal.tables.geojson import feature_record, is_collection, named_system
from portal.tables.header import unique_names
from portal.tables.limits import MIB, ReadLimits
from portal.tables.parsed_table import ParsedTable, RowsWriter

LINES = (".jsonl", ".ndjson")  # a name that says so is believed of a single record too
SUFFIXES = (".json", ".jsonl", ".ndjson", ".geojson")
LOOK_CHARACTERS = 65_536
DEEPEST = 4  # levels of objects in which an array of records is looked for, or that are flattened
BATCH_CELLS = 40_000
NAME_KEY = "键"  # the column of the names, where records are the values of one object

Record = Mapping[str, Any]


def looks_like_json(path: Path, encoding: str, filename: str) -> bool:
    """Tell by the first characters; a name that says JSON is believed only if they agree."""
    start = _text_start(path, encoding)
    if start[:1] not in ("{", "["):
        return False
    if filename.lower().endswith(SUFFIXES):
        return True
    first = start.split("\n", 1)[0]
    return start[1:].lstrip()[:1] in ('"', "{", "[", "") and (
        first.rstrip()[-1:] in ("{", "[", "}", "]", ",") or len(first) >= LOOK_CHARACTERS
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
    if is_collection(value):
        table.coordinates = named_system(value)
        records: list[Record] = [feature_record(one) for one in value["features"]]
    else:
        records = _records(value)
    return _table(table, lambda: enumerate(map(_flat, records), start=1), limits)


def _text_start(path: Path, encoding: str) -> str:
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
    lines = [line for line in _text_start(path, encoding).split("\n")[:3] if line.strip()]
    if len(lines) < least:
        return False
    try:
        return all(isinstance(json.loads(line), dict) for line in lines[:2])
    except ValueError:
        return False


def _lines(path: Path, encoding: str, table: ParsedTable) -> Iterator[tuple[int, Record]]:
    row, rest = 0, ""
    for text in _texts(path, encoding):
        lines = (rest + text).split("\n")
        rest = lines.pop()
        for line in lines:
            row += 1
            yield from _line(row, line, table)
    yield from _line(row + 1, rest, table)


def _line(row: int, line: str, table: ParsedTable) -> Iterator[tuple[int, Record]]:
    if not line.strip():
        return
    try:
        value = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        yield row, _flat(feature_record(value) if value.get("type") == "Feature" else value)
    else:
        table.notes.add(row, "bad_record", [line])


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
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
    arrays = [found for found in _arrays(value, DEEPEST) if _are_records(found)]
    if arrays:
        longest = max(arrays, key=len)
        return _of_lists(longest) if isinstance(longest[0], list) else longest
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


def _arrays(value: Any, depth: int) -> Iterator[list[Any]]:
    if isinstance(value, list):
        yield value
    elif isinstance(value, dict) and depth:
        for one in value.values():
            yield from _arrays(one, depth - 1)


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


def _of_lists(rows: list[list[Any]]) -> list[Record]:
    """The first list holds the names."""
    names = unique_names([_text(cell) or "" for cell in rows[0]])
    width = max(map(len, rows))
    names += [f"列{number}" for number in range(len(names) + 1, width + 1)]
    return [dict(zip(names, row, strict=False)) for row in rows[1:]]


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
    return json.dumps(value, ensure_ascii=False)


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
    batch_rows = max(1, BATCH_CELLS // len(keys))
    rows = iter(records)
    try:
        while batch := list(islice(rows, batch_rows)):
            columns = [pa.array([one.get(key) for _, one in batch], pa.string()) for key in keys]
            writer.write(pa.array([row for row, _ in batch], pa.int64()), columns)
    finally:
        writer.close()
