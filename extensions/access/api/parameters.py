"""From the parameters of a call to a table query, on the granted fields alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from extensions.access.masking import is_masked
from extensions.access.services.gate import Admission
from portal.errors import Defect, Invalid
from portal.tables.column_types import ColumnType
from portal.tables.query import MAX_FILTERS, OPERATORS, Filter, TableQuery, compile_query

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
MAX_DIGITS = 16
QUERY_SECONDS = 1.0  # that one question of a table may take
RESERVED = ("sort", "limit", "offset", "after_id", "fields", "format")
FORMATS = ("json", "csv")
BEGINS = "begins"
LAST_CHARACTER = 0x10FFFF
SURROGATES = range(0xD800, 0xE000)  # no text in UTF-8 holds one


class Parameters(Protocol):
    """The query string, as werkzeug's MultiDict reads it."""

    def get(self, key: str, default: str) -> str: ...

    def items(self, multi: bool = False) -> Iterable[tuple[str, str]]: ...


@dataclass(frozen=True)
class Asked:
    """`query` with columns that the caller may have; `format` as asked for, or ""."""

    query: TableQuery
    format: str


def read_parameters(
    given: Parameters,
    admission: Admission,
    *,
    names: Sequence[str] = RESERVED,
    formats: Sequence[str] = FORMATS,
) -> Asked:
    """Return the query of a call; any parameter that is not in `names` is a filter.

    Fields outside the grant are unknown here, whether they are asked for, filtered or sorted
    by. Masked fields are given masked and can be neither filtered nor sorted by, since the order
    or a filter would tell what the mask hides.

    Raises:
        Invalid: every defect at once, by parameter.
    """
    defects: list[Defect] = []

    def text(name: str) -> str:
        return given.get(name, "") if name in names else ""

    query = TableQuery(
        columns=_columns(text("fields"), admission, defects),
        filters=tuple(_filters(given, names, admission, defects)),
        sort=tuple(_sort(text("sort"), admission, defects)),
        limit=_whole("limit", text("limit"), DEFAULT_LIMIT, MAX_LIMIT, defects),
        offset=_whole("offset", text("offset"), 0, None, defects) or 0,
        after_id=_whole("after_id", text("after_id"), None, None, defects),
    )
    form = text("format").lower()
    if form and form not in formats:
        known = {"known": "、".join(formats)}
        defects.append(Defect("format", "unknown", "格式只能是：{known}。", known))
    defects += _table_defects(query, admission)
    most = MAX_FILTERS - len(admission.row_filters)
    if len(query.filters) > most:
        defects.append(Defect("filters", "too_many", "筛选条件最多 {most} 个。", {"most": most}))
    if defects:
        raise Invalid(defects)
    return Asked(replace(query, filters=(*query.filters, *admission.row_filters)), form)


def _columns(text: str, admission: Admission, defects: list[Defect]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in admission.items:
            defects.append(_not_granted("fields", name, admission))
    return names or tuple(admission.items)


def _filters(
    given: Parameters, names: Sequence[str], admission: Admission, defects: list[Defect]
) -> Iterator[Filter]:
    for parameter, value in given.items(multi=True):
        if parameter in names:
            continue
        field, op = _split(parameter)
        if not _usable(parameter, field, admission, defects):
            continue
        if op in ("is_blank", "not_blank"):
            op = _blank_test(parameter, op, value, defects)
            yield Filter(field, op)
        elif op == "in":
            yield Filter(field, op, [part.strip() for part in value.split(",")])
        elif op == BEGINS:
            yield from _begins(parameter, field, value, admission, defects)
        else:
            yield Filter(field, op, value)


def _split(parameter: str) -> tuple[str, str]:
    """`name__gt` is an operator on `name`; a plain name is equality."""
    field, separator, op = parameter.rpartition("__")
    if separator and field:
        return (field, op) if op in (*OPERATORS, BEGINS) else (parameter, "eq")
    return parameter, "eq"


def _begins(
    parameter: str, field: str, value: str, admission: Admission, defects: list[Defect]
) -> Iterator[Filter]:
    """Ask for the range of texts that begin so, which an index can serve.

    Texts are ordered by code point, so that it ends before the text whose last character is the
    next one.
    """
    if admission.table.column(field).type is not ColumnType.TEXT:
        message = "信息项“{name}”不是文本，不能用 begins 筛选。"
        defects.append(Defect(parameter, "not_text", message, {"name": field}))
    elif not value:
        yield Filter(field, "not_blank")
    else:
        value = value.encode("utf-8", "replace").decode()
        yield Filter(field, "ge", value)
        end = _behind(value)
        if end:
            yield Filter(field, "lt", end)


def _behind(text: str) -> str:
    """Return the first text behind all that begin with this one; "" if there is none."""
    while text and ord(text[-1]) == LAST_CHARACTER:
        text = text[:-1]
    if not text:
        return ""
    following = ord(text[-1]) + 1
    return text[:-1] + chr(SURROGATES.stop if following in SURROGATES else following)


def _blank_test(parameter: str, op: str, value: str, defects: list[Defect]) -> str:
    wanted = {"true": True, "1": True, "": True, "false": False, "0": False}.get(value.lower())
    if wanted is None:
        defects.append(Defect(parameter, "not_boolean", "请写 true 或 false。"))
    blank = (op == "is_blank") == (wanted is not False)
    return "is_blank" if blank else "not_blank"


def _sort(text: str, admission: Admission, defects: list[Defect]) -> Iterator[tuple[str, bool]]:
    for part in (part.strip() for part in text.split(",")):
        name = part.removeprefix("-")
        if name and _usable("sort", name, admission, defects):
            yield name, part.startswith("-")


def _usable(parameter: str, field: str, admission: Admission, defects: list[Defect]) -> bool:
    item = admission.items.get(field)
    if item is None:
        defects.append(_not_granted(parameter, field, admission))
        return False
    if is_masked(item.masking):
        message = "信息项“{name}”经过脱敏，不能用来筛选或排序。"
        defects.append(Defect(parameter, "masked_field", message, {"name": field}))
        return False
    return True


def _not_granted(parameter: str, field: str, admission: Admission) -> Defect:
    message = "没有名为“{name}”的信息项或参数，或者不在授权范围内；可用的信息项：{known}。"
    known = "、".join(admission.items)[:400]
    return Defect(parameter[:64], "not_granted", message, {"name": field[:64], "known": known})


def _whole(
    name: str, text: str, default: int | None, most: int | None, defects: list[Defect]
) -> int | None:
    """Return a whole number from 0; ASCII digits alone, and not absurdly many."""
    if not text:
        return default
    if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS:
        value = int(text)
        if most is None or value <= most:
            return value
    message = "应为 0 到 {most} 的整数。" if most is not None else "应为不小于 0 的整数。"
    defects.append(Defect(name, "out_of_range", message, {"most": most}))
    return default


def _table_defects(query: TableQuery, admission: Admission) -> tuple[Defect, ...]:
    """Let the table's own checks speak; they see the granted columns and nothing else."""
    columns = tuple(c for c in admission.table.columns if c.field_name in admission.items)
    try:
        compile_query(replace(admission.table, columns=columns), _known_part(query, admission))
    except Invalid as error:
        return tuple(_named(defect, query) for defect in error.defects)
    return ()


def _known_part(query: TableQuery, admission: Admission) -> TableQuery:
    return replace(query, columns=tuple(n for n in query.columns if n in admission.items))


def _named(defect: Defect, query: TableQuery) -> Defect:
    """Name a filter by its parameter instead of its place."""
    head, _, place = defect.field.partition(".")
    if head == "filters" and place.isdigit():
        one = query.filters[int(place)]
        name = one.column if one.op == "eq" else f"{one.column}__{one.op}"
        return replace(defect, field=name)
    return defect
