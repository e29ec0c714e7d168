"""Read `q` and `fq` as Solr's users write them, into conditions of our own search.

Nothing is passed on to an engine: the syntax is parsed, each field is one that is known here, and
what cannot be asked is refused with its name and place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from luqum.tree import (
    AndOperation,
    Boost,
    FieldGroup,
    From,
    Fuzzy,
    Group,
    Item,
    Not,
    OrOperation,
    Phrase,
    Plus,
    Prohibit,
    Proximity,
    Range,
    SearchField,
    To,
    UnknownOperation,
    Word,
)

from portal.api.errors import SearchQueryError
from portal.api.query_syntax import has_fields, has_operators, is_everything, parse_query
from portal.api.solr_dates import read_instant
from search import conditions
from search.clauses import Clause
from search.clauses import Not as NotClause
from search.fields import TEXT_BOOSTS
from search.query import DEEPEST_NESTING
from search.request import DateRange

MOST_CONDITIONS = 1_000
_TOO_DEEP = "检索式的语法不对：嵌套太深（最多{n}层）。"
_TEXT_FIELDS = {"title": "title", "notes": "abstract", "title_string": "title"}
_ANY_TEXT = frozenset({"text", "entity_name"})
_SAME_FOR_ALL = {
    "dataset_type": ("dataset",),
    "type": ("dataset",),
    "entity_type": ("package",),
    "site_id": ("default",),
}
_DATES = {
    "metadata_modified": "modified",
    "metadata_created": "created",
    "modified": "modified",
    "issued": "created",
}
_WILDCARD = re.compile(r"(?<!\\)[*?]")
_TICK = timedelta(microseconds=1)  # our ranges hold their start and not their end

Resolve = Callable[[Sequence[str]], Iterable[str]]
"""Turns the values that a client gives into the codes of a facet."""


@dataclass
class ReadQuery:
    """What `q` and `fq` ask for: `words` and `question` score, the conditions of `where` do not.

    `strictly`: it was put with fields or operators (公交 AND 线路), which are meant as they stand.
    """

    words: list[str] = field(default_factory=list)
    strictly: bool = False
    questions: list[Clause] = field(default_factory=list)
    filters: list[Clause] = field(default_factory=list)

    @property
    def where(self) -> Clause | None:
        return conditions.all_of(self.filters) if self.filters else None

    @property
    def question(self) -> Clause | None:
        return conditions.all_of(self.questions) if self.questions else None


@dataclass(frozen=True)
class QueryReader:
    """Reads queries against the facets and look-ups that it is given.

    facets: Solr field -> (facet name, how values become codes).
    names: turns `id` values into the names of entries.
    beginnings: Solr field -> how the beginning of a value becomes codes, where the facet's codes
    are not what clients write.
    """

    facets: Mapping[str, tuple[str, Resolve]]
    names: Resolve
    now: datetime
    beginnings: Mapping[str, Callable[[str], Iterable[str]]] = field(default_factory=dict)

    def read(self, q: str, fq: Sequence[str]) -> ReadQuery:
        """Return what both ask for together.

        Raises:
            SearchQueryError: not to be parsed, an unknown field, an operator that is not offered.
        """
        found = ReadQuery()
        try:
            counter = _Counter(self)
            self._read_words(_storable(q).strip(), found, counter)
            for text in map(_storable, fq):
                if not is_everything(text):
                    self._read_filter(text, found, counter)
        except RecursionError as error:
            raise SearchQueryError(_TOO_DEEP, n=DEEPEST_NESTING) from error
        for clause in (found.where, found.question):
            if clause is not None and conditions.depth_of(clause) > DEEPEST_NESTING:
                raise SearchQueryError(_TOO_DEEP, n=DEEPEST_NESTING)
        return found

    @property
    def _known(self) -> frozenset[str]:
        named = (*self.facets, *_TEXT_FIELDS, *_ANY_TEXT, *_SAME_FOR_ALL, *_DATES)
        return frozenset((*named, "name", "id"))

    def _read_words(self, text: str, found: ReadQuery, counter: _Counter) -> None:
        if is_everything(text):
            return
        fields = has_fields(text, self._known)
        if not fields and not has_operators(text):
            found.words.append(text)
            return
        try:
            tree = parse_query(text, self._known)
        except SearchQueryError:
            if fields:
                raise
            found.words.append(text)  # a bracket or a quotation mark that is only text
            return
        found.strictly = True
        for part in _all_parts(tree):
            self._add_part(part, found, counter)

    def _add_part(self, part: Item, found: ReadQuery, counter: _Counter) -> None:
        plain = _plain_word(part)
        if plain is not None:
            found.words += [plain] if plain != "*" else []
        elif _has_text(part):
            found.questions.append(counter.clause(part, bare=True))
        else:
            found.filters.append(counter.clause(part, bare=True))

    def _read_filter(self, text: str, found: ReadQuery, counter: _Counter) -> None:
        tree = parse_query(text, self._known)
        found.filters += [counter.clause(part, bare=False) for part in _all_parts(tree)]

    def field_clause(self, node: SearchField) -> Clause:
        """Return the condition of `field:…`.

        Raises:
            SearchQueryError: an unknown field, or a value that the field does not take.
        """
        name = node.name.removeprefix("extras_")
        if name == "*":
            return conditions.EVERYTHING
        if name not in self._known:
            raise SearchQueryError(
                "不认识检索字段“{field}”（第{place}个字符处）。",
                field=node.name[:80],
                place=(node.pos or 0) + 1,
            )
        return self._values(name, node.expr)

    def _values(self, name: str, node: Item) -> Clause:
        """Return the condition that the values of one field make, with operators among them."""
        match node:
            case FieldGroup() | Group() | Plus() | Boost():
                return self._values(name, node.children[0])
            case Not() | Prohibit():
                return NotClause(self._values(name, node.children[0]))
            case OrOperation():
                return self._either(name, node.children)
            case AndOperation() | UnknownOperation():
                return conditions.all_of(self._values(name, child) for child in node.children)
            case Range() | From() | To():
                return self._range(name, node)
            case Word() | Phrase() | Fuzzy() | Proximity():
                return self._value(name, node)
        raise SearchQueryError(
            "字段“{field}”的值“{value}”不支持。", field=name, value=str(node).strip()[:80]
        )

    def _either(self, name: str, nodes: Sequence[Item]) -> Clause:
        """Join plain values to one look-up: thousands of them stay one clause."""
        plain = [text for node in nodes if (text := _plain_value(node)) is not None]
        rest = [self._values(name, node) for node in nodes if _plain_value(node) is None]
        if plain and name in self.facets:
            facet, resolve = self.facets[name]
            rest.append(conditions.in_facet(facet, resolve(plain)))
        elif plain:
            rest += [self._exact(name, text) for text in plain]
        return conditions.any_of(rest)

    def _value(self, name: str, node: Item) -> Clause:
        text = _plain_value(node)
        if text is not None:
            return self._exact(name, text)
        beginning = _beginning(name, node)
        if not beginning and name not in self.facets:
            return conditions.EVERYTHING
        if name in self.facets:
            return self._facet_begins(name, beginning)
        if name in _TEXT_FIELDS:
            return conditions.in_field(_TEXT_FIELDS[name], beginning, beginning=True)
        if name in _ANY_TEXT:
            return _begins_anywhere(beginning)
        if name == "name":
            return conditions.code_begins(beginning)
        raise SearchQueryError("字段“{field}”不支持通配符。", field=name)

    def _facet_begins(self, name: str, beginning: str) -> Clause:
        facet = self.facets[name][0]
        if beginning and name in self.beginnings:
            return conditions.in_facet(facet, self.beginnings[name](beginning))
        return conditions.facet_begins(facet, beginning)

    def _exact(self, name: str, text: str) -> Clause:
        if name in self.facets:
            facet, resolve = self.facets[name]
            return conditions.in_facet(facet, resolve([text]))
        if name in _TEXT_FIELDS:
            return conditions.in_field(_TEXT_FIELDS[name], text)
        if name in _ANY_TEXT:
            return conditions.has_words(text)
        if name in _SAME_FOR_ALL:
            same = text.lower() in _SAME_FOR_ALL[name]
            return conditions.EVERYTHING if same else conditions.NOTHING
        if name == "name":
            return conditions.has_code((text,))
        if name == "id":
            return conditions.has_code(tuple(self.names([text])))
        raise SearchQueryError(
            "字段“{field}”须写成范围，如 [2026-01-01T00:00:00Z TO NOW]。", field=name
        )

    def _range(self, name: str, node: Item) -> Clause:
        low, high, with_low, with_high = _limits(node)
        if name not in _DATES:
            if (low, high) == ("*", "*"):
                return self._value(name, Word("*"))
            raise SearchQueryError("字段“{field}”不支持范围。", field=name)
        try:
            start, end = read_instant(low, self.now), read_instant(high, self.now)
        except (ValueError, OverflowError) as error:
            raise SearchQueryError("字段“{field}”的时间写法不对。", field=name) from error
        if start is not None and not with_low:
            start += _TICK
        if end is not None and with_high:
            end += _TICK
        return conditions.within(DateRange(_DATES[name], start, end))


class _Counter:
    """Turns a tree into conditions, and counts them."""

    def __init__(self, reader: QueryReader) -> None:
        self._reader = reader
        self._count = 0

    def clause(self, node: Item, *, bare: bool) -> Clause:
        """Return the condition; `bare` words without a field are looked for in all texts.

        Raises:
            SearchQueryError: too many conditions, or what `field_clause` refuses.
        """
        self._count += 1
        if self._count > MOST_CONDITIONS:
            raise SearchQueryError("检索式最多{n}个条件。", n=MOST_CONDITIONS)
        match node:
            case Group() | Plus() | Boost():
                return self.clause(node.children[0], bare=bare)
            case Not() | Prohibit():
                return NotClause(self.clause(node.children[0], bare=bare))
            case OrOperation():
                return conditions.any_of(self.clause(n, bare=bare) for n in node.children)
            case AndOperation() | UnknownOperation():
                return conditions.all_of(self.clause(n, bare=bare) for n in node.children)
            case SearchField():
                return self._reader.field_clause(node)
            case Word() | Phrase() | Fuzzy() | Proximity() if bare:
                text = _plain_value(node)
                if text is not None:
                    return conditions.has_words(text)
                return _begins_anywhere(_beginning("text", node))
        raise SearchQueryError(
            "检索式有误：“{part}”（第{place}个字符处）缺少字段名，请写成 字段:值。",
            part=str(node).strip()[:80],
            place=(node.pos or 0) + 1,
        )


def _storable(text: str) -> str:
    """Return the text without halves of characters and zeros, which no engine takes."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")


def _all_parts(tree: Item) -> Iterable[Item]:
    """Yield the parts that must all hold."""
    if isinstance(tree, Plus | Boost) or (isinstance(tree, Group) and len(tree.children) == 1):
        yield from _all_parts(tree.children[0])
    elif isinstance(tree, AndOperation | UnknownOperation):
        for child in tree.children:
            yield from _all_parts(child)
    else:
        yield tree


def _plain_word(part: Item) -> str | None:
    """Return the words of a part that only asks for words; "*" asks for nothing."""
    if isinstance(part, SearchField) and part.name in _ANY_TEXT:
        part = part.expr
    if isinstance(part, Word) and part.value == "*":
        return "*"
    return _plain_value(part)


def _has_text(node: Item) -> bool:
    """Say whether the node asks for words, and not only for their absence."""
    if isinstance(node, Not | Prohibit):
        return False
    if isinstance(node, SearchField):
        return node.name in _TEXT_FIELDS or node.name in _ANY_TEXT
    if isinstance(node, Word | Phrase | Fuzzy | Proximity):
        return True
    return any(map(_has_text, node.children))


def _plain_value(node: Item) -> str | None:
    """Return the text of a word or phrase; None for anything else, or when a wildcard is in it."""
    if isinstance(node, Fuzzy | Proximity):
        node = node.term
    if isinstance(node, Phrase):
        return _unescaped(str(node.value)[1:-1])
    if isinstance(node, Word) and not _WILDCARD.search(str(node.value)):
        return _unescaped(str(node.value))
    return None


def _beginning(name: str, node: Item) -> str:
    """Return what stands before the `*` that ends a word.

    Raises:
        SearchQueryError: a wildcard stands elsewhere.
    """
    text = str(getattr(node, "value", node))
    found = _WILDCARD.search(text)
    if found is None or found.end() != len(text) or not text.endswith("*"):
        raise SearchQueryError(
            "字段“{field}”的通配符 * 只能放在末尾：“{value}”（第{place}个字符处）。",
            field=name,
            value=text[:80],
            place=(node.pos or 0) + 1,
        )
    return _unescaped(text[:-1])


def _begins_anywhere(beginning: str) -> Clause:
    if not beginning:
        return conditions.EVERYTHING
    ways = [conditions.in_field(name, beginning, beginning=True) for name in TEXT_BOOSTS]
    return conditions.any_of([*ways, conditions.code_begins(beginning)])


def _limits(node: Item) -> tuple[str, str, bool, bool]:
    """Return a range's lower and upper limit as texts, and whether each belongs to it."""
    if isinstance(node, From):
        return _limit(node.children[0]), "*", bool(node.include), True
    if isinstance(node, To):
        return "*", _limit(node.children[0]), True, bool(node.include)
    return _limit(node.low), _limit(node.high), bool(node.include_low), bool(node.include_high)


def _limit(node: Item) -> str:
    return _unescaped(str(node).strip().strip('"'))


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
