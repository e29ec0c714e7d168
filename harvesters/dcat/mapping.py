"""One dcat:Dataset of a graph to a `HarvestedRecord`. Pure.

Read are DCAT 2 and 3, DCAT-AP and what ckanext-dcat, udata and OpenDataSoft write. An RDF graph
has no order, so everything is sorted: the same graph gives the same record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rdflib import DCAT, DCTERMS, FOAF, OWL, RDF, BNode, Graph, Literal, URIRef
from rdflib.term import IdentifiedNode, Node

from harvesters.codes import CodeBook
from harvesters.dcat.vocabulary import (
    ADMS,
    SCHEMA,
    SCHEMAS,
    SPDX,
    VCARD,
    address,
    label,
    text,
    texts,
    words,
)
from harvesters.plain_values import day_of, keywords_of, moment_of, size_of
from harvesters.record import HarvestedFile, HarvestedRecord

_READ = frozenset(
    [
        RDF.type, DCTERMS.identifier, DCTERMS.title, DCTERMS.description, DCAT.keyword,
        DCTERMS.modified, DCAT.distribution,
    ]
)  # fmt: skip
"""What our fields say in full; everything else of a record also stays as it came."""

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_MOST_KEPT = 200


def record_from_node(
    graph: Graph, node: IdentifiedNode, book: CodeBook, *, place: str = ""
) -> HarvestedRecord:
    """Return the record of a data set's node; `fields` holds only what the graph states.

    Raises:
        ValueError: no identifier (a blank node without dct:identifier) or no title.
    """
    remote_id = text(graph, node, DCTERMS.identifier, ADMS.identifier)
    remote_id = remote_id or address(graph, node, DCTERMS.identifier)
    if not remote_id and not isinstance(node, BNode):
        remote_id = str(node)
    if not remote_id:
        raise ValueError("记录缺少标识（dct:identifier，或记录自己的地址）。")
    title = text(graph, node, DCTERMS.title)
    if not title:
        raise ValueError("记录缺少标题（dct:title）。")
    fields: dict[str, Any] = {"title": title}
    for read in (_texts, _people, _times, _openness, _themes):
        fields |= {key: value for key, value in read(graph, node, book).items() if value}
    files = _files(graph, node, book)
    formats = tuple(dict.fromkeys(f.format for f in files if book.find("formats", f.format)))
    if formats:
        fields["format"] = formats
    if "licence" not in fields:
        fields |= _licence_of_files(graph, node, book)
    modified = moment_of(text(graph, node, DCTERMS.modified))
    return HarvestedRecord(remote_id, fields, place, "", modified, files, _rest(graph, node))


def _texts(graph: Graph, node: Node, _: CodeBook) -> dict[str, Any]:
    return {
        "abstract": text(graph, node, DCTERMS.description),
        "keywords": keywords_of(texts(graph, node, DCAT.keyword)),
    }


def _people(graph: Graph, node: Node, _: CodeBook) -> dict[str, Any]:
    contact = next(iter(sorted(graph.objects(node, DCAT.contactPoint), key=str)), None)
    found: dict[str, Any] = {
        "provider_name": label(graph, node, DCTERMS.publisher, DCTERMS.creator)
    }
    if contact is not None:
        found["contact_name"] = text(graph, contact, VCARD.fn, FOAF.name)
        mail = address(graph, contact, VCARD.hasEmail, VCARD.email, FOAF.mbox)
        if "@" in mail:  # an address without mailto: was read as a path beside the document
            found["contact_email"] = mail.removeprefix("mailto:").rpartition("/")[2]
    return found


def _times(graph: Graph, node: Node, book: CodeBook) -> dict[str, Any]:
    issued = moment_of(text(graph, node, DCTERMS.issued))
    found: dict[str, Any] = {
        "data_modified": moment_of(text(graph, node, DCTERMS.modified)),
        "issued": issued.date() if issued else None,
        "update_frequency": _code(
            book, "update_frequency", words(graph, node, DCTERMS.accrualPeriodicity)
        ),
    }
    for period in sorted(graph.objects(node, DCTERMS.temporal), key=str):
        start = text(graph, period, DCAT.startDate, SCHEMA.startDate, SCHEMAS.startDate)
        end = text(graph, period, DCAT.endDate, SCHEMA.endDate, SCHEMAS.endDate)
        found["temporal_start"], found["temporal_end"] = day_of(start), day_of(end)
        break
    return found


def _openness(graph: Graph, node: Node, book: CodeBook) -> dict[str, Any]:
    licence = (*words(graph, node, DCTERMS.license), *words(graph, node, DCTERMS.rights))
    return {
        "open_type": _code(book, "open_types", words(graph, node, DCTERMS.accessRights)),
        "licence": _code(book, "licences", licence),
        "region": _code(book, "regions", words(graph, node, DCTERMS.spatial)),
    }


def _licence_of_files(graph: Graph, node: Node, book: CodeBook) -> dict[str, Any]:
    """Many catalogues give the licence with the files; it counts if all say the same."""
    found = {
        _code(book, "licences", words(graph, file, DCTERMS.license))
        for file in graph.objects(node, DCAT.distribution)
    }
    only = next(iter(found)) if len(found) == 1 else None
    return {"licence": only} if only else {}


def _themes(graph: Graph, node: Node, book: CodeBook) -> dict[str, Any]:
    given = words(graph, node, DCAT.theme)
    known = tuple(dict.fromkeys(filter(None, (book.find("themes", word) for word in given))))[:4]
    return {"theme": known[0] if known else None, "more_themes": known[1:]}


def _code(book: CodeBook, list_name: str, given: Iterable[str]) -> str | None:
    return next(filter(None, (book.find(list_name, word) for word in given)), None)


def _files(graph: Graph, node: Node, book: CodeBook) -> tuple[HarvestedFile, ...]:
    made: dict[str, HarvestedFile] = {}
    found = [_file(graph, one, book) for one in graph.objects(node, DCAT.distribution)]
    for number, file in enumerate(sorted(found, key=lambda f: (f.name, f.url, f.remote_id))):
        key = file.remote_id or file.url or file.name or "1"
        key = key if key not in made else f"{key}#{number}"
        made[key] = replace(file, remote_id=key)
    return tuple(made.values())


def _file(graph: Graph, node: Node, book: CodeBook) -> HarvestedFile:
    url = address(graph, node, DCAT.downloadURL, DCAT.accessURL)
    service = next(iter(graph.objects(node, DCAT.accessService)), None)
    if not url and service is not None:
        url = address(graph, service, DCAT.endpointURL)
    kinds = (*words(graph, node, DCTERMS["format"]), *words(graph, node, DCAT.mediaType))
    media = next((word for word in kinds if re.fullmatch(r"[\w.+-]+/[\w.+-]+", word)), "")
    stated = label(graph, node, DCTERMS["format"]) or (kinds[-1] if kinds else "")
    code = _code(book, "formats", kinds) or stated.rstrip("/").rpartition("/")[2]
    identifier = text(graph, node, DCTERMS.identifier)
    return HarvestedFile(
        remote_id=identifier or ("" if isinstance(node, BNode) else str(node)),
        name=text(graph, node, DCTERMS.title) or url.rstrip("/").rpartition("/")[2],
        url=url,
        format=code,
        description=text(graph, node, DCTERMS.description),
        media_type=media,
        size_bytes=size_of(text(graph, node, DCAT.byteSize)),
        sha256=_sha256(graph, node),
        modified=moment_of(text(graph, node, DCTERMS.modified)),
    )


def _sha256(graph: Graph, node: Node) -> str:
    for one in graph.objects(node, SPDX.checksum):
        value = text(graph, one, SPDX.checksumValue) or address(graph, one, SPDX.checksumValue)
        if _SHA256.fullmatch(value):
            return value.lower()
    return ""


def _rest(graph: Graph, node: Node) -> dict[str, Any]:
    """Return the other statements about the data set: property -> texts and addresses."""
    kept: dict[str, list[str]] = {}
    for one, value in sorted(
        graph.predicate_objects(node), key=lambda pair: (pair[0], pair[1].n3())
    ):
        if one in _READ or (one == OWL.sameAs and value == node):
            continue
        shown = _shown(graph, value)
        if shown and len(kept) < _MOST_KEPT:
            kept.setdefault(str(one), []).append(shown)
    return {key: values[:_MOST_KEPT] for key, values in kept.items()}


def _shown(graph: Graph, value: Node) -> str:
    if isinstance(value, Literal | URIRef):
        return str(value)
    inner = sorted(
        f"{one!s} {other}"
        for one, other in graph.predicate_objects(value)
        if isinstance(other, Literal | URIRef)
    )
    return "; ".join(inner)
