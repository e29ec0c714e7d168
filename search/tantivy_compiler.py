"""From neutral clauses to tantivy queries."""

from __future__ import annotations

from functools import lru_cache

from tantivy import FieldType, Occur, Query

from search.clauses import (
    AllOf,
    AnyOf,
    Best,
    Boost,
    Clause,
    Colloquial,
    Everything,
    Meant,
    Not,
    Prefix,
    Range,
    Term,
    Terms,
    Text,
    Worded,
)
from search.lexicon import lexicon
from search.tantivy_schema import FACET_MARK, SCHEMA
from search.wording import spell_out

_SPECIAL = frozenset(r"\.+*?()|[]{}^$#&-~\"<>@")


def compile_clause(clause: Clause) -> Query:
    """Return the tantivy query for a clause."""
    match clause:
        case Everything():
            return Query.all_query()
        case Text() | Colloquial():
            return _typed(clause, lexicon().number)
        case Worded() | Meant():
            return _worded(clause, lexicon().number)
        case Term(field, token):
            return Query.term_query(SCHEMA, field, token, index_option="freq")
        case Terms(field, values):
            return _terms(field, values)
        case Prefix(field, beginning):
            return _prefix(field, beginning)
        case Range(field, start, end):
            return Query.range_query(
                SCHEMA, field, FieldType.Integer, start, end, include_upper=end is None
            )
        case Not():
            return _all_of((), (), (clause,))
        case AllOf(parts, hopes, filters):
            return _all_of(parts, hopes, filters)
        case AnyOf(parts, at_least):
            return _any_of(parts, at_least)
        case Best(parts, tie):
            return Query.disjunction_max_query([compile_clause(p) for p in parts], tie or None)
        case Boost(part, factor):
            return Query.boost_query(compile_clause(part), factor)


@lru_cache(maxsize=64)
def _typed(clause: Text | Colloquial, number: int) -> Query:
    """Compile with the lexicon of that number (the key under which the outcome is kept)."""
    return compile_clause(spell_out(clause))


@lru_cache(maxsize=1_000)
def _worded(clause: Worded | Meant, number: int) -> Query:
    """Compile a word, which many queries have in common."""
    return compile_clause(spell_out(clause))


def _terms(field: str, values: tuple[str | int, ...]) -> Query:
    if not values:
        return Query.empty_query()
    if field.startswith("facets."):
        values = tuple(f"{FACET_MARK}{value}" for value in values)
    if len(values) == 1:
        one = Query.term_query(SCHEMA, field, values[0], index_option="basic")
        return Query.const_score_query(one, 1.0)
    return Query.const_score_query(Query.term_set_query(SCHEMA, field, list(values)), 1.0)


def _prefix(field: str, beginning: str) -> Query:
    if field.startswith("facets."):
        # A term of a JSON field is its path, a zero, the type (s for text), and the value.
        path = field.removeprefix("facets.")
        field, beginning = "facets", f"{path}\x00s{FACET_MARK}{beginning}"
    return Query.regex_query(SCHEMA, field, _escape(beginning) + ".*")


def _escape(text: str) -> str:
    return "".join("\\" + c if c in _SPECIAL else c for c in text)


def _all_of(
    parts: tuple[Clause, ...], hopes: tuple[Clause, ...], filters: tuple[Clause, ...]
) -> Query:
    must: list[tuple[Occur, Query]] = []
    never: list[tuple[Occur, Query]] = []
    for part in parts:
        must.append((Occur.Must, compile_clause(part)))
    for condition in filters:
        if isinstance(condition, Not):
            never.append((Occur.MustNot, compile_clause(condition.part)))
        else:
            silent = Query.const_score_query(compile_clause(condition), 0.0)
            must.append((Occur.Must, silent))
    if not must:  # alone, exclusions would match nothing and hopes would be conditions
        must.append((Occur.Must, Query.const_score_query(Query.all_query(), 0.0)))
    wished = [(Occur.Should, compile_clause(hope)) for hope in hopes]
    return Query.boolean_query(must + wished + never)


def _any_of(parts: tuple[Clause, ...], at_least: int) -> Query:
    if at_least >= len(parts):
        return Query.boolean_query([(Occur.Must, compile_clause(part)) for part in parts])
    should = [(Occur.Should, compile_clause(part)) for part in parts]
    return Query.boolean_query(should, minimum_number_should_match=at_least)
