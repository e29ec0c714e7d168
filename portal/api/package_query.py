"""Read `q` and `fq` as Solr's users write them, into a search request of ours.

Nothing is passed on to an engine: the syntax is parsed, each field is one that is known here, and
what cannot be asked is refused with the name of the field or the operator.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from luqum.exceptions import ParseError
from luqum.parser import parser
from luqum.tree import (
    AndOperation,
    Boost,
    FieldGroup,
    Group,
    Item,
    Not,
    OrOperation,
    Phrase,
    Plus,
    Prohibit,
    Range,
    SearchField,
    UnknownOperation,
    Word,
)

from portal.api.errors import SearchQueryError
from portal.api.solr_dates import read_instant
from search.request import DateRange

LONGEST_QUERY = 4000
_PARSING = threading.Lock()  # the parser keeps its state in one object
NOWHERE = "\u0000"  # a code that no entry has
_FIELD_SYNTAX = re.compile(r"(?:^|[\s(+\-!])([a-z][a-z0-9_.]*|\*):(?!//)")
_WORDS = frozenset({"text", "title", "notes", "entity_name"})
_TRUE = {
    "dataset_type": ("dataset",),
    "type": ("dataset",),
    "entity_type": ("package",),
    "site_id": ("default",),
}
_DATES = {"metadata_modified": "modified", "metadata_created": "created", "modified": "modified",
          "issued": "created"}  # fmt: skip

Resolve = Callable[[Sequence[str]], Iterable[str]]
"""Turns the values that a client gives into the codes of a facet."""


@dataclass
class ReadQuery:
    """What `q` and `fq` ask for, as parts of a SearchRequest."""

    words: list[str] = field(default_factory=list)
    filters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    required: dict[str, tuple[str, ...]] = field(default_factory=dict)
    excluded: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: list[DateRange] = field(default_factory=list)
    codes: tuple[str, ...] | None = None
    ids: frozenset[int] | None = None


@dataclass(frozen=True)
class QueryReader:
    """Reads queries against the facets and look-ups that it is given.

    facets: Solr field -> (facet name, how values become codes).
    names: turns `id` values into the names of entries.
    """

    facets: Mapping[str, tuple[str, Resolve]]
    names: Resolve
    now: datetime

    def read(self, q: str, fq: Sequence[str]) -> ReadQuery:
        """Return what both ask for together.

        Raises:
            SearchQueryError: not to be parsed, an unknown field, an operator that is not offered.
        """
        try:
            return self._read(q, fq)
        except RecursionError as error:
            raise SearchQueryError("检索式嵌套太深。") from error

    def _read(self, q: str, fq: Sequence[str]) -> ReadQuery:
        found = ReadQuery()
        text = q.strip()
        if text not in ("", "*:*", "*"):
            if _FIELD_SYNTAX.search(text):
                self._add(_parse(text), found, in_words=True)
            else:
                found.words.append(text)
        for filter_query in fq:
            if filter_query.strip() not in ("", "*:*"):
                self._add(_parse(filter_query), found, in_words=False)
        return found

    def _add(self, tree: Item, found: ReadQuery, *, in_words: bool) -> None:
        for clause, negated in _clauses(tree):
            if isinstance(clause, SearchField):
                self._field(clause, found, negated)
            elif in_words and isinstance(clause, Word | Phrase) and not negated:
                if str(clause.value) != "*":
                    found.words.append(clause.value.strip('"'))
            else:
                raise SearchQueryError(
                    "检索式有误：“{part}”缺少字段名，请写成 字段:值。",
                    part=str(clause).strip()[:80],
                )

    def _field(self, clause: SearchField, found: ReadQuery, negated: bool) -> None:
        name = clause.name.removeprefix("extras_")
        if name == "*":
            if negated:
                found.ids = frozenset()
            return
        if name in _DATES:
            self._range(name, clause.expr, found, negated)
            return
        values, every = _values(name, clause.expr)
        if name in _TRUE:
            if negated == bool(set(_TRUE[name]) & {v.lower() for v in values}):
                found.ids = frozenset()
        elif name in ("name", "id"):
            self._names(name, values, found, negated)
        elif name in _WORDS:
            if negated:
                raise SearchQueryError("字段“{field}”不支持排除。", field=name)
            found.words.extend(values)
        elif name in self.facets:
            self._facet(name, values, every, found, negated)
        else:
            raise SearchQueryError("不认识检索字段“{field}”。", field=clause.name[:80])

    def _names(self, name: str, values: list[str], found: ReadQuery, negated: bool) -> None:
        if negated:
            raise SearchQueryError("字段“{field}”不支持排除。", field=name)
        codes = tuple(values) if name == "name" else tuple(self.names(values)) or (NOWHERE,)
        if found.codes is not None:
            codes = tuple(set(codes) & set(found.codes)) or (NOWHERE,)
        found.codes = codes

    def _facet(
        self, name: str, values: list[str], every: bool, found: ReadQuery, negated: bool
    ) -> None:
        facet, resolve = self.facets[name]
        if values == ["*"] and not negated:
            return
        if any("*" in value or "?" in value for value in values):
            raise SearchQueryError("字段“{field}”不支持通配符。", field=name)
        codes = tuple(resolve(values))
        if negated:
            found.excluded[facet] = (*found.excluded.get(facet, ()), *codes)
        elif every and len(values) > 1:
            found.required[facet] = (*found.required.get(facet, ()), *(codes or (NOWHERE,)))
        elif facet not in found.filters:
            found.filters[facet] = codes or (NOWHERE,)
        elif len(codes) == 1:
            found.required[facet] = (*found.required.get(facet, ()), *codes)
        else:
            both = tuple(c for c in found.filters[facet] if c in codes)
            found.filters[facet] = both or (NOWHERE,)

    def _range(self, name: str, expr: Item, found: ReadQuery, negated: bool) -> None:
        if negated:
            raise SearchQueryError("字段“{field}”不支持排除。", field=name)
        if not isinstance(expr, Range):
            raise SearchQueryError(
                "字段“{field}”须写成范围，如 [2026-01-01T00:00:00Z TO NOW]。", field=name
            )
        try:
            start = read_instant(str(expr.low), self.now)
            end = read_instant(str(expr.high), self.now)
        except ValueError as error:
            raise SearchQueryError("字段“{field}”的时间写法不对。", field=name) from error
        tick = timedelta(microseconds=1)  # our ranges hold their start and not their end
        if start is not None and not expr.include_low:
            start += tick
        if end is not None and expr.include_high:
            end += tick
        found.ranges.append(DateRange(_DATES[name], start, end))


def _parse(text: str) -> Item:
    if len(text) > LONGEST_QUERY:
        raise SearchQueryError("检索式最多{n}个字符。", n=LONGEST_QUERY)
    try:
        with _PARSING:
            return parser.parse(text)
    except (ParseError, RecursionError, AttributeError, ValueError) as error:
        raise SearchQueryError("检索式“{text}”的语法不对。", text=text[:80]) from error


def _clauses(tree: Item, negated: bool = False) -> Iterable[tuple[Item, bool]]:
    """Yield the parts that must all hold, each with whether it is negated."""
    if isinstance(tree, Group | Plus | Boost):
        inner = tree.children[0]
        yield from _clauses(inner, negated)
    elif isinstance(tree, Not | Prohibit):
        if isinstance(tree.children[0], Group) and not _is_single(tree.children[0]):
            raise SearchQueryError("不支持对多个条件整体取反，请逐个排除。")
        yield from _clauses(tree.children[0], not negated)
    elif isinstance(tree, AndOperation | UnknownOperation):
        for child in tree.children:
            yield from _clauses(child, negated)
    elif isinstance(tree, OrOperation):
        yield _one_field(tree), negated
    else:
        yield tree, negated


def _is_single(tree: Item) -> bool:
    return isinstance(tree.children[0], SearchField | Group) and len(tree.children) == 1


def _one_field(tree: OrOperation) -> SearchField:
    """Join `a:x OR a:y` to `a:(x OR y)`; an OR over several fields is not offered."""
    children = [child.children[0] if isinstance(child, Group) else child for child in tree.children]
    names = {child.name for child in children if isinstance(child, SearchField)}
    if len(names) != 1 or not all(isinstance(child, SearchField) for child in children):
        raise SearchQueryError("OR 只能用在同一个字段的多个值之间。")
    return SearchField(names.pop(), FieldGroup(OrOperation(*(child.expr for child in children))))


def _values(name: str, expr: Item) -> tuple[list[str], bool]:
    """Return a field's values, and whether all of them must hold."""
    if isinstance(expr, Word):
        return [_unescape(expr.value)], False
    if isinstance(expr, Phrase):
        return [expr.value[1:-1].replace('\\"', '"')], False
    if isinstance(expr, FieldGroup | Group | Plus | Boost):
        return _values(name, expr.children[0])
    if isinstance(expr, OrOperation | AndOperation | UnknownOperation):
        parts = [_values(name, child) for child in expr.children]
        every = not isinstance(expr, OrOperation)
        return [value for values, _ in parts for value in values], every
    raise SearchQueryError(
        "字段“{field}”的值“{value}”不支持。", field=name, value=str(expr).strip()[:80]
    )


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
