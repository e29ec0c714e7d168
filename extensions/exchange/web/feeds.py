"""Lists that other systems read: `data.json`, Atom, changes since an instant, OpenSearch."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson
from flask import Blueprint, request
from sqlalchemy import select

from extensions.exchange import data_json
from extensions.exchange.changes import STAMP, settled_until
from extensions.exchange.packages import PublicRecord, list_page, packages_of, walk_records
from extensions.exchange.position import FormerPosition, Position, read_instant, read_position
from extensions.exchange.reading import page_of, themes_of
from extensions.exchange.web.answering import MINUTES_10, answer, site_url
from portal.codes import code_list
from portal.db import Database
from portal.errors import Invalid, NotFound
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.organisation import get_organisation
from portal.web.access import public
from portal.web.context import clock, platform, session

blueprint = Blueprint("exchange_feeds", __name__)
AT_ONCE = 200
FEED_ROWS = 50
ATOM = "application/atom+xml; charset=utf-8"
JSON = "application/json; charset=utf-8"


@blueprint.get("/data.json")
@public
def whole_catalogue() -> Any:
    """Stream the catalogue in Project Open Data's form; it is never held in memory."""
    return answer(_datasets(platform().database, site_url()), JSON, seconds=MINUTES_10)


def _datasets(database: Database, site: str) -> Iterator[bytes]:
    head = orjson.dumps(data_json.HEAD)
    yield head[:-1] + b',"dataset":['
    number, first = 1, True
    while True:
        with database.reading() as reading:
            records = list_page(reading, site, number, AT_ONCE)
        for record in records:
            if record.package is not None:
                one = orjson.dumps(data_json.dataset_of(record.package, site))
                yield one if first else b"," + one
                first = False
        if len(records) < AT_ONCE:
            break
        number += 1
    yield b"]}"


@blueprint.get("/api/changes")
@public
def changes() -> Any:
    """Answer what changed, in the order in which it was noted, withdrawn data sets as tombstones.

    Parameters: `since` (an ISO 8601 instant), `cursor` (from the answer before), `limit` (1 to
    500). Ask again with `next_cursor` until it repeats; it goes on from there whenever asked again
    (see `changes`). A data set stands in the walk once, where its last change is.
    """
    after = _cursor(request.args.get("cursor", ""))
    since = _instant(request.args.get("since", ""), "since")
    rows = _limit(request.args.get("limit", ""))
    records = walk_records(session(), site_url(), after=after, since=since, rows=rows)
    last = records[-1].position if records else after
    body = {
        "changes": [_change(record) for record in records],
        "next_cursor": _cursor_of(last) if isinstance(last, Position) else _given(after),
        "settled_until": settled_until(session(), clock()()).isoformat(),
    }
    return answer(orjson.dumps(body), JSON)


def _given(after: Position | FormerPosition | None) -> str | None:
    return None if after is None else request.args["cursor"]


def _change(record: PublicRecord) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": record.public_id,
        "name": record.name,
        "changed": record.stamp.isoformat(),
        "noted": record.noted_at.isoformat(),
        "sequence": record.position.sequence if record.position else None,
        "state": "deleted" if record.package is None else "active",
    }
    if record.package is None:
        return found | {"reason": record.reason}
    return found | {"package": record.package}


def _cursor_of(position: Position) -> str:
    return base64.urlsafe_b64encode(position.text().encode()).decode().rstrip("=")


def _cursor(text: str) -> Position | FormerPosition | None:
    if not text:
        return None
    try:
        return read_position(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
    except ValueError as error:
        raise Invalid.one("cursor", "cursor", "游标无效，请从头开始。") from error


def _instant(text: str, field: str) -> datetime | None:
    if not text:
        return None
    try:
        return read_instant(text)
    except ValueError as error:
        raise Invalid.one(
            field, "instant", "“{value}”不是时间，请写成 2026-11-24T08:00:00Z。", value=text[:40]
        ) from error


def _limit(text: str) -> int:
    if not text:
        return AT_ONCE
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 500):
        raise Invalid.one("limit", "range", "limit 应为 1 到 500 的整数。")
    return int(text)


@blueprint.get("/feeds/recent.atom")
@public
def recent() -> Any:
    return _feed("recent", platform().settings.site_title)


@blueprint.get("/feeds/organisation/<key>.atom")
@public
def of_organisation(key: str) -> Any:
    place = get_organisation(session(), key)
    return _feed(f"organisation/{place.slug}", place.name, CatalogueEntry.provider_id == place.id)


@blueprint.get("/feeds/theme/<code>.atom")
@public
def of_theme(code: str) -> Any:
    theme = code_list("themes").find(code)
    if theme is None:
        raise NotFound("没有代码为“{key}”的主题。", key=code[:60])
    return _feed(f"theme/{theme.code}", theme.name, EntryVersion.theme == theme.code)


def _feed(path: str, title: str, *conditions: Any) -> Any:
    """Answer the newest entries of the public as an Atom feed (RFC 4287)."""
    query = (
        select(CatalogueEntry)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .where(CatalogueEntry.retired_at.is_(None), *conditions)
        .order_by(STAMP.desc(), CatalogueEntry.id.desc())
        .limit(FEED_ROWS)
    )
    entries = session().scalars(query).unique().all()
    packages = packages_of(session(), entries, site_url())
    newest = max(
        (e.metadata_modified_at for e, _ in packages), default=datetime(2026, 1, 1, tzinfo=UTC)
    )
    address = f"{site_url()}/feeds/{path}.atom"
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-Hans">',
        f"<id>{escape(address)}</id><title>{escape(title)}</title>",
        f"<updated>{newest.isoformat()}</updated>",
        f'<link rel="self" type="application/atom+xml" href={quoteattr(address)}/>',
        f"<link href={quoteattr(site_url() + '/')}/>",
        f"<author><name>{escape(platform().settings.site_title)}</name></author>",
        *(_atom_entry(entry, package) for entry, package in packages),
        "</feed>\n",
    ]
    return answer("".join(parts), ATOM, seconds=MINUTES_10)


def _atom_entry(entry: CatalogueEntry, package: dict[str, Any]) -> str:
    page = page_of(package, site_url())
    provider = (package.get("organization") or {}).get("title", "")
    labels = "".join(f"<category term={quoteattr(code)}/>" for code in themes_of(package))
    return (
        f"<entry><id>urn:uuid:{escape(package['id'])}</id><title>{escape(package['title'])}</title>"
        f"<link href={quoteattr(page)}/><updated>{entry.metadata_modified_at.isoformat()}</updated>"
        f"<author><name>{escape(provider)}</name></author>{labels}"
        f"<summary>{escape(package.get('notes') or '')}</summary></entry>"
    )


@blueprint.get("/opensearch.xml")
@public
def search_description() -> Any:
    """Describe the search, so that a browser can offer it in its address bar (OpenSearch 1.1)."""
    title = platform().settings.site_title
    template = f"{site_url()}/dataset?q={{searchTerms}}&page={{startPage?}}"
    body = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">'
        f"<ShortName>{escape(title)[:16]}</ShortName><Description>{escape(title)}</Description>"
        f'<Url type="text/html" template={quoteattr(template)}/>'
        "<InputEncoding>UTF-8</InputEncoding><Language>zh-CN</Language></OpenSearchDescription>\n"
    )
    return answer(body, "application/opensearchdescription+xml; charset=utf-8", seconds=MINUTES_10)
