"""The names of DCAT's world, and plain questions to a graph."""

from __future__ import annotations

from collections.abc import Iterator

from rdflib import DCAT, DCTERMS, FOAF, RDF, RDFS, SKOS, Graph, Literal, Namespace, URIRef
from rdflib.term import IdentifiedNode, Node

from harvesters.languages import best_text

ADMS = Namespace("http://www.w3.org/ns/adms#")
HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
SCHEMA = Namespace("http://schema.org/")
SCHEMAS = Namespace("https://schema.org/")
SPDX = Namespace("http://spdx.org/rdf/terms#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
_LABELS = (SKOS.prefLabel, RDFS.label, FOAF.name, DCTERMS.title, VCARD.fn, SCHEMA.name)


def datasets_in(graph: Graph) -> Iterator[IdentifiedNode]:
    """Yield the nodes of data sets, in an order that is the same next time.

    One that a catalogue lists is one, also without a type of its own.
    """
    found = {*graph.subjects(RDF.type, DCAT.Dataset), *graph.objects(None, DCAT.dataset)}
    named = {
        node
        for node in found
        if isinstance(node, IdentifiedNode)
        and any(graph.objects(node))
        and (node, RDF.first, None) not in graph  # a list of data sets is none itself
    }
    yield from sorted(named, key=lambda node: (_title(graph, node), str(node)))


def listed_in(graph: Graph) -> tuple[str, ...]:
    """Return the addresses of the data sets that catalogues list, described here or not."""
    found = {str(node) for node in graph.objects(None, DCAT.dataset) if isinstance(node, URIRef)}
    return tuple(sorted(found))


def _title(graph: Graph, node: Node) -> str:
    return text(graph, node, DCTERMS.title)


def text(graph: Graph, node: Node, *properties: URIRef) -> str:
    """Return the best text of the first of these properties that has one."""
    for one in properties:
        values = (value for value in graph.objects(node, one) if isinstance(value, Literal))
        found = best_text(sorted((value.language or "", str(value)) for value in values))
        if found:
            return found
    return ""


def texts(graph: Graph, node: Node, one: URIRef) -> tuple[str, ...]:
    """Return every text of a property, sorted: an RDF graph has no order."""
    values = (str(v).strip() for v in graph.objects(node, one) if isinstance(v, Literal))
    return tuple(sorted({value for value in values if value}))


def address(graph: Graph, node: Node, *properties: URIRef) -> str:
    """Return the address that one of the properties names, written as a resource or as text."""
    for one in properties:
        values = sorted(
            str(value).strip()
            for value in graph.objects(node, one)
            if isinstance(value, URIRef | Literal)
        )
        if values and values[0]:
            return values[0]
    return ""


def words(graph: Graph, node: Node, one: URIRef) -> tuple[str, ...]:
    """Return how each value of a property may be called: its text, address, tail and labels."""
    found: list[str] = []
    for value in sorted(graph.objects(node, one), key=str):
        if isinstance(value, URIRef):
            whole = str(value).rstrip("/")
            found += [str(value), whole, *_tails(whole)]
        elif isinstance(value, Literal):
            found.append(str(value).strip())
        label = text(graph, value, *_LABELS)
        if label:
            found.append(label)
    return tuple(dict.fromkeys(word for word in found if word))


def _tails(whole: str) -> tuple[str, ...]:
    return tuple(whole.rpartition(mark)[2] for mark in ("/", "#") if mark in whole)


def label(graph: Graph, node: Node, *properties: URIRef) -> str:
    """Return what the thing that a property points at is called, or the text that stands there."""
    for one in properties:
        for value in sorted(graph.objects(node, one), key=str):
            if isinstance(value, Literal):
                return str(value).strip()
            named = text(graph, value, *_LABELS)
            if named:
                return named
    return ""
