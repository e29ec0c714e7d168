"""Whole RDF documents as bytes. Loads rdflib, which most processes never need: import it late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rdflib import Graph

from extensions.exchange.dcat import add_catalogue, add_dataset, add_pages, new_graph
from extensions.exchange.reading import Package

SERIALISERS = {"ttl": "turtle", "rdf": "pretty-xml", "jsonld": "json-ld", "nt": "nt"}


def dataset_document(package: Package, site_url: str, ending: str) -> bytes:
    """Return the description of one data set."""
    graph = new_graph(site_url)
    add_dataset(graph, package, site_url)
    return _bytes(graph, ending)


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
