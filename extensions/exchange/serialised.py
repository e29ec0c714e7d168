"""Whole RDF documents as bytes. Loads rdflib, which most processes never need: import it late."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from rdflib import Graph

from extensions.exchange.dcat import (
    add_catalogue,
    add_dataset,
    add_members,
    add_pages,
    add_series,
    new_graph,
)
from extensions.exchange.reading import Package

_BLANK = re.compile(r"(?:^|(?<= ))_:[A-Za-z0-9]+(?= )")  # as subject or object, in no literal
SERIALISERS = {"ttl": "turtle", "rdf": "pretty-xml", "jsonld": "json-ld", "nt": "nt"}


def dataset_document(package: Package, site_url: str, ending: str) -> bytes:
    """Return the description of one data set."""
    graph = new_graph(site_url)
    add_dataset(graph, package, site_url)
    return _bytes(graph, ending)


def series_document(
    packages: Iterable[Package], site_url: str, ending: str, *, series_id: str, texts: Sequence[str]
) -> bytes:
    """Return a series (`texts`: its title and description) with its data sets in their order."""
    graph = new_graph(site_url)
    series = add_series(graph, series_id, *texts, site_url)
    add_members(graph, series, [str(add_dataset(graph, one, site_url)) for one in packages])
    return _bytes(graph, ending)


def dataset_lines(package: Package, site_url: str) -> bytes:
    """Return one data set as N-Triples, sorted.

    A blank node is named after the data set and what is said of the node: the same package gives the
    same lines, and no two data sets share a node.
    """
    graph = new_graph(site_url)
    add_dataset(graph, package, site_url)
    lines = [line for line in graph.serialize(format="nt").splitlines() if line]
    said: dict[str, list[str]] = {}
    for line in lines:
        node, _, rest = line.partition(" ")
        if node.startswith("_:"):
            said.setdefault(node, []).append(rest)
    names = {node: _name(str(package["id"]), sorted(rest)) for node, rest in said.items()}
    named = (_BLANK.sub(lambda found: names.get(found[0], found[0]), line) for line in lines)
    return "\n".join(sorted(set(named))).encode() + b"\n"


def _name(package_id: str, said: list[str]) -> str:
    return "_:b" + hashlib.sha256("\n".join([package_id, *said]).encode()).hexdigest()[:24]


def catalogue_document(
    packages: Iterable[Package],
    site_url: str,
    ending: str,
    *,
    title: str,
    here: str,
    total: int,
    links: Mapping[str, str],
) -> bytes:
    """Return one page of the catalogue with its data sets and Hydra's links to other pages."""
    graph = new_graph(site_url)
    nodes = [add_dataset(graph, package, site_url) for package in packages]
    add_catalogue(graph, site_url, title, nodes)
    add_pages(graph, here, total=total, links=links)
    return _bytes(graph, ending)


def _bytes(graph: Graph, ending: str) -> bytes:
    form = SERIALISERS[ending]
    more = {"auto_compact": True} if form == "json-ld" else {}
    body: bytes = graph.serialize(format=form, encoding="utf-8", **more)
    return body
