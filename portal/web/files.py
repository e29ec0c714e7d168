"""Downloads: files as they were delivered, and tables in other forms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import structlog
from flask import Blueprint, render_template, request
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import MultiDict

from portal.errors import Invalid, NotFound, PortalError
from portal.models.distribution import get_distribution
from portal.models.entry import CatalogueEntry
from portal.permissions import Permission, is_allowed
from portal.services.downloads import count_download
from portal.services.entry_view import Delivery, EntryView, FileView
from portal.services.opening import NotOpen, check_open, is_official
from portal.storage.base import StoredObject
from portal.tables.export import FACTS, ExportForm, export_rows
from portal.web.access import public
from portal.web.attachment import attachment, hold_slot, stored_file
from portal.web.context import actor, platform, session
from portal.web.dataset import entry_page_view, readable_entry, subject_of
from portal.web.preview import read_asked, table_query
from portal.web.security import client_address

blueprint = Blueprint("files", __name__, url_prefix="/dataset/<key>/resource/<file_id>")
log = structlog.get_logger(__name__)


class ApplyFirst(PortalError):
    """Conditionally open data is not downloaded: it is applied for."""

    code = "apply_first"

    def __init__(self, view: EntryView) -> None:
        super().__init__("该数据有条件开放，需先申请数据接口。")
        self.view = view


@blueprint.errorhandler(ApplyFirst)
def _apply_first(error: ApplyFirst) -> Any:
    return render_template("apply_first.html", entry=error.view), 403


@blueprint.get("/download/<filename>")
@public
def download(key: str, file_id: str, filename: str) -> Any:
    """Give the newest delivery. The name in the address is for people; the id decides."""
    view, file = _file(key, file_id)
    if file.current is None:
        raise NotFound("没有编号为“{key}”的数据文件。", key=file_id[:100])
    _check_original(view, file.current)
    return _deliver(view, file, file.current)


@blueprint.get("/version/<int:number>/<filename>")
@public
def download_version(key: str, file_id: str, number: int, filename: str) -> Any:
    view, file = _file(key, file_id)
    delivery = next((d for d in file.deliveries if d.number == number), None)
    if delivery is None:
        raise NotFound("该文件没有第 {number} 版。", number=number)
    _check_original(view, delivery)
    return _deliver(view, file, delivery)


@blueprint.get("/export")
@public
def export(key: str, file_id: str) -> Any:
    """Give the rows that the preview shows, all of them, in the form asked for."""
    view, file = _file(key, file_id)
    if file.table is None:
        raise NotFound("该文件不是表格，只能下载原始文件。")
    form = _form(request.args)
    query = replace(table_query(file.table, read_asked(request.args)), limit=None)
    facts = FACTS[form]
    filename = f"{_stem(view, file)}.{facts.extension}"
    response = attachment(b"", facts.content_type, filename, _fallback(file))
    if request.method == "HEAD":
        return response
    hold_slot(response, export_rows(platform().tables, file.table, query, form))
    _count(file, form.value)
    return response


def _file(key: str, file_id: str) -> tuple[EntryView, FileView]:
    """Return the file if the caller may have it.

    Raises:
        NotFound, Gone: no such entry or file (any more) for this caller.
        ApplyFirst: it is conditionally open.
        NotOpen: it is not on the open list just now.
    """
    entry = readable_entry(key)
    view = entry_page_view(entry)
    file = next((f for f in view.files if f.public_id == file_id), None)
    if file is None:
        raise NotFound("没有编号为“{key}”的数据文件。", key=file_id[:100])
    _check(entry, view)
    return view, file


def _check(entry: CatalogueEntry, view: EntryView) -> None:
    subject = subject_of(entry, view)
    if not is_allowed(actor(), Permission.DISTRIBUTION_DOWNLOAD, subject):
        raise ApplyFirst(view)
    check_open(actor(), subject, view.opening)


def _check_original(view: EntryView, delivery: Delivery) -> None:
    """What an information item or a review keeps back leaves every form; the file as it was
    delivered still has it and stays inside.

    Raises:
        NotOpen: the file holds columns that are not open, or was not looked at yet.
    """
    if not delivery.original_open and not is_official(
        actor(), subject_of(readable_entry(view.slug), view)
    ):
        raise NotOpen(
            "原始文件正在做敏感信息检查，或含有不开放的信息项，不提供下载；"
            "有“整张表另存为”的，可以下载开放的部分。"
        )


def _deliver(view: EntryView, file: FileView, delivery: Delivery) -> Any:
    stored = StoredObject(delivery.sha256, delivery.size_bytes)
    response = stored_file(stored, file.media_type, delivery.filename, _fallback(file))
    begins = response.status_code == 200 or response.headers.get("Content-Range", "").startswith(
        "bytes 0-"
    )
    if request.method == "GET" and begins:
        _count(file, "original")
    return response


def _count(file: FileView, form: str) -> None:
    """Count the download in a short transaction of its own; a database that is busy or gone
    for writing stops no download."""
    parts = platform()
    try:
        distribution = get_distribution(session(), file.public_id)
        with parts.database.writing() as writing:
            count_download(
                writing,
                parts.clock,
                distribution,
                actor(),
                address=client_address(),
                user_agent=request.user_agent.string,
                form=form,
            )
    except OperationalError as error:
        log.error("download not counted", file=file.public_id, error=str(error.orig))


def _form(args: MultiDict[str, str]) -> ExportForm:
    name = args.get("format", "").replace("-", "_")
    try:
        return ExportForm(name)
    except ValueError:
        known = "、".join(form.value.replace("_", "-") for form in ExportForm)
        raise Invalid.one(
            "format", "unknown", "没有格式“{value}”；可用：{known}。", value=name[:20], known=known
        ) from None


def _stem(view: EntryView, file: FileView) -> str:
    name = file.current.filename if file.current else view.content.title
    return PurePosixPath(name).stem or view.slug


def _fallback(file: FileView) -> str:
    return f"data-{file.public_id[:8]}"
