"""The engine masks as Python does, whatever the value."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import orjson
import pytest

from extensions.access.masking import mask_rows
from extensions.access.masking_sql import masked_values
from portal.tables.column_types import ColumnType
from portal.tables.export_sql import json_object
from portal.tables.info import Column

TEXTS = [
    "220102199001011234", "13912345678", "张三丰", "欧阳", "王", "", "12345", "123456", "1234567",
    "1234", "𠮷野家的人", "a\"b\\c'd\n", "2024-03-05", "20240305", "2024", "2024-3-5", "é", None,
]  # fmt: skip
COLUMNS: dict[ColumnType, tuple[str, list[Any]]] = {
    ColumnType.TEXT: ("VARCHAR", TEXTS),
    ColumnType.INTEGER: ("BIGINT", [0, 7, -12, 13912345678, 2**60, None]),
    ColumnType.NUMBER: ("DECIMAL(18,2)", [Decimal("0.00"), Decimal("-3.50"), Decimal("139123.45")]),
    ColumnType.DATE: ("DATE", [date(2024, 3, 5), date(1949, 10, 1), None]),
    ColumnType.DATETIME: ("TIMESTAMP", [datetime(2024, 3, 5, 8, 30), datetime(1999, 12, 31)]),
}
RULES = ("mask_id", "mask_phone", "mask_name", "generalise_date", "drop", "no_such_rule")


@pytest.mark.parametrize("kind", COLUMNS)
def test_every_rule_hides_the_same_as_in_a_page(kind: ColumnType) -> None:
    sql_type, values = COLUMNS[kind]
    places = 2 if kind is ColumnType.NUMBER else None
    column = Column("值", "value", kind, sql_type, places)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE rows (n INTEGER, value {sql_type})")
        connection.executemany("INSERT INTO rows VALUES (?, ?)", list(enumerate(values)))
        for rule in RULES:
            select = json_object((column,), masked_values((column,), {"value": rule}))
            found = connection.execute(f"SELECT {select} FROM rows ORDER BY n").fetchall()
            expected = mask_rows([{"value": value} for value in values], {"value": rule})
            assert [orjson.loads(line) for (line,) in found] == expected, rule
