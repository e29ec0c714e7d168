"""Fetching the graph of a catalogue, page by page where Hydra says that there is a next one."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin

import requests
from rdflib import RDF, Graph

from harvesters.dcat.reading import read_graph
from harvesters.dcat.vocabulary import HYDRA, address
from harvesters.patience import Patience
from harvesters.record import SourceFailed, SourceSettings
from harvesters.whole_answer import fetch_whole

ACCEPT = (
    "text/turtle, application/n-triples, application/ld+json;q=0.9, application/rdf+xml;q=0.8, "
    "application/json;q=0.5, application/xml;q=0.5, */*;q=0.1"
)
MAX_PAGES = 2_000


def gather_pages(
    settings: SourceSettings, http: requests.Session, patience: Patience
) -> Iterator[Graph]:
    """Yield the graph of each page.

    Raises:
        SourceFailed: a page is missing or cannot be read, or the pages go in a circle.
    """
    most = int(settings.options.get("max_pages") or MAX_PAGES)
    url, asked = settings.url, set[str]()
    while url:
        if url in asked:
            raise SourceFailed(f"来源的分页绕回了已经取过的一页：{url[:200]}")
        if len(asked) >= most:
            raise SourceFailed(f"来源的分页超过 {most} 页，未作任何处理。")
        asked.add(url)
        answer = fetch_whole(settings, http, patience, url=url, accept=ACCEPT)
        graph = read_graph(answer)
        yield graph
        url = _next(graph, answer.url)


def _next(graph: Graph, here: str) -> str:
    """Return the address of the next page; both of Hydra's ways of saying it are met."""
    holders = {
        node
        for kind in (HYDRA.PartialCollectionView, HYDRA.PagedCollection, HYDRA.Collection)
        for node in graph.subjects(RDF.type, kind)
    }
    for node in sorted(holders, key=str):
        found = address(graph, node, HYDRA.next, HYDRA.nextPage)
        if found:
            return urljoin(here, found)
    return ""
