"""From neutral clauses to the query language of Elasticsearch."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

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
    Wording,
)
from search.lexicon import lexicon
from search.wording import spell_out

Body = dict[str, Any]


def compile_clause(clause: Clause, boost: float = 1.0) -> Body:
    """Return the query body for a clause, its score multiplied by `boost`."""
    match clause:
        case Everything():
            return {"match_all": {"boost": boost}}
        case Text() | Colloquial() | Worded() | Meant():
            return _spelt(clause, lexicon().number, boost)
        case Term(field, token):
            return {"term": {field: {"value": token, "boost": boost}}}
        case Terms(field, values):
            return {"terms": {field: list(values), "boost": boost}}
        case Prefix(field, beginning):
            return {"prefix": {field: {"value": beginning, "boost": boost}}}
        case Range(field, start, end):
            limits = {"gte": start, "lt": end}
            known = {name: limit for name, limit in limits.items() if limit is not None}
            return {"range": {field: {**known, "boost": boost}}}
        case Not(part):
            return {"bool": {"must_not": [compile_clause(part)]}}
        case AllOf(parts, hopes, filters):
            return _all_of(parts, hopes, filters, boost)
        case AnyOf(parts, at_least):
            should = [compile_clause(part) for part in parts]
            wanted = min(at_least, len(should))
            return {"bool": {"should": should, "minimum_should_match": wanted, "boost": boost}}
        case Best(parts, tie):
            queries = [compile_clause(part) for part in parts]
            return {"dis_max": {"queries": queries, "tie_breaker": tie, "boost": boost}}
        case Boost(part, factor):
            return compile_clause(part, boost * factor)


@lru_cache(maxsize=1_000)
def _spelt(clause: Wording, number: int, boost: float) -> Body:
    """Compile with the lexicon of that number (the key under which the outcome is kept)."""
    return compile_clause(spell_out(clause), boost)


def _all_of(
    parts: tuple[Clause, ...], hopes: tuple[Clause, ...], filters: tuple[Clause, ...], boost: float
) -> Body:
    needed = [compile_clause(each) for each in filters if not isinstance(each, Not)]
    body: Body = {
        "must": [compile_clause(part) for part in parts],
        "should": [compile_clause(hope) for hope in hopes],
        "filter": needed,
        "must_not": [compile_clause(each.part) for each in filters if isinstance(each, Not)],
        "minimum_should_match": 0,
        "boost": boost,
    }
    return {"bool": {name: value for name, value in body.items() if value != []}}


def with_value(query: Body, beta: float) -> Body:
    """Return the query with its score multiplied by 1 + β · value / 100."""
    if not beta:
        return query
    return {
        "function_score": {
            "query": query,
            "functions": [
                {"weight": 1},
                {
                    "field_value_factor": {
                        "field": "value_score",
                        "factor": beta / 100,
                        "missing": 0,
                    }
                },
            ],
            "score_mode": "sum",
            "boost_mode": "multiply",
        }
    }
