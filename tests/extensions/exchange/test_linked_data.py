"""The catalogue as RDF, read back by rdflib and by our own harvester."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from rdflib import DCAT, DCTERMS, FOAF, RDF, Graph, Literal, URIRef

from extensions.exchange.dcat import AUTHORITY, HYDRA, SPDX
from extensions.exchange.web import linked_data
from harvesters.codes import CodeBook
from harvesters.dcat.mapping import record_from_node
from harvesters.dcat.vocabulary import datasets_in
from portal.codes import all_code_names
from tests.portal.web.conftest import Site

SITE = "http://127.0.0.1:5000"
FORMS = {"ttl": "turtle", "rdf": "xml", "jsonld": "json-ld", "nt": "nt"}


def graph_of(visitor: FlaskClient, path: str) -> Graph:
    answer = visitor.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    return Graph().parse(data=answer.data, format=FORMS[path.split("?")[0].rpartition(".")[2]])


@pytest.mark.parametrize("ending", FORMS)
def test_a_data_set_says_the_same_in_every_form(
    ending: str, site: Site, visitor: FlaskClient
) -> None:
    slug = site.opened(title="长春市公交站点", title_en="Bus stops", temporal_start=None)
    graph = graph_of(visitor, f"/dataset/{slug}.{ending}")
    node = URIRef(f"{SITE}/dataset/{slug}")
    assert (node, RDF.type, DCAT.Dataset) in graph
    assert set(graph.objects(node, DCTERMS.title)) == {
        Literal("长春市公交站点", lang="zh-Hans"),
        Literal("Bus stops", lang="en"),
    }
    assert (node, DCTERMS.accessRights, URIRef(f"{AUTHORITY}access-right/PUBLIC")) in graph
    assert (node, DCTERMS.accrualPeriodicity, URIRef(f"{AUTHORITY}frequency/MONTHLY")) in graph
    assert (node, DCAT.theme, URIRef(f"{AUTHORITY}data-theme/TRAN")) in graph
    publisher = graph.value(node, DCTERMS.publisher)
    assert graph.value(publisher, FOAF.name) == Literal("吉林省交通运输厅", lang="zh-Hans")
    (file,) = graph.objects(node, DCAT.distribution)
    (view,) = site.files(slug)
    assert view.current is not None
    checksum = graph.value(file, SPDX.checksum)
    assert str(graph.value(checksum, SPDX.checksumValue)) == view.current.sha256
    assert int(str(graph.value(file, DCAT.byteSize))) == view.current.size_bytes
    download = str(graph.value(file, DCAT.downloadURL))
    assert visitor.get(download.removeprefix(SITE)).status_code == 200


def test_our_own_harvester_reads_it_back(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(title="长春市公交站点", keywords=("公交", "站点"))
    graph = graph_of(visitor, "/catalog.ttl")
    (node,) = datasets_in(graph)
    record = record_from_node(graph, node, CodeBook(all_code_names()))
    assert record.fields["title"] == "长春市公交站点"
    assert record.fields["keywords"] == ("公交", "站点")
    assert record.fields["open_type"] == "unconditional"
    assert record.fields["licence"] == "cc-by-4.0"
    assert record.fields["region"] == "220000"
    assert [file.format for file in record.files] == ["csv"]
    assert str(node).endswith(slug)


def test_what_the_public_may_not_see_is_in_none_of_it(site: Site, visitor: FlaskClient) -> None:
    secret = "不公开的依据第七号"
    slug = site.opened(closed_basis=(), share_condition=secret)
    draft = site.change(lambda _s, catalogue, _p: catalogue.draft().entry.slug)
    for ending in FORMS:
        for path in (f"/dataset/{slug}.{ending}", f"/catalog.{ending}"):
            text = visitor.get(path).text
            assert secret not in text
            assert draft not in text
            assert "security_level" not in text
        assert visitor.get(f"/dataset/{draft}.{ending}").status_code == 404


def test_a_withdrawn_one_is_gone_with_its_reason(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    site.retire(slug, "数据源已停用", settle=False)
    answer = visitor.get(f"/dataset/{slug}.ttl")
    assert answer.status_code == 410
    assert "数据源已停用" in answer.text
    assert slug not in visitor.get("/catalog.nt").text


def test_pages_hold_every_data_set_once(
    site: Site, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linked_data, "PAGE_ROWS", 2)
    slugs = {site.opened() for _ in range(3)}
    found: list[str] = []
    path = "/catalog.ttl"
    while path:
        graph = graph_of(visitor, path)
        found += [str(node).rpartition("/")[2] for node in datasets_in(graph)]
        page = next(graph.subjects(RDF.type, HYDRA.PartialCollectionView))
        assert int(str(graph.value(page, HYDRA.totalItems))) == 3
        path = str(graph.value(page, HYDRA.next) or "").removeprefix(SITE)
    assert sorted(found) == sorted(slugs)
    assert visitor.get("/catalog.ttl?page=3").status_code == 404
    assert visitor.get("/catalog.ttl?page=-1").status_code in (404, 422)
    assert visitor.get(f"/catalog.ttl?page={10**9}").status_code in (404, 422)


@pytest.mark.parametrize(
    ("accept", "ending"),
    [
        ("text/turtle", "ttl"),
        ("application/rdf+xml;q=0.9, text/turtle;q=0.5", "rdf"),
        ("application/ld+json", "jsonld"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", None),
        ("*/*", None),
        ("", None),
    ],
)
def test_a_client_gets_the_form_that_it_asks_for(
    accept: str, ending: str | None, site: Site, visitor: FlaskClient
) -> None:
    slug = site.opened()
    answer = visitor.get(f"/dataset/{slug}", headers={"Accept": accept})
    if ending is None:
        assert answer.mimetype == "text/html"
        assert f"/dataset/{slug}.ttl" in answer.headers.get("Link", "") or answer.headers.getlist(
            "Link"
        )
    else:
        assert (answer.status_code, answer.location) == (303, f"/dataset/{slug}.{ending}")


@pytest.mark.parametrize(
    "odd",
    ["<script>alert(1)</script>", 'a"b<c>&', "换行\n和制表\t", "https://x/ 空 格"],
)
def test_odd_texts_stay_texts(odd: str, site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(
        abstract="站点名称、位置和首末班时间。" + odd, keywords=(odd[:40],), contact_email=""
    )
    for ending in FORMS:
        graph = graph_of(visitor, f"/dataset/{slug}.{ending}")
        node = URIRef(f"{SITE}/dataset/{slug}")
        assert len(list(graph.objects(node, DCTERMS.description))) == 1


def test_addresses_that_are_none_stay_out(site: Site, visitor: FlaskClient) -> None:
    from extensions.exchange.dcat import add_dataset, new_graph

    package: dict[str, Any] = {
        "id": "1", "name": "one", "title": "一", "metadata_modified": "2026-01-01T00:00:00",
        "license_url": "javascript:alert(1)",
        "resources": [
            {"id": "a b<c>", "url": "javascript:alert(1)", "format": "CSV"},
            {"id": "2", "url": "http://[::bad", "size": -5, "hash": "x"},
            {"id": "3", "url": "https://a.example/有 空格.csv", "size": "12", "url_type": "upload"},
        ],
    }  # fmt: skip
    graph = new_graph(SITE)
    add_dataset(graph, package, SITE)
    for form in ("turtle", "pretty-xml", "json-ld", "nt"):
        assert "javascript" not in graph.serialize(format=form)
