"""Which file a request may have: asked by every route of `files`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from flask import Blueprint, render_template, request
from sqlalchemy.exc import OperationalError

from portal.errors import NotFound, PortalError
from portal.models.distribution import get_distribution
from portal.models.entry import CatalogueEntry
from portal.permissions import Permission, is_allowed
from portal.services.data_versions import FileVersion, get_file_version, list_file_versions
from portal.services.downloads import count_download
from portal.services.entry_view import EntryView, FileView
from portal.services.opening import NotOpen, check_open, is_official
from portal.web.context import actor, platform, session
from portal.web.dataset import entry_page_view, readable_entry, subject_of
from portal.web.security import client_address

blueprint = Blueprint("files", __name__)
FILE = "/dataset/<key>/resource/<file_id>"
ORIGINAL_STAYS = (
    "原始文件正在做敏感信息检查，或含有不开放的信息项，不提供下载；"
    "有“整张表另存为”的，可以下载开放的部分。"
)
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


@dataclass(frozen=True)
class AskedFile:
    """A file of an entry that the caller may read about."""

    entry: CatalogueEntry
    view: EntryView
    file: FileView

    @property
    def versions(self) -> list[FileVersion]:
        return list_file_versions(session(), self.entry.id, self.file.public_id, self.view.content)

    def version(self, number: int) -> FileVersion:
        """Raises: NotFound."""
        return get_file_version(
            session(), self.entry.id, self.file.public_id, number, self.view.content
        )


def asked_file(key: str, file_id: str) -> AskedFile:
    """Return the file, for a page about it.

    Raises:
        NotFound, Gone: no such entry or file (any more) for this caller.
    """
    entry = readable_entry(key)
    view = entry_page_view(entry)
    file = next((f for f in view.files if f.public_id == file_id), None)
    if file is None:
        list_file_versions(session(), entry.id, file_id, view.content)  # says so if it was removed
        raise NotFound("没有编号为“{key}”的数据文件。", key=file_id[:100])
    return AskedFile(entry, view, file)


def downloadable_file(key: str, file_id: str) -> AskedFile:
    """Return the file if the caller may have its data.

    Raises:
        NotFound, Gone: no such entry or file (any more) for this caller.
        ApplyFirst: it is conditionally open.
        NotOpen: it is not on the open list just now.
    """
    found = asked_file(key, file_id)
    check_download(found.entry, found.view)
    return found


def check_download(entry: CatalogueEntry, view: EntryView) -> None:
    """Raises: ApplyFirst, NotOpen."""
    subject = subject_of(entry, view)
    if not is_allowed(actor(), Permission.DISTRIBUTION_DOWNLOAD, subject):
        raise ApplyFirst(view)
    check_open(actor(), subject, view.opening)


def may_have_original(entry: CatalogueEntry, view: EntryView, *, is_open: bool) -> bool:
    """What an information item or a review keeps back leaves every form; the file as it was
    delivered still has it and stays inside."""
    return is_open or is_official(actor(), subject_of(entry, view))


def check_original(found: AskedFile, *, is_open: bool) -> None:
    """Raises: NotOpen, the file holds columns that are not open, or was not looked at yet."""
    if not may_have_original(found.entry, found.view, is_open=is_open):
        raise NotOpen(ORIGINAL_STAYS)


def count(file: FileView, form: str) -> None:
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
