"""The catalogue and each data set as RDF, by address and by content negotiation."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, Response, redirect, request
from werkzeug.exceptions import NotAcceptable

from extensions.exchange.croissant import croissant_of
from extensions.exchange.models.series import find_series, public_members
from extensions.exchange.open_tables import open_tables
from extensions.exchange.packages import PublicRecord, find_record, list_page, packages_of
from extensions.exchange.web.answering import MINUTES_10, answer, site_url
from portal.errors import Absorbed, Gone, NotFound
from portal.models.entry import get_entry
from portal.services.absorption import check_not_absorbed
from portal.services.public_entries import count_public
from portal.web.access import public
from portal.web.context import platform, session
from portal.web.dataset import renamed_entry
from portal.web.paging import page_number

blueprint = Blueprint("linked_data", __name__)
PAGE_ROWS = 100
DEEPEST_PAGE = 100_000
FORMS = {
    "ttl": "text/turtle",
    "rdf": "application/rdf+xml",
    "jsonld": "application/ld+json",
    "nt": "application/n-triples",
}
"""Ending of an address -> media type."""

_ENDINGS = {media: ending for ending, media in FORMS.items()}
_PAGE_ENDPOINT = "dataset.dataset"
_PAGES = {_PAGE_ENDPOINT: "/dataset/", "exchange_series.series": "/series/"}


def _document(body: bytes, ending: str) -> Response:
    return answer(body, f"{FORMS[ending]}; charset=utf-8", seconds=MINUTES_10)


@blueprint.get("/catalog.<any(ttl, rdf, jsonld, nt):ending>")
@public
def catalogue(ending: str) -> Any:
    """Answer one page of the catalogue, with Hydra's links to the others."""
    number = page_number(request.args, most=DEEPEST_PAGE)
    total = count_public(session())
    last = max(1, -(-total // PAGE_ROWS))
    if number > last:
        raise NotFound("没有第 {number} 页，一共 {pages} 页。", number=number, pages=last)
    from extensions.exchange.serialised import catalogue_document

    pages = {"first": 1, "previous": number - 1, "next": number + 1, "last": last}
    base = f"{site_url()}/catalog.{ending}?page="
    links = {name: f"{base}{page}" for name, page in pages.items() if 1 <= page <= last}
    records = list_page(session(), site_url(), number, PAGE_ROWS)
    body = catalogue_document(
        [record.package for record in records if record.package],
        site_url(),
        ending,
        title=platform().settings.site_title,
        here=f"{base}{number}",
        total=total,
        links=links,
    )
    return _document(body, ending)


@blueprint.get("/catalog")
@public
def negotiated_catalogue() -> Any:
    """Lead to the form that the caller prefers; Turtle if any will do."""
    best = request.accept_mimetypes.best_match(list(_ENDINGS), default=None)
    if best is None:
        raise NotAcceptable()
    return redirect(f"/catalog.{_ENDINGS[best]}", 303)


@blueprint.get("/dataset/<key>.<any(ttl, rdf, jsonld, nt):ending>")
@public
def dataset(key: str, ending: str) -> Any:
    record = find_record(session(), site_url(), key)
    if record is None:
        renamed = renamed_entry(key)
        if renamed is not None:
            return redirect(f"/dataset/{renamed.slug}.{ending}", 301)
        raise NotFound("没有代码或名称为“{key}”的数据。", key=key[:100])
    if record.package is None:
        return _moved_or_gone(record, ending)
    from extensions.exchange.serialised import dataset_document

    return _document(dataset_document(record.package, site_url(), ending), ending)


@blueprint.get("/series/<key>.<any(ttl, rdf, jsonld, nt):ending>")
@public
def series(key: str, ending: str) -> Any:
    """Answer a series with its public data sets (dcat:DatasetSeries)."""
    found = find_series(session(), key[:40])
    if found is None:
        raise NotFound("没有这个数据系列。")
    from extensions.exchange.serialised import series_document

    entries = [one.entry for one in public_members(session(), found.id)]
    body = series_document(
        [package for _, package in packages_of(session(), entries, site_url())],
        site_url(),
        ending,
        series_id=found.public_id,
        texts=(found.title, found.description),
    )
    return _document(body, ending)


def _moved_or_gone(record: PublicRecord, ending: str) -> Any:
    """Lead from an absorbed data set to the one that took it in. Raises Gone for any other."""
    try:
        check_not_absorbed(session(), get_entry(session(), record.public_id))
    except Absorbed as error:
        return redirect(f"/dataset/{error.successor}.{ending}", 301)
    raise Gone("该数据已撤下。原因：{reason}", reason=record.reason or "—")


@blueprint.get("/dataset/<key>.croissant.json")
@public
def croissant(key: str) -> Any:
    """Answer a data set with open tables as Croissant, for tools of machine learning."""
    record = find_record(session(), site_url(), key)
    if record is None:
        raise NotFound("没有代码或名称为“{key}”的数据。", key=key[:100])
    if record.package is None:
        return _moved_or_gone(record, "croissant.json")
    entry = get_entry(session(), record.public_id)
    tables = open_tables(session(), entry)
    if not tables:
        raise NotFound("该数据没有可直接读取的表格，不提供 Croissant 描述。")
    body = orjson.dumps(croissant_of(record.package, tables, site_url()))
    return answer(body, "application/ld+json; charset=utf-8", seconds=MINUTES_10)


@blueprint.before_app_request
def _lead_to_rdf() -> Response | None:
    """A client that wants RDF and no page is led from a data set's page to its description."""
    if request.endpoint not in _PAGES or not request.headers.get("Accept"):
        return None
    best = request.accept_mimetypes.best_match(["text/html", *_ENDINGS], default="text/html")
    if best == "text/html":
        return None
    key = (request.view_args or {})["key"]
    found: Response = redirect(f"{_PAGES[request.endpoint]}{key}.{_ENDINGS[best]}", 303)  # type: ignore[assignment]
    return found


@blueprint.after_app_request
def _name_the_other_forms(response: Response) -> Response:
    if request.endpoint == _PAGE_ENDPOINT and response.status_code == 200:
        for ending, media in FORMS.items():
            response.headers.add(
                "Link", f'<{site_url()}{request.path}.{ending}>; rel="alternate"; type="{media}"'
            )
        response.vary.add("Accept")
    return response
