"""Downloads: files as they were delivered, and tables in other forms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from portal.errors import Invalid, NotFound
from portal.services.data_versions import FileVersion
from portal.services.distributions import format_of, media_type_of
from portal.services.entry_view import Delivery
from portal.storage.base import StoredObject
from portal.tables.export import FACTS, ExportForm, export_rows
from portal.tables.info import TableInfo
from portal.web import dataset_archive, file_versions
from portal.web.access import public
from portal.web.attachment import attachment, hold_slot, stored_file
from portal.web.citations import site_address, version_path
from portal.web.context import platform
from portal.web.file_access import (
    FILE,
    AskedFile,
    blueprint,
    check_original,
    count,
    downloadable_file,
)
from portal.web.preview import read_asked, table_query

__all__ = ["blueprint", "dataset_archive", "file_versions"]


@blueprint.get(f"{FILE}/download/<filename>")
@public
def download(key: str, file_id: str, filename: str) -> Any:
    """Give the newest delivery. The name in the address is for people; the id decides."""
    found = downloadable_file(key, file_id)
    if found.file.current is None:
        raise NotFound("没有编号为“{key}”的数据文件。", key=file_id[:100])
    check_original(found, is_open=found.file.current.original_open)
    return _deliver(found, found.file.current)


@blueprint.get(f"{FILE}/version/<int:number>/<filename>")
@public
def download_version(key: str, file_id: str, number: int, filename: str) -> Any:
    found = downloadable_file(key, file_id)
    version = found.version(number)
    check_original(found, is_open=version.original_open)
    return _deliver(found, version)


@blueprint.get(f"{FILE}/export")
@public
def export(key: str, file_id: str) -> Any:
    """Give the rows that the preview shows, all of them, in the form asked for.

    `version` asks for an older version of the file.
    """
    found = downloadable_file(key, file_id)
    asked = _table(found, request.args.get("version", ""))
    form = _form(request.args)
    query = replace(table_query(asked.info, read_asked(request.args)), limit=None)
    facts = FACTS[form]
    response = attachment(
        b"", facts.content_type, f"{asked.stem}.{facts.extension}", _fallback(found)
    )
    if request.method == "HEAD":
        return response
    address = site_address(version_path(found.view, found.file, asked.number))
    pieces = export_rows(platform().tables, asked.info, query, form, address=address)
    hold_slot(response, pieces)
    count(found.file, form.value)
    return response


@dataclass(frozen=True)
class _AskedTable:
    info: TableInfo
    number: int
    stem: str  # of the download's name


def _table(found: AskedFile, version: str) -> _AskedTable:
    """Raises: NotFound, Invalid."""
    if not version:
        current = found.file.current
        name = current.filename if current else found.view.content.title
        stem = PurePosixPath(name).stem or found.view.slug
        return _AskedTable(_checked(found.file.table), current.number if current else 1, stem)
    if not (version.isascii() and version.isdigit() and len(version) < 9):
        raise Invalid.one("version", "integer", "版本号应为整数，如 2。")
    asked = found.version(int(version))
    stem = f"{PurePosixPath(asked.filename).stem or found.view.slug}_v{asked.number}"
    return _AskedTable(_checked(asked.table), asked.number, stem)


def _checked(info: TableInfo | None) -> TableInfo:
    if info is None:
        raise NotFound("该文件不是表格，只能下载原始文件。")
    return info


def _deliver(found: AskedFile, delivery: Delivery | FileVersion) -> Any:
    stored = StoredObject(delivery.sha256, delivery.size_bytes)
    media_type = found.file.media_type
    if delivery.number != (found.file.current.number if found.file.current else 0):
        media_type = media_type_of(delivery.filename, format_of(delivery.filename))
    response = stored_file(stored, media_type, delivery.filename, _fallback(found))
    begins = response.status_code == 200 or response.headers.get("Content-Range", "").startswith(
        "bytes 0-"
    )
    if request.method == "GET" and begins:
        count(found.file, "original")
    return response


def _form(args: MultiDict[str, str]) -> ExportForm:
    name = args.get("format", "").replace("-", "_")
    try:
        return ExportForm(name)
    except ValueError:
        known = "、".join(form.value.replace("_", "-") for form in ExportForm)
        raise Invalid.one(
            "format", "unknown", "没有格式“{value}”；可用：{known}。", value=name[:20], known=known
        ) from None


def _fallback(found: AskedFile) -> str:
    return f"data-{found.file.public_id[:8]}"
