"""A whole data set as a ZIP, written while it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from flask import request

from portal.clock import SHANGHAI
from portal.errors import NotFound
from portal.services.dataset_archive import Packed, archive_members, pack_files
from portal.services.entry_view import EntryView, FileView
from portal.services.package_document import package_bytes, with_site
from portal.tables.cache import TableCache
from portal.tables.export import ExportForm, cut_into_pieces, export_rows
from portal.tables.info import TableInfo
from portal.tables.query import TableQuery
from portal.tables.zip_stream import zip_stream
from portal.web.access import public
from portal.web.attachment import attachment, hold_slot
from portal.web.citations import citations_of_dataset, site_address
from portal.web.context import clock, platform, session
from portal.web.dataset import entry_page_view, readable_entry
from portal.web.file_access import blueprint, check_download, count, may_have_original


@blueprint.get("/dataset/<key>/download.zip")
@public
def download_dataset(key: str) -> Any:
    """Give every file that the caller may have, with metadata, licence, dictionary and hashes."""
    entry = readable_entry(key)
    view = entry_page_view(entry)
    check_download(entry, view)

    def original(file: FileView) -> bool:
        return may_have_original(entry, view, is_open=file.original_open)

    parts = platform()
    packed = pack_files(view, parts.storage, partial(_open_columns, parts.tables), original)
    if not packed:
        raise NotFound("这个数据集现在没有可以打包下载的文件。")
    response = attachment(b"", "application/zip", f"{view.content.title}.zip", view.slug)
    if request.method == "HEAD":
        return response
    metadata = with_site(package_bytes(session(), entry), parts.settings.site_url)
    hold_slot(response, cut_into_pieces(_archive(view, packed, metadata)))
    for one in packed:
        count(one.file, "zip")
    return response


def _archive(view: EntryView, packed: list[Packed], metadata: bytes) -> Iterator[bytes]:
    members = archive_members(
        view,
        packed,
        metadata=metadata,
        citation=citations_of_dataset(view)[0],
        address=site_address(f"/dataset/{view.slug}"),
    )
    return zip_stream(list(members), clock()().astimezone(SHANGHAI))


def _open_columns(tables: TableCache, info: TableInfo) -> Iterator[bytes]:
    return export_rows(tables, info, TableQuery(limit=None), ExportForm.CSV)
