"""What an upstream service would answer, out of the sandbox's table: no service is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from extensions.access.services.gate import Admission
from portal.errors import Invalid
from portal.tables.column_types import ColumnType
from portal.tables.query import Filter, TableQuery
from portal.web.context import platform

MOST_ROWS = 20


def made_up_rows(admission: Admission, values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return rows that fit what was asked; `values` by the names of the declared parameters.

    A parameter that is named like an item is taken as its value. Nobody can guess what stands in
    invented rows, so where nothing fits, one row gets the texts that were asked for.
    """
    known = {column.field_name: column.type for column in admission.table.columns}
    asked = {name: value for name, value in values.items() if name in known and value}
    filters = tuple(Filter(name, "eq", value) for name, value in asked.items())
    tables = platform().tables
    try:
        found = tables.run(admission.table, TableQuery(filters=filters, limit=MOST_ROWS)).rows
    except Invalid:  # no number, no date: a service finds nothing by it
        return []
    if found:
        return found
    first = tables.run(admission.table, TableQuery(limit=1)).rows
    texts = {name: value for name, value in asked.items() if known[name] is ColumnType.TEXT}
    return [{**row, **texts} for row in first]
