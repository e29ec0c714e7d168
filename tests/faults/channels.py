"""Every way in which a search gives an entry away: hits, counts, facets, suggestions, walks."""

from __future__ import annotations

from portal.actor import ANONYMOUS, Actor
from portal.platform import Platform
from portal.services.search import search_catalogue, suggest_entries
from search.request import FacetAsk, SearchRequest, SearchResult, Sort


def counts_and_hits(
    platform: Platform, word: str, reader: Actor = ANONYMOUS
) -> tuple[dict[str, int], dict[str, set[int]]]:
    """Return by channel how many entries it counts for a word, and which ones it names.

    The word stands in titles and as a keyword. An official's private entries are asked for too.
    """
    with platform.database.reading() as session:

        def ask(**asked: object) -> SearchResult:
            request = SearchRequest(**{"rows": 100, **asked})  # type: ignore[arg-type]
            return search_catalogue(
                session, platform.engine, request, reader, include_private=not reader.is_anonymous
            )

        found = ask(words=word, facets=(FacetAsk("theme", 100), FacetAsk("organisation", 100)))
        browsed = ask(filters={"tags": (word,)}, sort=Sort.MODIFIED)
        everything = ask(rows=0, facets=(FacetAsk("tags", 1000),))
        walked = ask(filters={"tags": (word,)}, after="")
        suggested = suggest_entries(session, platform.engine, word, limit=20)
    tags = {count.code: count.count for count in everything.facets["tags"]}
    counts = {
        "total by words": 0 if found.relaxed else found.total,
        "total by filter": browsed.total,
        "total of the walk": walked.total,
        "tag count": tags.get(word, 0),
    }
    for name, facet in ({} if found.relaxed else found.facets).items():
        counts[f"facet {name}"] = sum(count.count for count in facet)
    hits = {
        "words": {hit.id for hit in found.hits if not found.relaxed},
        "filter": {hit.id for hit in browsed.hits},
        "walk": {hit.id for hit in walked.hits},
        "suggestions": {suggestion.id for suggestion in suggested},
    }
    return counts, hits
