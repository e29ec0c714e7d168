"""Files that robots and browsers ask every site for."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from flask import Blueprint, Response, redirect, url_for

from portal.errors import NotFound
from portal.services.public_entries import count_public, public_addresses
from portal.web.access import public
from portal.web.context import platform, session

blueprint = Blueprint("site_files", __name__)
SITEMAP_ROWS = 20_000
NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
DISALLOWED = (
    "/work",
    "/login",
    "/logout",
    "/lang/",
    "/display/",
    "/notices",
    "/api/",
    "/data/",
    "/dataset/*/export",
)


@blueprint.get("/robots.txt")
@public
def robots() -> Response:
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in DISALLOWED),
        f"Sitemap: {_site()}/sitemap.xml",
    ]
    return Response("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")


@blueprint.get("/favicon.ico")
@public
def favicon() -> Any:
    return redirect(url_for("static", filename="img/logo.svg"))


@blueprint.get("/sitemap.xml")
@public
def sitemap_index() -> Response:
    parts = max(1, -(-count_public(session()) // SITEMAP_ROWS))
    found = "".join(
        f"<sitemap><loc>{escape(_site())}/sitemap-{n}.xml</loc></sitemap>"
        for n in range(1, parts + 1)
    )
    return _xml(f"<sitemapindex {NAMESPACE}>{found}</sitemapindex>")


@blueprint.get("/sitemap-<int:number>.xml")
@public
def sitemap(number: int) -> Response:
    start = (number - 1) * SITEMAP_ROWS
    rows = public_addresses(session(), start=start, rows=SITEMAP_ROWS) if start >= 0 else []
    if not rows and number != 1:
        raise NotFound()
    site = escape(_site())
    found = "".join(
        f"<url><loc>{site}/dataset/{quote(slug)}</loc><lastmod>{modified:%Y-%m-%d}</lastmod></url>"
        for slug, modified in rows
    )
    return _xml(f"<urlset {NAMESPACE}>{found}</urlset>")


def _site() -> str:
    return platform().settings.site_url.rstrip("/")


def _xml(body: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'
    response = Response(text, content_type="application/xml; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=600"
    return response
