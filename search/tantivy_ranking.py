"""One page in the order of text relevance × (1 + β · value / 100), ties in the order by value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import groupby, pairwise
from operator import itemgetter

import orjson
import tantivy

from search.clauses import Clause
from search.fields import value_factor
from search.records import Record
from search.tantivy_compiler import compile_clause
from search.tantivy_schema import BETA_COLUMNS

Scored = tuple[float, tantivy.DocAddress]


@dataclass(frozen=True)
class RankedPage:
    total: int
    hits: list[Scored]


def total_of(found: tantivy.SearchResult) -> int:
    """Return how many documents matched (the library's type stub leaves the property out)."""
    return int(getattr(found, "count") or 0)  # noqa: B009


def ranked_page(
    searcher: tantivy.Searcher, clause: Clause, start: int, rows: int, beta: float
) -> RankedPage:
    """Return hits `start` to `start + rows` with their final scores, and how many there are."""
    query = compile_clause(clause)
    if rows == 0:
        return RankedPage(total_of(searcher.search(query, 1)), [])
    total, scored = _best(searcher, query, start + rows, beta)
    page = scored[start : start + rows]
    if not page:
        return RankedPage(total, [])
    # Whole groups of equal scores at both ends of the page, or their order would not be known.
    first, last = page[0][0], page[-1][0]
    window = [hit for hit in scored if first >= hit[0] >= last]
    skipped = sum(1 for hit in scored if hit[0] > first)
    ordered = _in_order(searcher, window)
    return RankedPage(total, ordered[start - skipped : start - skipped + rows])


def _rounded(score: float) -> float:
    """Return the score to six digits: engines sum in an order that changes with the segments."""
    return float(f"{score:.6g}")


def _best(
    searcher: tantivy.Searcher, query: tantivy.Query, needed: int, beta: float
) -> tuple[int, list[Scored]]:
    """Return the total and at least the `needed` best, with all that tie with the last one."""
    if beta and beta not in BETA_COLUMNS:
        return _rescored(searcher, query, beta)
    limit = needed + 16
    while True:
        found = searcher.search(query, limit, weight_by_field=BETA_COLUMNS.get(beta))
        scored = [(_rounded(score), address) for score, address in found.hits]
        if len(scored) < limit or scored[needed - 1][0] > scored[-1][0]:
            return total_of(found), scored
        limit *= 4


def _rescored(
    searcher: tantivy.Searcher, query: tantivy.Query, beta: float
) -> tuple[int, list[Scored]]:
    """Score every hit here: for a β that has no column (experiments)."""
    found = searcher.search(query, max(1, searcher.num_docs))
    addresses = [address for _, address in found.hits]
    values = searcher.fast_field_values("value_score", addresses)
    scored = [
        (_rounded(score * value_factor(float(value or 0), beta)), address)
        for (score, address), value in zip(found.hits, values, strict=True)
    ]
    return total_of(found), sorted(scored, key=lambda hit: -hit[0])


def _in_order(searcher: tantivy.Searcher, window: list[Scored]) -> list[Scored]:
    """Order equal scores by value, then by how new the data is, then by code: as `by_value` does,
    but out of columns of numbers; only where these are equal too, the entries themselves are read.
    """
    if all(before[0] != after[0] for before, after in pairwise(window)):
        return window
    addresses = [address for _, address in window]
    values = searcher.fast_field_values("value_score", addresses)
    moments = searcher.fast_field_values("modified", addresses)
    keys = [
        (-score, -round(float(value or 0) * 1000), -int(moment or 0))
        for (score, _), value, moment in zip(window, values, moments, strict=True)
    ]
    ordered: list[Scored] = []
    placed = sorted(zip(keys, window, strict=True), key=itemgetter(0))
    for _, group in groupby(placed, key=itemgetter(0)):
        tied = [hit for _, hit in group]
        ordered += sorted(tied, key=partial(_last_key, searcher)) if len(tied) > 1 else tied
    return ordered


def _last_key(searcher: tantivy.Searcher, hit: Scored) -> tuple[str, int]:
    record = record_at(searcher, hit[1])
    return record["code"], record["id"]


def record_at(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> Record:
    """Return what the index keeps of the entry at an address."""
    record: Record = orjson.loads(searcher.doc(address)["record"][0])
    return record
