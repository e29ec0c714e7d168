"""`explain=1` of `package_search`: the parts of each score, and which words were found where."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy.orm import Session

from portal.services.search_explanations import explain_hits
from search.explanations import Match
from search.request import SearchHit, SearchRequest, SearchResult


def explain_scores(
    session: Session, request: SearchRequest, result: SearchResult, labels: Collection[str]
) -> dict[int, dict[str, Any]]:
    """Return `jl_score` by entry: final = text × (1 + beta × value / 100).

    `matches` are given for the first 50 hits; `reasons` are those of the value.
    """
    matches = explain_hits(session, request, result, labels)
    return {hit.id: _score(hit, request, matches.get(hit.id, ())) for hit in result.hits}


def _score(hit: SearchHit, request: SearchRequest, matches: Collection[Match]) -> dict[str, Any]:
    return {
        "text": hit.text_score,
        "value": hit.stored.get("value_score"),
        "beta": request.beta,
        "exact": hit.exact,
        "final": hit.score,
        "reasons": hit.stored.get("value_reasons", []),
        "matches": [
            {"word": one.word, "form": one.form, "fields": one.fields, "means": one.means}
            for one in matches
        ],
    }
