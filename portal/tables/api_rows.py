"""The rows of a table that is written through the API, while they are changed: on disk, not in memory.

The lasting form is a file of JSON lines, one row a line, every column in each. The next form is made
from the last one and the change; it is delivered whole or not at all.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import orjson

from portal.errors import Defect, Invalid
from portal.tables.api_fields import ApiTable, Digits, check_record, comparable, kept_value

LONGEST_ROW = 60_000  # bytes: what the reader of files looks at to tell how a file is built
INSERT, UPSERT, UPDATE = "insert", "upsert", "update"


class ApiRows:
    """A context manager; owns a temporary database."""

    def __init__(self, table: ApiTable) -> None:
        self._table = table
        self._names = [one.id for one in table.fields]
        self._folder = tempfile.TemporaryDirectory(prefix="xiangyun-rows-")
        self._rows = sqlite3.connect(Path(self._folder.name) / "rows.db", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
            self._rows.execute(f"PRAGMA {pragma}")
        self._rows.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY, key TEXT UNIQUE, row BLOB)")
        self._rows.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._rows.close()
        self._folder.cleanup()

    @property
    def count(self) -> int:
        return int(self._rows.execute("SELECT count(*) FROM rows").fetchone()[0])

    def load(self, path: Path) -> None:
        """Take the rows of the last form.

        Raises:
            Invalid: two of them have the key that the table has now.
        """
        try:
            self._rows.executemany(
                "INSERT INTO rows (key, row) VALUES (?, ?)", self._kept_rows(path)
            )
        except sqlite3.IntegrityError:
            raise Invalid.one(
                "primary_key",
                "repeated",
                "现有的行里“{key}”有重复，不能作为主键。",
                key="、".join(self._table.primary_key),
            ) from None

    def _kept_rows(self, path: Path) -> Iterator[tuple[str | None, bytes]]:
        with path.open("rb") as file:
            for line in file:
                row = _values(line)
                yield self._key(row), self._line(row)

    def _key(self, row: Mapping[str, Any]) -> str | None:
        if not self._table.primary_key:
            return None
        types = self._table.types
        values = [comparable(types[k], row.get(k)) for k in self._table.primary_key]
        return orjson.dumps(values).decode()

    def write(self, records: Sequence[Any], method: str) -> None:
        """Insert records, or change the rows with their key; a key that is not sent stays as it is.

        Raises:
            Invalid: a value of the wrong type, a key that is missing, taken, or (`update`) unknown.
        """
        if method != INSERT and not self._table.primary_key:
            raise Invalid.one(
                "primary_key",
                "missing",
                "表格没有主键（primary_key），只能用 method=insert 添加行。",
            )
        for number, record in enumerate(records):
            values = check_record(self._table, record, number)
            self._write_one(values, number, method)

    def _write_one(self, values: dict[str, Any], number: int, method: str) -> None:
        missing = [k for k in self._table.primary_key if values.get(k) is None]
        if missing:
            raise _key_error(number, missing, "第 {row} 条记录缺少主键“{key}”。")
        key = self._key(values)
        known = None
        if key is not None:
            known = self._rows.execute("SELECT n, row FROM rows WHERE key = ?", (key,)).fetchone()
        if known is None:
            if method == UPDATE:
                raise _key_error(
                    number, self._table.primary_key, "第 {row} 条记录：没有主键为“{key}”的行。"
                )
            self._rows.execute(
                "INSERT INTO rows (key, row) VALUES (?, ?)", (key, self._line(values))
            )
        elif method == INSERT:
            raise _key_error(
                number, self._table.primary_key, "第 {row} 条记录：主键“{key}”已经存在。"
            )
        else:
            row = {**_values(known[1]), **values}
            self._rows.execute("UPDATE rows SET row = ? WHERE n = ?", (self._line(row), known[0]))

    def _line(self, values: Mapping[str, Any]) -> bytes:
        """Return the row as a line; every column stands in it, numbers by their digits."""
        parts = [orjson.dumps(name) + b":" + _json(values.get(name)) for name in self._names]
        line = b"{" + b",".join(parts) + b"}"
        if len(line) > LONGEST_ROW:
            raise Invalid.one(
                "records", "long", "一行最多 {most} 字节；长文请作为文件上传。", most=LONGEST_ROW
            )
        return line

    def delete(self, filters: Mapping[str, Any]) -> int:
        """Take the rows away that fit all filters ({column: value or list of values}); return how many.

        Raises:
            Invalid: a column that there is not, or a value that has not its type.
        """
        wanted = {name: self._wanted(name, value) for name, value in filters.items()}
        ids = wanted.pop("_id", None)
        kept = self._rows.execute("SELECT n, row FROM rows ORDER BY n")
        gone = [
            (n,)
            for place, (n, row) in enumerate(kept, start=1)
            if (ids is None or place in ids) and self._fits(row, wanted)
        ]
        self._rows.executemany("DELETE FROM rows WHERE n = ?", gone)
        return len(gone)

    def _fits(self, row: bytes, wanted: Mapping[str, list[Any]]) -> bool:
        if not wanted:
            return True
        values, types = _values(row), self._table.types
        return all(comparable(types[k], values.get(k)) in found for k, found in wanted.items())

    def _wanted(self, name: str, value: Any) -> list[Any]:
        values = value if isinstance(value, list) else [value]
        try:
            if name == "_id":
                return [int(one) for one in values]
            kind = self._table.types[name]
            return [comparable(kind, kept_value(kind, one)) for one in values]
        except KeyError:
            raise Invalid.one(
                "filters", "unknown", "没有列“{name}”。", name=str(name)[:80]
            ) from None
        except (ValueError, ArithmeticError, TypeError):
            raise Invalid.one(
                "filters", "value", "筛选条件“{name}”的值不合该列的类型。", name=str(name)[:80]
            ) from None

    def save(self, target: BinaryIO) -> None:
        """Write the rows as JSON lines, in the order in which they came."""
        for (row,) in self._rows.execute("SELECT row FROM rows ORDER BY n"):
            target.write(row + b"\n")


def _values(line: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line, parse_float=Digits)
    return found


def _json(value: Any) -> bytes:
    return value.encode() if isinstance(value, Digits) else orjson.dumps(value)


def _key_error(number: int, names: Iterable[str], text: str) -> Invalid:
    params = {"row": number + 1, "key": "、".join(names)}
    return Invalid([Defect(f"records.{number}", "key", text, params)])
