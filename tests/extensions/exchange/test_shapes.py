"""The catalogue's RDF against shapes, by pyshacl."""

from __future__ import annotations

from pathlib import Path

import pyshacl
import rdflib
from flask.testing import FlaskClient

from tests.portal.web.conftest import Site

SHAPES = Path(__file__).parent / "shapes.ttl"


def checked(data: bytes) -> tuple[bool, str]:
    conforms, _, text = pyshacl.validate(
        rdflib.Graph().parse(data=data, format="turtle"),
        shacl_graph=rdflib.Graph().parse(SHAPES),
        inference="none",
    )
    return bool(conforms), str(text)


def test_the_catalogue_keeps_the_shapes(site: Site, visitor: FlaskClient) -> None:
    site.opened(title_en="Bus stops", contact_email="data@example.cn")
    site.conditional()
    conforms, text = checked(visitor.get("/catalog.ttl").data)
    assert conforms, text


def test_the_shapes_themselves_notice(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    data = visitor.get(f"/dataset/{slug}.ttl").data
    assert checked(data)[0]
    broken = data.replace(b"dct:publisher", b"dct:source").replace(b"dcat:accessURL", b"dcat:x")
    assert not checked(broken)[0]
