"""Put a collection into an engine of its own and ask it the judged queries."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from search.document import SearchDocument
from search.engine import SearchEngine
from search.engines import open_engine
from search.evaluation import JudgedQuery, Outcome, outcome
from search.judgement_files import PUBLIC
from search.request import SearchRequest

DEPTH = 100  # hits looked at: a known entry below has the reciprocal rank 0
MEANS = ("thesaurus", "spellings", "some-words")
"""What can be left out, to see what it gains: the thesaurus of everyday words; pinyin and the
correction of errors; entries that hold some of the words after those that hold all."""


@dataclass(frozen=True)
class Collection:
    """An engine that holds the documents, and what is needed to measure its answers."""

    engine: SearchEngine
    values: Mapping[str, float]
    names: Mapping[str, str]
    """Code or CKAN name of an entry → its code."""


@contextmanager
def opened_collection(documents: Sequence[SearchDocument], url: str = "") -> Iterator[Collection]:
    """Index the documents in a folder or an index made for this, and remove it afterwards.

    Args:
        url: of the search engine; empty for the embedded one.

    Raises:
        SearchUnavailable: the engine does not answer.
    """
    names = {name: d.code for d in documents for name in (d.name, d.code) if name}
    values = {document.code: document.value_score for document in documents}
    index = f"xiangyun-evaluation-{uuid.uuid4().hex[:12]}"
    with tempfile.TemporaryDirectory(prefix="xiangyun-evaluation-") as folder:
        engine = open_engine(url, Path(folder), index=index)
        with closing(engine):
            try:
                engine.rebuild(documents)
                yield Collection(engine, values, names)
            finally:
                if url:
                    _remove(url, index)


def _remove(url: str, index: str) -> None:
    from elasticsearch import Elasticsearch

    with closing(Elasticsearch(url)) as client:
        names = list(client.indices.get(index=f"{index}-*", allow_no_indices=True).body)
        if names:
            client.indices.delete(index=names)


def evaluate(
    collection: Collection,
    queries: Sequence[JudgedQuery],
    *,
    beta: float,
    without: Sequence[str] = (),
) -> list[Outcome]:
    """Ask every query as an anonymous visitor does, and measure what comes.

    Args:
        without: which of `MEANS` to leave out.
    """
    measured = []
    for query in queries:
        request = SearchRequest(
            words=query.text,
            rows=DEPTH,
            beta=beta,
            thesaurus="thesaurus" not in without,
            as_typed="spellings" in without,
            strictly="some-words" in without,
        )
        found = [hit.code for hit in collection.engine.search(request, PUBLIC).hits]
        measured.append(outcome(query, found, collection.values))
    return measured


def resolved(
    queries: Sequence[JudgedQuery], names: Mapping[str, str]
) -> tuple[list[JudgedQuery], set[str]]:
    """Return the queries with codes for names, and the judged codes that are not there."""
    missing: set[str] = set()
    known = []
    for query in queries:
        missing |= query.grades.keys() - names.keys()
        grades = {names.get(code, code): grade for code, grade in query.grades.items()}
        known.append(replace(query, grades=grades))
    return known, missing
