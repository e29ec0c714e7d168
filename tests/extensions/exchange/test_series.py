"""Series: made in the browser, shown beside each data set, in RDF and in the Action API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from rdflib import DCTERMS, RDF, Graph, Namespace, URIRef
from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.exchange.models.series import DatasetSeries, list_members
from extensions.exchange.series import SeriesService, SeriesText, suggest_series
from extensions.exchange.series_names import cut_of
from portal.errors import Conflict, Forbidden, Invalid
from portal.models.entry import get_entry
from tests.factories import HEALTH, Catalogue, People
from tests.portal.web.conftest import Site
from tests.portal.web.work.conftest import Office

DCAT = Namespace("http://www.w3.org/ns/dcat#")
YEARS = ("2023", "2024", "2025")


@pytest.mark.parametrize(
    ("title", "stem", "cut_by", "label"),
    [
        ("吉林省公交客流（2024年）", "吉林省公交客流", "year", "2024年"),
        ("2024年度吉林省公交客流", "吉林省公交客流", "year", "2024年"),
        ("吉林省2024年公交客流", "吉林省公交客流", "year", "2024年"),
        ("长春市公交客流", "公交客流", "region", "长春市"),
        ("长春市2024年公交客流", "长春市公交客流", "year", "2024年"),
    ],
)
def test_a_title_says_what_differs(title: str, stem: str, cut_by: str, label: str) -> None:
    found = cut_of(title)
    assert found is not None
    assert (found.stem, found.cut_by, found.label) == (stem, cut_by, label)


@pytest.mark.parametrize("title", ["公交客流", "编号20245号", "12024年", "第1999999号"])
def test_a_title_without_year_and_region_says_nothing(title: str) -> None:
    assert cut_of(title) is None


def opened_years(site: Site) -> list[str]:
    return [site.opened(title=f"公交客流（{year}年）") for year in YEARS]


def made(site: Site, slugs: list[str]) -> str:
    def do(session: Session, _catalogue: Catalogue, people: People) -> str:
        text = SeriesText("公交客流", "year", [(slug, "") for slug in slugs], "各年客流")
        service = SeriesService(session, site.platform.clock, people.editor)
        return service.create(text).public_id

    return str(site.change(do))


def extra(visitor: FlaskClient, slug: str) -> Any:
    package = visitor.get(f"/api/3/action/package_show?id={slug}").get_json()["result"]
    found = {one["key"]: one["value"] for one in package["extras"]}.get("jl_series")
    return json.loads(found) if found else None


def test_every_member_names_the_series_and_its_neighbours(site: Site, visitor: FlaskClient) -> None:
    slugs = opened_years(site)
    key = made(site, slugs)
    middle = extra(visitor, slugs[1])
    assert (middle["id"], middle["label"]) == (key, "2024年")
    assert (middle["previous"], middle["next"]) == (slugs[0], slugs[2])
    page = visitor.get(f"/dataset/{slugs[1]}").text
    assert "本系列其他年份" in page
    assert f'href="/dataset/{slugs[0]}">2023年</a>' in page
    assert f'href="/dataset/{slugs[1]}">2024年' not in page
    assert "/work/series" not in page
    assert visitor.get(f"/series/{key}").text.count('href="/dataset/') >= 3
    shown = visitor.get(f"/api/3/action/series_show?id={key}").get_json()["result"]
    assert [one["name"] for one in shown["datasets"]] == slugs
    assert len(visitor.get("/api/3/action/series_list").get_json()["result"]) == 1
    assert visitor.get("/series/none").status_code == 404
    assert visitor.get("/api/3/action/series_show?id=none").status_code == 404


def test_rdf_names_the_series_as_dcat_3_does(site: Site, visitor: FlaskClient) -> None:
    slugs = opened_years(site)
    key = made(site, slugs)
    graph = Graph().parse(data=visitor.get(f"/dataset/{slugs[1]}.ttl").data, format="turtle")
    (series,) = graph.subjects(RDF.type, DCAT.DatasetSeries)
    assert isinstance(series, URIRef)
    assert series.endswith(f"/series/{key}")
    (node,) = graph.subjects(DCAT.inSeries, series)
    assert [str(one).rpartition("/")[2] for one in graph.objects(node, DCAT.prev)] == [slugs[0]]
    assert [str(one).rpartition("/")[2] for one in graph.objects(node, DCAT.next)] == [slugs[2]]
    answer = visitor.get(f"/series/{key}", headers={"Accept": "text/turtle"})
    assert answer.headers["Location"] == f"/series/{key}.ttl"
    for ending, form in (("ttl", "turtle"), ("rdf", "xml"), ("jsonld", "json-ld"), ("nt", "nt")):
        whole = Graph().parse(data=visitor.get(f"/series/{key}.{ending}").data, format=form)
        assert len(set(whole.objects(series, DCAT.seriesMember))) == 3
        assert str(whole.value(series, DCAT.last)).endswith(slugs[2])
        assert str(whole.value(series, DCTERMS.description)) == "各年客流"
    catalogue = Graph().parse(data=visitor.get("/catalog.ttl").data, format="turtle")
    assert len(set(catalogue.subjects(DCAT.inSeries, series))) == 3


def test_a_withdrawn_member_is_left_out_everywhere(site: Site, visitor: FlaskClient) -> None:
    slugs = opened_years(site)
    key = made(site, slugs)
    site.retire(slugs[1], "停用")
    site.change(lambda *_: None)  # its neighbours are indexed again
    assert extra(visitor, slugs[0])["next"] == slugs[2]
    assert extra(visitor, slugs[2])["previous"] == slugs[0]
    assert slugs[1] not in visitor.get(f"/series/{key}").text
    assert slugs[1].encode() not in visitor.get(f"/series/{key}.ttl").data


def test_who_may_not_edit_a_data_set_puts_it_in_no_series(site: Site) -> None:
    slugs = opened_years(site)
    made(site, slugs[:2])

    def try_it(session: Session, _catalogue: Catalogue, people: People) -> None:
        clock = site.platform.clock
        stranger = SeriesService(session, clock, people.stranger)
        text = SeriesText("公交客流", "year", [(slug, "2020年") for slug in slugs])
        with pytest.raises(Invalid) as refused:
            stranger.create(text)
        assert [d.params["line"] for d in refused.value.defects] == [1, 2, 3]
        (series,) = session.scalars(select(DatasetSeries))
        with pytest.raises(Forbidden):
            stranger.change(series, text, seen=series.row_version)
        own = SeriesService(session, clock, people.editor)
        with pytest.raises(Conflict):
            own.remove(series, seen=series.row_version + 1)
        with pytest.raises(Invalid) as taken:
            own.create(SeriesText("", "month", [(slugs[0], ""), (slugs[0], ""), ("none", "")]))
        fields = [defect.field for defect in taken.value.defects]
        assert fields[:2] == ["title", "cut_by"]
        assert len(fields) == 5  # in a series already; named twice; not found

    site.change(try_it, settle=False)


def test_like_titles_of_the_same_agency_are_found(site: Site) -> None:
    slugs = opened_years(site)
    site.opened(title="公交客流明细（2022年）")

    def look(session: Session, _catalogue: Catalogue, people: People) -> SeriesText | None:
        return suggest_series(session, people.editor, get_entry(session, slugs[1]))

    found = site.change(look, settle=False)
    assert (found.title, found.cut_by) == ("公交客流", "year")
    assert [label for _, label in found.members] == ["2023年", "2024年", "2025年"]


def test_an_editor_makes_changes_and_dissolves_one_in_the_browser(site: Site) -> None:
    slugs = opened_years(site)
    editor = Office(site.platform, site.app).browser("agency_editor")
    page = editor.get(f"/dataset/{slugs[0]}")
    assert f"/work/series/new?entry={slugs[0]}" in page.text
    form = editor.form(f"/work/series/new?entry={slugs[0]}", "/work/series/new")
    values = form.values()
    assert values["title"] == ["公交客流"]
    assert values["members"][0].count("\n") == 2
    refused = editor.send(form, 422, title="")
    assert "请填写系列名称" in refused.text
    assert "2025年" in refused.text
    answer = editor.send(form)
    address = answer.headers["Location"]
    site.change(lambda *_: None)
    assert "本系列其他年份" in site.visitor().get(f"/dataset/{slugs[2]}").text
    form = editor.form(address, address)
    lines = form.values()["members"][0].split("\n")
    editor.send(form, members="\n".join(lines[:2]))
    form = editor.form(address, "/remove")
    assert len(site_members(site)) == 2
    editor.send(form)
    assert site_members(site) == []
    site.change(lambda *_: None)
    assert "本系列" not in site.visitor().get(f"/dataset/{slugs[2]}").text


def site_members(site: Site) -> list[int]:
    with site.platform.database.reading() as session:
        found = session.scalars(select(DatasetSeries)).all()
        return [one.entry_id for series in found for one in list_members(session, series.id)]


def test_strangers_see_no_series_of_others(site: Site) -> None:
    slugs = opened_years(site)
    made(site, slugs)
    with site.platform.database.reading() as session:
        (number,) = session.scalars(select(DatasetSeries.id))
    stranger = Office(site.platform, site.app).browser("agency_editor", HEALTH)
    assert "公交客流" not in stranger.get("/work/series").text
    assert stranger.client.get(f"/work/series/{number}").status_code == 403
