"""The page of the dumps, and the files themselves. `latest` in an address is the newest one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Blueprint, Response, redirect, render_template
from sqlalchemy import select

from extensions.exchange.dumps.making import MANIFEST, SUMS, manifest_of, sums_of
from extensions.exchange.models.dump import CatalogueDump, list_dumps
from extensions.exchange.web.answering import answer, site_url
from portal.errors import NotFound
from portal.storage.base import StoredObject
from portal.web.access import public
from portal.web.attachment import stored_file
from portal.web.context import session

pages = Blueprint("exchange_dump_pages", __name__, template_folder="../templates")
blueprint = Blueprint("exchange_dumps", __name__)
LATEST = "latest"
STAMP = "%Y%m%dT%H%M%SZ"


@pages.get("/dumps")
@public
def dumps() -> Any:
    found = list_dumps(session())
    return render_template(
        "exchange/dumps.html",
        dumps=[(one, f"{one.made_at.astimezone(UTC):{STAMP}}") for one in found],
        site_url=site_url(),
    )


@blueprint.get(f"/dumps/<stamp>/{MANIFEST}")
@public
def manifest(stamp: str) -> Any:
    dump = _get_dump(stamp)
    found = manifest_of(site_url(), dump.made_at.astimezone(UTC), dump.records, dump.files)
    return answer(
        orjson.dumps(found, option=orjson.OPT_INDENT_2), "application/json; charset=utf-8"
    )


@blueprint.get(f"/dumps/<stamp>/{SUMS}")
@public
def sums(stamp: str) -> Any:
    return answer(sums_of(_get_dump(stamp).files), "text/plain; charset=utf-8")


@blueprint.get("/dumps/<stamp>/<name>")
@public
def file(stamp: str, name: str) -> Any:
    """Give a file of a dump; parts of it by `Range`, so that a broken download can go on."""
    dump = _get_dump(stamp)
    found = next((one for one in dump.files if one["name"] == name), None)
    if found is None:
        raise NotFound("没有名为“{key}”的导出文件。", key=name[:100])
    if stamp == LATEST:
        to: Any = redirect(f"/dumps/{dump.made_at.astimezone(UTC):{STAMP}}/{name}", 302)
        return _readable_anywhere(to)
    stored = StoredObject(found["sha256"], found["size_bytes"])
    return _readable_anywhere(stored_file(stored, found["media_type"], name, name))


def _readable_anywhere(response: Response) -> Response:
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _get_dump(stamp: str) -> CatalogueDump:
    """Raises: NotFound."""
    if stamp == LATEST:
        newest = next(iter(list_dumps(session())), None)
        if newest is None:
            raise NotFound("还没有目录导出，每天凌晨生成一次。")
        return newest
    try:
        instant = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise NotFound("没有“{key}”的目录导出。", key=stamp[:40]) from None
    query = select(CatalogueDump).where(
        CatalogueDump.made_at >= instant,
        CatalogueDump.made_at < instant.replace(microsecond=999_999),
    )
    found = session().scalars(query.order_by(CatalogueDump.id.desc()).limit(1)).first()
    if found is None:
        raise NotFound("没有“{key}”的目录导出。", key=stamp[:40])
    return found
