"""Rows grouped by granted, unmasked fields, with counts, sums, means, least and greatest values."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from flask import Response

from extensions.access.api.answers import csv_cell
from extensions.access.api.calls import Answer
from extensions.access.api.forms import content_type
from extensions.access.api.groups import SMALLEST_GROUP, Group, guarded_groups
from extensions.access.api.parameters import Parameters
from extensions.access.errors import CallRefused
from extensions.access.masking import is_masked
from extensions.access.services.gate import Admission
from portal.errors import Defect, Invalid
from portal.tables.column_types import ColumnType
from portal.tables.groups import NUMBERS
from portal.tables.info import Column
from portal.tables.json_values import dumps, json_value
from portal.tables.query import Filter, TableQuery, compile_query
from portal.tables.stream import StepLimits
from portal.web.context import platform

__all__ = [
    "AGGREGATE_NAMES", "MAX_GROUPS", "MAX_GROUP_FIELDS", "SMALLEST_GROUP", "Grouping",
    "aggregate_answer", "measures_of", "read_aggregate",
]  # fmt: skip
AGGREGATE_NAMES = ("group_by", "measure", "format")
MAX_GROUPS = 1_000
MAX_GROUP_FIELDS = 3
MAX_MEASURES = 10
AGGREGATE_SECONDS = 1.0
FUNCTIONS = ("count", "sum", "mean", "min", "max")
MOMENTS = (ColumnType.DATE, ColumnType.DATETIME)


@dataclass(frozen=True)
class Grouping:
    """`by` are field names, none for one group of all; `measures` (function, field name or "")."""

    by: tuple[str, ...]
    measures: tuple[tuple[str, str], ...]

    @property
    def measured(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for _, name in self.measures if name))


def measures_of(kind: ColumnType) -> tuple[str, ...]:
    """Return what can be measured of a column besides how many rows there are."""
    if kind in NUMBERS:
        return ("sum", "mean", "min", "max")
    return ("min", "max") if kind in MOMENTS else ()


def read_aggregate(given: Parameters, admission: Admission) -> Grouping:
    """Return what is asked by `group_by` and `measure`.

    Raises:
        Invalid: every defect at once, by parameter.
    """
    defects: list[Defect] = []
    by = tuple(dict.fromkeys(_parts(given.get("group_by", ""))))
    for name in by:
        _usable("group_by", name, admission, defects)
    if len(by) > MAX_GROUP_FIELDS:
        most = {"most": MAX_GROUP_FIELDS}
        defects.append(Defect("group_by", "too_many", "分组字段最多 {most} 个。", most))
    texts = list(dict.fromkeys(_parts(given.get("measure", "")))) or ["count"]
    if len(texts) > MAX_MEASURES:
        most = {"most": MAX_MEASURES}
        defects.append(Defect("measure", "too_many", "统计项最多 {most} 个。", most))
    measures = tuple(_measure(text, admission, defects) for text in texts)
    if defects:
        raise Invalid(defects)
    return Grouping(by, measures)


def _parts(text: str) -> Iterator[str]:
    return (part.strip() for part in text.split(",") if part.strip())


def _measure(text: str, admission: Admission, defects: list[Defect]) -> tuple[str, str]:
    function, _, name = text.partition(":")
    if function not in FUNCTIONS or (function == "count") == bool(name):
        message = "统计项“{value}”不对，应为 count、sum:字段、mean:字段、min:字段 或 max:字段。"
        defects.append(Defect("measure", "unknown_measure", message, {"value": text[:40]}))
    elif (
        name
        and _usable("measure", name, admission, defects)
        and function not in measures_of(admission.table.column(name).type)
    ):
        message = "信息项“{name}”不能做 {function} 统计。"
        params = {"name": name, "function": function}
        defects.append(Defect("measure", "not_measurable", message, params))
    return function, name


def _usable(parameter: str, name: str, admission: Admission, defects: list[Defect]) -> bool:
    item = admission.items.get(name)
    if item is None:
        message = "没有名为“{name}”的信息项，或者不在授权范围内。"
        defects.append(Defect(parameter, "not_granted", message, {"name": name[:64]}))
        return False
    if is_masked(item.masking):
        message = "信息项“{name}”经过脱敏，不能用来分组或统计。"
        defects.append(Defect(parameter, "masked_field", message, {"name": name}))
        return False
    return True


def aggregate_answer(
    admission: Admission, filters: Sequence[Filter], grouping: Grouping, form: str
) -> Answer:
    """Return the groups.

    Raises:
        CallRefused: there are more groups than one answer may have.
        Unavailable: it took longer than a second.
    """
    found = list(_groups(admission, filters, grouping))
    if len(found) > MAX_GROUPS:
        raise CallRefused("too_many_groups")
    groups, rest = guarded_groups(found) if admission.is_guarded else (found, None)
    columns = (*grouping.by, *grouping.measured)
    if form == "csv":
        body = _csv(groups, rest, grouping)
    elif form == "ndjson":
        body = b"".join(
            orjson.dumps(_described(one, grouping), option=orjson.OPT_PASSTHROUGH_DATETIME) + b"\n"
            for one in (*groups, *([rest] if rest else []))
        )
    else:
        body = _json(admission, groups, rest, grouping)
    return Answer(Response(body, content_type=content_type(form)), len(groups), columns)


def _groups(admission: Admission, filters: Sequence[Filter], by: Grouping) -> Iterator[Group]:
    """Yield at most one group more than an answer may have."""
    compiled = compile_query(admission.table, TableQuery(filters=tuple(filters), limit=1))
    keys = [f'"{name}"' for name in by.by]
    grouped = f" GROUP BY {', '.join(keys)} ORDER BY {', '.join(keys)}" if keys else ""
    compiled = replace(compiled, order=grouped, limit=MAX_GROUPS + 1)
    measured = [admission.table.column(name) for name in by.measured]
    select = ", ".join([*keys, "count(*)", *(sql for one in measured for sql in _parts_of(one))])
    with platform().tables.statement(
        admission.table,
        select,
        compiled,
        limits=StepLimits(AGGREGATE_SECONDS, whole=AGGREGATE_SECONDS),
    ) as stream:
        batches = stream.record_batches(MAX_GROUPS + 1)
        next(batches)  # the schema
        for batch in batches:
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield Group.of_row(row, by.by, measured)


def _parts_of(column: Column) -> Iterable[str]:
    """Return what groups can be merged by: sum (exact, as text), how many, least, greatest."""
    name = f'"{column.field_name}"'
    total = f"sum({name})::VARCHAR" if column.type in NUMBERS else "NULL::VARCHAR"
    return (total, f"count({name})", f"min({name})", f"max({name})")


def _described(group: Group, grouping: Grouping) -> dict[str, Any]:
    values = {_title(m): json_value(group.value(*m)) for m in grouping.measures}
    keys = None if group.merged else {n: json_value(v) for n, v in group.keys.items()}
    return {"group": keys, "values": values}


def _title(measure: tuple[str, str]) -> str:
    function, name = measure
    return f"{function}:{name}" if name else function


def _json(
    admission: Admission, groups: Sequence[Group], rest: Group | None, grouping: Grouping
) -> bytes:
    merged = None
    if rest is not None:
        merged = {"groups": rest.merged, "values": _described(rest, grouping)["values"]}
    return dumps(
        {
            "groups": [_described(group, grouping) for group in groups],
            "merged": merged,
            "group_by": list(grouping.by),
            "measures": [_title(one) for one in grouping.measures],
            "smallest_group": SMALLEST_GROUP if admission.is_guarded else 1,
        }
    )


def _csv(groups: Sequence[Group], rest: Group | None, grouping: Grouping) -> bytes:
    """Return lines headed by fields and measures; merged small groups have blank fields."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*grouping.by, *map(_title, grouping.measures)])
    for group in (*groups, *([rest] if rest else [])):
        keys = [csv_cell(group.keys.get(name)) for name in grouping.by]
        writer.writerow([*keys, *(csv_cell(group.value(*one)) for one in grouping.measures)])
    return out.getvalue().encode("utf-8", "replace")
