"""The versions of a file: their list, a permanent page for each, and what changed between two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, render_template, request
from flask_babel import gettext

from portal.errors import Invalid, NotFound, Unavailable
from portal.services.data_versions import FileVersion
from portal.tables.difference import (
    KINDS,
    ColumnChange,
    Comparison,
    column_changes,
    compare,
)
from portal.tables.difference_store import DifferenceStore, RowChange, RowDifference
from portal.web.access import public
from portal.web.attachment import attachment, hold_slot
from portal.web.citations import citations_of_version
from portal.web.context import platform
from portal.web.dataset import EXPORT_FORMS, download_right
from portal.web.errors import message_of
from portal.web.file_access import FILE, AskedFile, asked_file, blueprint, downloadable_file

SHOWN_ROWS = 100  # of each kind


@blueprint.get(f"{FILE}/versions")
@public
def versions(key: str, file_id: str) -> Any:
    """Show every version of the file with its date, reason and hash."""
    found = asked_file(key, file_id)
    return render_template("file_versions.html", **_shared(found), versions=found.versions)


@blueprint.get(f"{FILE}/version/<int:number>")
@public
def version(key: str, file_id: str, number: int) -> Any:
    """Show one version for ever: what it is, how it is cited, and its downloads."""
    found = asked_file(key, file_id)
    shown = found.version(number)
    older = [one for one in found.versions if one.number < number]
    return render_template(
        "file_version.html",
        **_shared(found),
        version=shown,
        older=older[0] if older else None,
        newest=found.versions[0].number,
        citations=citations_of_version(found.view, found.file, shown),
        forms=EXPORT_FORMS,
    )


@blueprint.get(f"{FILE}/difference")
@public
def difference(key: str, file_id: str) -> Any:
    """Show what changed between two versions: columns, and the first rows of each kind."""
    found = downloadable_file(key, file_id)
    before, after = _asked_pair(found)
    comparison = _comparison(found, before, after)
    return render_template(
        "file_difference.html",
        **_shared(found),
        versions=found.versions,
        before=before,
        after=after,
        comparison=comparison,
        columns=column_changes(comparison) if comparison else (),
        change_text=change_text,
        result=_rows(comparison) if comparison else None,
        most=SHOWN_ROWS,
    )


@blueprint.get(f"{FILE}/difference.csv")
@public
def difference_csv(key: str, file_id: str) -> Any:
    """Give every row that differs, old beside new."""
    found = downloadable_file(key, file_id)
    before, after = _asked_pair(found)
    comparison = _comparison(found, before, after)
    if comparison is None:
        raise NotFound("这两个版本中有一个不是表格，不能逐行比较。")
    store = _store()
    pieces = store.csv(store.find(comparison))
    name = f"{found.file.name}_v{before.number}-v{after.number}.csv"
    response = attachment(b"", "text/csv; charset=utf-8", name, "difference")
    if request.method != "HEAD":
        hold_slot(response, pieces)
    return response


def _store() -> DifferenceStore:
    """Return this process's store of differences, made at first use."""
    parts = platform()
    kept: dict[str, Any] = current_app.extensions.setdefault("xiangyun_differences", {})
    if "store" not in kept:
        folder = parts.settings.cache_folder / "differences"
        kept.setdefault("store", DifferenceStore(folder, parts.storage))
    store: DifferenceStore = kept["store"]
    return store


def _shared(found: AskedFile) -> dict[str, Any]:
    may_download, refusal = download_right(found.entry, found.view)
    return {
        "entry": found.view,
        "content": found.view.content,
        "file": found.file,
        "may_download": may_download,
        "refusal": refusal,
    }


def _asked_pair(found: AskedFile) -> tuple[FileVersion, FileVersion]:
    """Return the older and the newer version that the address names; the last two by default.

    Raises:
        NotFound: there is no such version, or only one.
        Invalid: a number is none.
    """
    listed = found.versions
    if len(listed) < 2:
        raise NotFound("该文件只有一个版本，没有可比较的。")
    numbers = [
        _number("from", listed[1].number),
        _number("to", listed[0].number),
    ]
    by_number = {one.number: one for one in listed}
    for number in numbers:
        if number not in by_number:
            raise NotFound("该文件没有第 {number} 版。", number=number)
    return by_number[min(numbers)], by_number[max(numbers)]


def _number(name: str, default: int) -> int:
    text = request.args.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise Invalid.one(name, "integer", "版本号应为整数，如 2。")
    return int(text)


def _comparison(found: AskedFile, before: FileVersion, after: FileVersion) -> Comparison | None:
    if before.table is None or after.table is None:
        return None
    keys = [item.field_name for item in found.view.content.items if item.primary_key]
    return compare(before.table, after.table, known_key=keys)


@dataclass(frozen=True)
class ShownRows:
    """Counts and first rows by kind, or why there are none."""

    difference: RowDifference | None
    rows: dict[str, list[RowChange]]
    problem: str = ""


def _rows(comparison: Comparison) -> ShownRows:
    store = _store()
    try:
        found = store.find(comparison)
    except Unavailable as error:
        return ShownRows(None, {}, message_of(error))
    return ShownRows(found, {kind: store.rows(found, kind, SHOWN_ROWS) for kind in KINDS})


def change_text(change: ColumnChange) -> str:
    """Return in words what changed of a column that both versions have."""
    before, after = change.before, change.after
    if before is None or after is None:
        return ""
    words = []
    if before.name != after.name:
        words.append(gettext("列名由“%(a)s”改为“%(b)s”", a=before.name, b=after.name))
    if before.type != after.type:
        words.append(gettext("类型由 %(a)s 改为 %(b)s", a=before.type.value, b=after.type.value))
    return "；".join(words)
