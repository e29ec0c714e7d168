"""Files, links and interfaces of an entry: upload in a stream, replace, remove, see what was read."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import UUID

from flask import render_template, request
from flask_babel import gettext
from sqlalchemy import select

from portal.errors import Invalid, NotFound
from portal.extension import EntryPanel
from portal.models.distribution import DataVersion, Distribution, list_distributions
from portal.models.entry import CatalogueEntry, get_entry
from portal.models.open_list import find_open_list_entry
from portal.permissions import Permission, is_allowed, require
from portal.services.distributions import NAME_MAX, DistributionService, Upload
from portal.services.freshness import find_freshness
from portal.services.freshness_flow import FLOW as FRESHNESS
from portal.services.open_list_flow import BINDING as OPEN_LIST
from portal.services.upload_check import check_upload
from portal.services.uploads import UploadService
from portal.tables.info import TableInfo
from portal.tables.row_notes import REASONS
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, platform, session
from portal.web.translated import translated
from portal.web.work.blueprint import work_blueprint
from portal.web.work.decisions import (
    REFUSALS,
    Problem,
    decide,
    form_key,
    form_text,
    fresh_key,
    refused,
)
from portal.web.work.versions import clocks_of
from portal.web.work.visibility import entry_for_work

blueprint = work_blueprint("work_files")
REASON_MAX = 1000
TYPE_NAMES = {
    "text": "文本",
    "integer": "整数",
    "number": "小数",
    "date": "日期",
    "datetime": "日期时间",
}


@blueprint.get("/work/entries/<slug>/files")
@signed_in
def files(slug: str) -> Any:
    return _page(slug)


def _page(slug: str, problem: Problem | None = None) -> str:
    entry = entry_for_work(slug)
    distributions = list_distributions(session(), entry.id)
    freshness = find_freshness(session(), entry.id)
    return render_template(
        "work/files.html",
        entry=entry,
        version=entry.published_version,
        files=[(d, _table(d.current_version)) for d in distributions],
        reasons=translated(REASONS),
        type_names=translated(TYPE_NAMES),
        waiting=any(_is_pending(d.current_version) for d in distributions),
        freshness=freshness,
        clocks=clocks_of(FRESHNESS, freshness.id) if freshness else [],
        place=find_open_list_entry(session(), entry.id),
        places=translated(OPEN_LIST.state_labels),
        panels=_panels(entry),
        may_write=is_allowed(actor(), Permission.DISTRIBUTION_WRITE, entry),
        max_bytes=platform().settings.max_upload_bytes,
        most_bytes=platform().settings.max_resumable_bytes,
        uploads=UploadService(session(), clock()).unfinished(actor(), entry.id),
        problem=problem,
        given=request.form,
        key=fresh_key(),
    )


def _panels(entry: CatalogueEntry) -> list[EntryPanel]:
    """Return what extensions show of an entry's interfaces, with their own buttons."""
    sources = (source for e in platform().extensions for source in e.panels)
    found = (source(session(), actor(), entry) for source in sources)
    return [panel for panel in found if panel is not None]


def _table(version: DataVersion | None) -> TableInfo | None:
    return TableInfo.from_dict(version.table) if version is not None and version.table else None


def _is_pending(version: DataVersion | None) -> bool:
    return version is not None and version.table_state == "pending"


def _received(slug: str) -> Upload:
    """Stream the upload into storage and look at it, before any transaction is open.

    Raises:
        Forbidden: not the entry's own people. Invalid: nothing chosen, or unreadable.
    """
    parts = platform()
    with parts.database.reading() as reading:
        require(actor(), Permission.DISTRIBUTION_WRITE, get_entry(reading, slug))
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid.one("file", "missing", "请选择要上传的文件。")
    stored = parts.storage.put(
        cast(BinaryIO, file.stream), max_bytes=parts.settings.max_upload_bytes
    )
    check_upload(Path(parts.storage.local_path(stored.sha256)), file.filename)
    return Upload(stored, file.filename)


@blueprint.post("/work/entries/<slug>/files")
@writes
def add_file(slug: str) -> Any:
    try:
        upload = _received(slug)
    except REFUSALS as error:
        return refused(error, lambda problem: _page(slug, problem))

    def act() -> None:
        entry = entry_for_work(slug)
        key = _uuid(form_key())
        if _is_there(entry, key):
            return  # a double click: the first one added it
        _service().add_file(
            actor(),
            entry,
            upload,
            name=form_text("name", longest=NAME_MAX),
            description=form_text("description"),
            public_id=key,
        )

    return _decide(slug, act, gettext("文件已保存，正在读取其中的表格。"))


def _uuid(key: str) -> str:
    try:
        return str(UUID(key))
    except ValueError:
        raise Invalid.one("", "stale_form", "页面已过期，请刷新后重新操作。") from None


def _is_there(entry: CatalogueEntry, public_id: str) -> bool:
    query = select(Distribution.id).where(
        Distribution.entry_id == entry.id, Distribution.public_id == public_id
    )
    return session().scalar(query) is not None


@blueprint.get("/work/entries/<slug>/files/<public_id>/received")
@signed_in
def received(slug: str, public_id: str) -> Any:
    """Confirm what an upload in parts brought: name, size, hash of the server, what happens now."""
    found = _distribution(slug, public_id)
    if found.current_version is None or found.deleted_at is not None:
        raise NotFound()
    return render_template(
        "work/received.html",
        entry=found.entry,
        file=found,
        data=found.current_version,
        place=find_open_list_entry(session(), found.entry_id),
    )


@blueprint.post("/work/entries/<slug>/links")
@writes
def add_link(slug: str) -> Any:
    def act() -> None:
        entry = entry_for_work(slug)
        key = _uuid(form_key())
        if _is_there(entry, key):
            return
        _service().add_link(
            actor(),
            entry,
            form_text("url", label=gettext("链接")),
            name=form_text("link_name", longest=NAME_MAX),
            format=form_text("link_format", longest=30),
            public_id=key,
        )

    return _decide(slug, act, gettext("链接已登记。"))


@blueprint.post("/work/entries/<slug>/files/<public_id>/replace")
@writes
def replace(slug: str, public_id: str) -> Any:
    """Deliver a new version of the data; the earlier ones stay."""
    try:
        upload = _received(slug)
    except REFUSALS as error:
        return refused(error, lambda problem: _page(slug, problem))

    def act() -> None:
        found = _distribution(slug, public_id)
        if found.deleted_at is not None:
            raise NotFound()
        reason = form_text("reason", longest=REASON_MAX, label=gettext("更新说明"))
        _service().deliver(actor(), found, dataclasses.replace(upload, reason=reason))

    return _decide(slug, act, gettext("新版本已保存，旧版本仍保留。"))


@blueprint.post("/work/entries/<slug>/files/<public_id>/delete")
@writes
def delete(slug: str, public_id: str) -> Any:
    def act() -> None:
        found = _distribution(slug, public_id)
        if found.deleted_at is None:  # a double click removes once
            _service().delete(actor(), found)

    return _decide(slug, act, gettext("文件已移除，公众不再能下载；历史版本仍保留备查。"))


def _distribution(slug: str, public_id: str) -> Distribution:
    entry = entry_for_work(slug)
    found = (
        session()
        .scalars(
            select(Distribution).where(
                Distribution.entry_id == entry.id, Distribution.public_id == public_id
            )
        )
        .first()
    )
    if found is None:
        raise NotFound("没有编号为“{key}”的数据文件。", key=public_id)
    return found


def _service() -> DistributionService:
    return DistributionService(session(), clock())


def _decide(slug: str, act: Any, done: str) -> Any:
    return decide(
        act, lambda problem: _page(slug, problem), done=done, target=f"/work/entries/{slug}/files"
    )
