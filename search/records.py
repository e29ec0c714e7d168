"""What an engine keeps of an entry to answer with: its record, and the hit made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search.document import SearchDocument
from search.engine import IndexedVersion
from search.fields import value_factor
from search.highlights import mark
from search.pinyin import title_sounds
from search.request import SearchHit, SearchRequest, Suggestion

Record = Mapping[str, Any]

BARE = ("id", "value")
"""What of a record a bare hit is made of (`SearchRequest.bare`)."""


def record_of(document: SearchDocument) -> dict[str, Any]:
    """Return the JSON object an engine stores with an entry."""
    return {
        "id": document.id,
        "version": document.version,
        "code": document.code,
        "title": document.title,
        "sounds": title_sounds(document.title),
        "abstract": document.abstract,
        "value": document.value_score,
        "labels": sorted(document.labels),
        "stored": document.stored,
    }


def hit_of(
    record: Record, request: SearchRequest, score: float | None, *, exact: bool = False
) -> SearchHit:
    """Return the hit for a record; `score` None where the order is not by relevance."""
    marked: dict[str, str] = {}
    if request.highlight and request.words and not request.bare:
        found = ((name, mark(record[name], request.words)) for name in ("title", "abstract"))
        marked = {name: text for name, text in found if text is not None}
    return SearchHit(
        id=record["id"],
        code="" if request.bare else record["code"],
        score=score or 0.0,
        stored={} if request.bare else record["stored"],
        exact=exact,
        text_score=(None if score is None else score / value_factor(record["value"], request.beta)),
        highlights=marked,
    )


def browsing_score(record: Record, request: SearchRequest) -> float:
    """Return the score without words: the text score is 1 for all."""
    return value_factor(record["value"], request.beta)


def version_of(record: Record) -> IndexedVersion:
    return IndexedVersion(record["id"], record["version"], frozenset(record["labels"]))


def suggestion_of(record: Record) -> Suggestion:
    return Suggestion(record["id"], record["code"], record["title"])


def order_of(version: int, *, removed: bool) -> int:
    """Return the number by which writes are ordered: by version, a removal after a document."""
    return 2 * version + int(removed)
