"""Explain hits to the one who got them: the words that were found, and where."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models.entry import CatalogueEntry
from portal.services.search_document import search_document
from search.explanations import Match, explain_match
from search.request import SearchRequest, SearchResult

MOST_EXPLAINED = 50


def explain_hits(
    session: Session, request: SearchRequest, result: SearchResult, labels: Collection[str]
) -> dict[int, tuple[Match, ...]]:
    """Return the matches of the first hits by entry, as the database has the entries now.

    An entry that the viewer may not open any more, whatever the index said, is left out.

    Args:
        labels: what the viewer holds, as for the search itself.
    """
    ids = [hit.id for hit in result.hits[:MOST_EXPLAINED]]
    if not request.words or not ids:
        return {}
    corrected = result.correction.used if result.correction else ""
    found: dict[int, tuple[Match, ...]] = {}
    for entry in session.scalars(select(CatalogueEntry).where(CatalogueEntry.id.in_(ids))):
        document = search_document(session, entry)
        if document is not None and not document.labels.isdisjoint(labels):
            found[entry.id] = explain_match(
                document, request.words, corrected, thesaurus=request.thesaurus
            )
    return found
