"""Addresses that CKAN and its usual extensions have, led to ours: links and bookmarks go on working."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Blueprint, redirect

from portal.web.access import public

blueprint = Blueprint("ckan_addresses", __name__)


def _to(path: str) -> Any:
    return redirect(path, 301)


def _quoted(text: str) -> str:
    return quote(text[:300], safe="")


@blueprint.get("/organization")
@public
def organizations() -> Any:
    return _to("/organisation")


@blueprint.get("/organization/<key>")
@public
def organization(key: str) -> Any:
    return _to(f"/organisation/{_quoted(key)}")


@blueprint.get("/group")
@public
def groups() -> Any:
    return _to("/themes")


@blueprint.get("/group/<key>")
@public
def group(key: str) -> Any:
    return _to(f"/dataset?theme={_quoted(key)}")


@blueprint.get("/dataset/<key>/resource/<resource>")
@public
def resource(key: str, resource: str) -> Any:
    return _to(f"/dataset/{_quoted(key)}?table={_quoted(resource)}#files")


@blueprint.get("/dataset/<key>.xml")
@public
def dataset_as_xml(key: str) -> Any:
    """ckanext-dcat's name of RDF/XML."""
    return _to(f"/dataset/{_quoted(key)}.rdf")


@blueprint.get("/catalog.xml")
@public
def catalogue_as_xml() -> Any:
    return _to("/catalog.rdf")


@blueprint.get("/feeds/dataset.atom")
@public
def feed() -> Any:
    return _to("/feeds/recent.atom")


@blueprint.get("/feeds/organization/<key>.atom")
@public
def organization_feed(key: str) -> Any:
    return _to(f"/feeds/organisation/{_quoted(key)}.atom")


@blueprint.get("/feeds/group/<key>.atom")
@public
def group_feed(key: str) -> Any:
    return _to(f"/feeds/theme/{_quoted(key)}.atom")
