"""Rows that are changed through the API: what may stand in them, and how the next file comes about."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from portal.errors import Invalid
from portal.tables.api_fields import ApiTable, guessed_fields, read_fields
from portal.tables.api_rows import INSERT, ApiRows

FIELDS = [
    {"id": "编号", "type": "text"},
    {"id": "Name", "type": "text"},
    {"id": "amount", "type": "numeric"},
    {"id": "count", "type": "int"},
    {"id": "day", "type": "date"},
    {"id": "moment", "type": "timestamp"},
    {"id": "open", "type": "bool"},
    {"id": "more", "type": "json"},
]
TABLE = ApiTable(read_fields(FIELDS), ("编号",))
ROWS = [
    {"编号": "001084", "Name": "人民广场", "amount": 1.5, "count": 3, "day": "2026-01-02", "open": True},
    {"编号": "001085", "Name": "桂林路", "amount": "12345678901.10", "count": None, "open": False},
]  # fmt: skip


@pytest.fixture
def rows() -> Iterator[ApiRows]:
    with ApiRows(TABLE) as opened:
        opened.write(ROWS, INSERT)
        yield opened


def lines(rows: ApiRows) -> list[bytes]:
    target = io.BytesIO()
    rows.save(target)
    return target.getvalue().splitlines()


def test_a_line_holds_every_column_and_the_digits_as_they_came(rows: ApiRows) -> None:
    second = lines(rows)[1]
    assert list(orjson.loads(second)) == [one["id"] for one in FIELDS]
    assert b'"amount":12345678901.10,' in second
    assert b'"open":"false"' in second


def test_rows_go_through_the_file_unchanged(rows: ApiRows, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join(lines(rows)) + b"\n")
    wider = ApiTable((*TABLE.fields, *read_fields([{"id": "new"}])), TABLE.primary_key)
    with ApiRows(wider) as again:
        again.load(path)
        again.write([{"编号": "001085", "new": "x"}], "upsert")
        found = lines(again)
    assert found[0] == lines(rows)[0][:-1] + b',"new":null}'
    assert found[1] == lines(rows)[1][:-1] + b',"new":"x"}'
    path.write_bytes(lines(rows)[0] + b"\n" + lines(rows)[0] + b"\n")
    with ApiRows(ApiTable(TABLE.fields, ("day",))) as other, pytest.raises(Invalid):
        other.load(path)


@pytest.mark.parametrize(
    ("method", "record", "field"),
    [
        ("upsert", {"编号": "1", "nope": 1}, "records.1.nope"),
        ("upsert", {"编号": "1", "count": "many"}, "records.1.count"),
        ("upsert", {"编号": "1", "count": 1.5}, "records.1.count"),
        ("upsert", {"编号": "1", "count": 2**70}, "records.1.count"),
        ("upsert", {"编号": "1", "amount": "1e400"}, "records.1.amount"),
        ("upsert", {"编号": "1", "amount": "0.12345678901234567"}, "records.1.amount"),
        ("upsert", {"编号": "1", "amount": True}, "records.1.amount"),
        ("upsert", {"编号": "1", "day": "2026-02-30"}, "records.1.day"),
        ("upsert", {"编号": "1", "open": "perhaps"}, "records.1.open"),
        ("upsert", {"Name": "ohne"}, "records.1"),
        ("insert", {"编号": "001084"}, "records.1"),
        ("update", {"编号": "nobody"}, "records.1"),
        ("upsert", "a text", "records.1"),
    ],
)
def test_one_bad_record_is_named(rows: ApiRows, method: str, record: Any, field: str) -> None:
    good = {"编号": "001084", "count": 77} if method != "insert" else {"编号": "new"}
    with pytest.raises(Invalid) as found:
        rows.write([good, record], method)
    assert [defect.field for defect in found.value.defects] == [field]


@pytest.mark.parametrize(
    ("column", "value", "kept"),
    [
        ("count", "12", b"12"),
        ("count", 3.0, b"3"),
        ("amount", 1e-7, b"0.0000001"),
        ("amount", 0.1234567890123456, b"0.123456789012346"),
        ("amount", -20, b"-20"),
        ("amount", "", b"null"),
        ("day", "2026-01-02T00:00:00", b'"2026-01-02"'),
        ("moment", "2026-01-02T03:04:05.5", b'"2026-01-02 03:04:05.500000"'),
        ("open", "t", b'"true"'),
        ("more", {"a": [1]}, b'"{\\"a\\":[1]}"'),
        ("Name", 5, b'"5"'),
        ("Name", {"a": 1}, b'"{\\"a\\":1}"'),
    ],
)
def test_how_a_value_is_kept(rows: ApiRows, column: str, value: Any, kept: bytes) -> None:
    rows.write([{"编号": "3", column: value}], INSERT)
    assert b'"' + column.encode() + b'":' + kept in lines(rows)[2]


@pytest.mark.parametrize(
    ("column", "value"),
    [("moment", "2026-01-02T03:04:05+08:00"), ("more", "{bad"), ("count", "0x1F"), ("count", "1_000"),
     ("amount", "NaN"), ("amount", "1_0"), ("amount", 10**15), ("Name", "x" * 70_000)],
)  # fmt: skip
def test_what_is_refused_beside(rows: ApiRows, column: str, value: Any) -> None:
    with pytest.raises(Invalid):
        rows.write([{"编号": "3", column: value}], INSERT)


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({"编号": "001084"}, ["001085"]),
        ({"编号": ["001084", "001085"], "open": True}, ["001085"]),
        ({"amount": "12345678901.1000"}, ["001084"]),
        ({"count": None}, ["001084"]),
        ({"_id": 2}, ["001084"]),
        ({"Name": "nobody"}, ["001084", "001085"]),
    ],
)
def test_rows_are_deleted_by_filters(rows: ApiRows, filters: Any, left: list[str]) -> None:
    assert rows.delete(filters) == 2 - len(left)
    assert [orjson.loads(line)["编号"] for line in lines(rows)] == left


@pytest.mark.parametrize("filters", [{"nope": 1}, {"count": "many"}, {"_id": "x"}, {"_id": None}])
def test_filters_that_cannot_be(rows: ApiRows, filters: Any) -> None:
    with pytest.raises(Invalid):
        rows.delete(filters)


@pytest.mark.parametrize(
    "fields",
    [
        [{"id": "_x"}], [{"id": " a"}], [{"id": 'a"b'}], [{"id": "a"}, {"id": "a"}], ["a"],
        [{"id": "a", "type": "geometry"}], [{"id": "x" * 63}], [{"id": "a"}] * 501,
    ],
)  # fmt: skip
def test_columns_that_cannot_be(fields: Any) -> None:
    with pytest.raises(Invalid):
        read_fields(fields)


def test_columns_that_nobody_described() -> None:
    record = {"编号": "1", "n": 1, "x": 1.5, "b": True, "j": [1], "t": "a", "_id": 4}
    found = guessed_fields(record, TABLE.fields)
    assert {one["id"]: one["type"] for one in found} == {
        "n": "int8", "x": "numeric", "b": "bool", "j": "json", "t": "text",
    }  # fmt: skip
