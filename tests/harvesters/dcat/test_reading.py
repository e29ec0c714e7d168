"""Graphs out of what sources send, hostile ones among them."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import Any

import pytest
import requests

from harvesters.dcat.kind import DcatKind
from harvesters.dcat.reading import MAX_BYTES, read_graph
from harvesters.record import Codes, SourceFailed, SourceSettings
from harvesters.whole_answer import WholeAnswer
from tests.harvesters.conftest import Naps
from tests.harvesters.replay import Answer, ReplayServer

TURTLE = b"@prefix dcat: <http://www.w3.org/ns/dcat#> . <https://a.example/1> a dcat:Dataset ."
XML = (
    b'<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    b'xmlns:dcat="http://www.w3.org/ns/dcat#"><dcat:Dataset rdf:about="https://a.example/1"/></rdf:RDF>'
)
JSON_LD = {"@id": "https://a.example/1", "@type": "http://www.w3.org/ns/dcat#Dataset"}
NT = (
    b"<https://a.example/1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> "
    b"<http://www.w3.org/ns/dcat#Dataset> ."
)


def whole(content: bytes, media_type: str = "", name: str = "catalog") -> WholeAnswer:
    return WholeAnswer(content, media_type, f"https://a.example/{name}")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (TURTLE, "text/turtle"),
        (TURTLE, "application/octet-stream"),
        (XML, "application/rdf+xml"),
        (XML, "text/plain"),
        (b"\xef\xbb\xbf" + XML, "text/turtle"),
        (NT, "application/n-triples"),
        (json.dumps(JSON_LD).encode(), "application/ld+json"),
        (json.dumps([JSON_LD]).encode(), "text/html"),
    ],
)
def test_every_serialisation_is_read_whatever_its_type_says(
    content: bytes, media_type: str
) -> None:
    assert len(read_graph(whole(content, media_type))) == 1


@pytest.mark.parametrize(
    "content",
    [b"<!DOCTYPE html><html></html>", b"not rdf at all", XML[:-20], b'{"@id": ', TURTLE[:-40]],
)
def test_what_is_no_rdf_fails(content: bytes) -> None:
    with pytest.raises(SourceFailed):
        read_graph(whole(content))


def test_entities_are_refused() -> None:
    bomb = XML.replace(
        b'<?xml version="1.0"?>',
        b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
    )
    with pytest.raises(SourceFailed, match="实体"):
        read_graph(whole(bomb, "application/rdf+xml"))
    outside = XML.replace(
        b'<?xml version="1.0"?>',
        b'<?xml version="1.0"?><!DOCTYPE r [<!entity x SYSTEM "file:///etc/passwd">]>',
    )
    with pytest.raises(SourceFailed):
        read_graph(whole(outside, "application/rdf+xml"))


@pytest.mark.parametrize(
    "context",
    [
        "http://127.0.0.1:9/secret",
        ["http://127.0.0.1:9/secret"],
        {"@import": "http://127.0.0.1:9/secret"},
        {"x": {"@id": "http://a.example/x", "@context": "http://127.0.0.1:9/secret"}},
    ],
)
def test_no_context_is_fetched(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []

    def refuse(*address: Any, **_: Any) -> None:
        opened.append(address)
        raise OSError("no connection in this test")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    content = json.dumps({"@context": context, "x": "y", **JSON_LD}).encode()
    with suppress(SourceFailed):
        read_graph(whole(content))
    assert not opened


def test_the_usual_context_stands_for_a_named_one() -> None:
    document = {"@context": "https://example.org/dcat.jsonld", "@id": "https://a.example/1",
                "@type": "dcat:Dataset"}  # fmt: skip
    assert len(read_graph(whole(json.dumps(document).encode()))) == 1


def test_a_page_that_is_too_large_is_refused() -> None:
    with pytest.raises(SourceFailed, match="MB"):
        read_graph(whole(TURTLE + b"#" * MAX_BYTES))


def hydra(number: int, following: int | None) -> Answer:
    page = {"@id": f"/c?page={number}", "@type": "hydra:PartialCollectionView"}
    if following is not None:
        page["hydra:next"] = {"@id": f"/c?page={following}"}  # type: ignore[assignment]
    graph = [
        page,
        {
            "@id": f"https://a.example/{number}",
            "@type": "dcat:Dataset",
            "dct:title": f"第 {number} 个",
        },
        {"@id": "https://a.example/again", "@type": "dcat:Dataset", "dct:title": "重叠的一个"},
    ]
    body = {"@context": "https://a.example/dcat.jsonld", "@graph": graph}
    return Answer(body=json.dumps(body).encode(), headers={"Content-Type": "application/ld+json"})


def test_pages_are_walked_to_the_last(
    server: ReplayServer, http: requests.Session, codes: Codes, naps: Naps
) -> None:
    server.on("/c", hydra(1, 2), hydra(2, 3), hydra(3, None))
    found = list(DcatKind(codes, sleep=naps).gather(SourceSettings(server.url + "/c"), http))
    assert sorted(record.remote_id[-5:] for record in found) == ["again", "ple/1", "ple/2", "ple/3"]


@pytest.mark.parametrize(("following", "message"), [(1, "绕回"), (5, "超过 3 页")])
def test_pages_without_end_fail(
    following: int,
    message: str,
    server: ReplayServer,
    http: requests.Session,
    codes: Codes,
    naps: Naps,
) -> None:
    numbers = iter(range(1, 100))
    server.on("/c", lambda _asked: hydra(1, following if following == 1 else next(numbers) + 1))
    settings = SourceSettings(server.url + "/c", {"max_pages": 3})
    with pytest.raises(SourceFailed, match=message):
        list(DcatKind(codes, sleep=naps).gather(settings, http))
