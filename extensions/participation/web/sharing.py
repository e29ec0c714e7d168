"""Passing a data set on, without any foreign host: its address as a QR code, its news as Atom.

The feed needs no account and holds no secret: what it says stands on the public page too.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import segno
from flask import Blueprint, Response, current_app, make_response
from flask_babel import gettext

from extensions.participation.web.forms import public_entry
from portal.models.entry import CatalogueEntry
from portal.services.entry_changes import Change, list_changes
from portal.web.access import public
from portal.web.context import platform, session

blueprint = Blueprint("participation_sharing", __name__)
ATOM = "http://www.w3.org/2005/Atom"
KEPT_SECONDS = 600
MODULE_PX, QUIET_MODULES = 4, 4  # a quiet zone of four modules is what scanners need (ISO 18004)
# The feeds of the extension `exchange`, where it is enabled: (endpoint, parameter).
WIDER_FEEDS = (
    ("exchange_feeds.of_theme", "/feeds/theme/{theme}.atom", "本主题"),
    ("exchange_feeds.of_organisation", "/feeds/organisation/{agency}.atom", "本机构"),
)


def address_of(entry: CatalogueEntry) -> str:
    """Return the permanent address that is passed on."""
    return f"{platform().settings.site_url.rstrip('/')}/dataset/{entry.slug}"


def feeds_of(entry: CatalogueEntry) -> list[tuple[str, str]]:
    """Return (address, words) of the Atom feeds in which the data set appears."""
    theme = entry.published_version.theme if entry.published_version else ""
    found = [(f"/dataset/{entry.slug}/changes.atom", gettext("本数据"))]
    found += [
        (path.format(theme=theme, agency=entry.provider.slug), gettext(words))
        for endpoint, path, words in WIDER_FEEDS
        if endpoint in current_app.view_functions and (theme or "{theme}" not in path)
    ]
    return found


@blueprint.get("/dataset/<key>/qr.svg")
@public
def qr_code(key: str) -> Response:
    """Draw the address, black on white whatever the page's colours: scanners need the contrast."""
    drawn = io.BytesIO()
    code = segno.make(address_of(public_entry(key)), error="m", micro=False)
    code.save(drawn, kind="svg", scale=MODULE_PX, border=QUIET_MODULES, dark="#000", light="#fff")
    return _kept(drawn.getvalue(), "image/svg+xml")


@blueprint.get("/dataset/<key>/changes.atom")
@public
def changes(key: str) -> Response:
    """Say as an Atom feed (RFC 4287) what happened to one data set, the newest first.

    In Chinese for every reader: caches keep one answer for all.
    """
    entry = public_entry(key)
    feed = _feed(entry, list_changes(session(), entry.id))
    return _kept(
        ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True), "application/atom+xml"
    )


def _feed(entry: CatalogueEntry, found: Iterable[Change]) -> ElementTree.Element:
    version, page = entry.published_version, address_of(entry)
    title = version.title if version else entry.code
    feed = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": "zh-Hans"})
    _add(feed, "id", f"urn:uuid:{entry.public_id}")
    _add(feed, "title", title)
    _add(feed, "updated", (entry.metadata_modified_at or entry.created_at).isoformat())
    _add(feed, "link", rel="self", type="application/atom+xml", href=f"{page}/changes.atom")
    _add(feed, "link", href=page)
    _add(_add(feed, "author"), "name", entry.provider.name)
    for change in found:
        what = change.text + (f"：{change.detail}" if change.detail else "")
        one = _add(feed, "entry")
        stamp = change.at.isoformat()
        _add(one, "id", f"{page}#{stamp}-{quote(change.text)}-{change.version or 0}")
        _add(one, "title", f"{title}：{what}")
        _add(one, "updated", stamp)
        _add(one, "link", href=f"{page}#changes")
    return feed


def _add(
    parent: ElementTree.Element, tag: str, text: str = "", **attributes: str
) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, tag, attributes)
    child.text = text or None
    return child


def _kept(body: bytes, kind: str) -> Any:
    response = make_response(body)
    response.content_type = f"{kind}; charset=utf-8"
    response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    response.add_etag()
    return response
