"""What a grant's holder may ask: the granted fields with types, operators and caps."""

from __future__ import annotations

from typing import Any

from extensions.access.api.aggregate import (
    MAX_GROUP_FIELDS,
    MAX_GROUPS,
    SMALLEST_GROUP,
    measures_of,
)
from extensions.access.api.answers import field_of
from extensions.access.api.forms import FORMATS
from extensions.access.api.parameters import BEGINS, DEFAULT_LIMIT, MAX_LIMIT, QUERY_SECONDS
from extensions.access.api.row_answers import MAX_ROWS_A_DAY, MAX_STREAM_ROWS
from extensions.access.api.streams import MAX_STREAMS
from extensions.access.masking import is_masked
from extensions.access.quota import windows_of
from extensions.access.services.gate import Admission
from portal.tables.column_types import ColumnType
from portal.tables.query import MAX_FILTERS, MAX_SORTS, TableQuery
from portal.web.context import platform

COMPARING = ("eq", "ne", "lt", "le", "gt", "ge", "in", "is_blank")
TEXT_ONLY = ("contains", BEGINS)


def schema_of(admission: Admission) -> dict[str, Any]:
    """Return the description as plain values."""
    allowance = admission.allowance
    limits = {window.name: window.limit for window in windows_of(allowance)}
    if allowance.quota_term:
        limits["term"] = allowance.quota_term
    updated = admission.entry.data_modified_at
    return {
        "code": admission.interface.api_code,
        "title": admission.interface.name,
        "row_count": row_count(admission),
        "updated": updated.isoformat(timespec="seconds") if updated else None,
        "fields": [_field(admission, name) for name in admission.items],
        "formats": list(FORMATS),
        "sandbox": admission.is_sandbox,
        "caps": {
            "default_limit": DEFAULT_LIMIT,
            "max_limit": MAX_LIMIT,
            "max_stream_rows": MAX_STREAM_ROWS,
            "max_streams": MAX_STREAMS,
            "max_rows_a_day": MAX_ROWS_A_DAY,
            "max_filters": MAX_FILTERS - len(admission.row_filters),
            "max_sorts": MAX_SORTS,
            "max_group_fields": MAX_GROUP_FIELDS,
            "max_groups": MAX_GROUPS,
            "smallest_group": SMALLEST_GROUP if admission.is_guarded else 1,
        },
        "quota": limits,
    }


def row_count(admission: Admission) -> int:
    """Return how many rows the grant covers; 0 where a service answers, which nobody counts."""
    if admission.upstream is not None:
        return 0
    if not admission.row_filters:
        return admission.table.row_count
    query = TableQuery(filters=admission.row_filters, limit=0)
    return platform().tables.run(admission.table, query, seconds=QUERY_SECONDS).total or 0


def _field(admission: Admission, name: str) -> dict[str, Any]:
    masked = is_masked(admission.items[name].masking)
    kind = admission.table.column(name).type
    operators = COMPARING + (TEXT_ONLY if kind is ColumnType.TEXT else ())
    return {
        **field_of(admission, name),
        "operators": [] if masked else list(operators),
        "sortable": not masked,
        "groupable": not masked,
        "measures": [] if masked else list(measures_of(kind)),
    }
