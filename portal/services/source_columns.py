"""The columns of a spreadsheet source: looked at by a worker, mapped by a person, kept on the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import requests
from sqlalchemy.orm import Session

from harvesters.codes import plain_word
from harvesters.open_list.client import fetch_list
from harvesters.open_list.column_mapping import SheetSample
from harvesters.open_list.columns import headings
from harvesters.open_list.fields import LIST_FIELDS
from harvesters.open_list.reader import read_sample
from harvesters.patience import Patience
from harvesters.record import SourceFailed, SourceSettings
from portal.actor import Actor
from portal.clock import Clock
from portal.codes import all_code_names
from portal.errors import Conflict, Defect, Invalid
from portal.jobs.queue import enqueue
from portal.models.harvest import HarvestSource
from portal.permissions import Permission, require
from portal.services import audit

READ_SAMPLE = "harvest_sample"
OPEN_LIST = "open_list"
ASKED, READY, FAILED = "asked", "ready", "failed"
_QUICK = Patience(attempts=2)
FIELD_NAMES: Mapping[str, str] = {
    "share_mode": "共享方式",
    "items": "信息项",
    "files": "文件",
    "resource_class": "分类",
    **headings("list"),
}
"""What the fields of a record are called in reports."""


def sample_json(sample: SheetSample, now: datetime) -> dict[str, Any]:
    """Return what a source's row keeps of a sample."""
    return {
        "state": READY,
        "sheet": sample.sheet,
        "line": sample.line,
        "header": list(sample.header),
        "rows": [list(row) for row in sample.rows],
        "guess": dict(sample.guess),
        "headless": sample.headless,
        "read_at": now.isoformat(),
    }


def ask_for_sample(
    session: Session,
    clock: Clock,
    actor: Actor,
    source: HarvestSource,
    *,
    line: int | None = None,
    headless: bool | None = None,
) -> None:
    """Let a worker read the first rows; the source's `sample` says so until it has.

    Args:
        line: of the header, or of the first data where there is none; None: found out.
        headless: whether its columns are taken by position; None: found out.
    """
    require(actor, Permission.SOURCE_MANAGE)
    _check_kind(source)
    source.sample = {
        "state": ASKED, "line": line, "headless": headless, "asked_at": clock().isoformat()
    }  # fmt: skip
    payload = {"source_id": source.id, "line": line, "headless": headless}
    enqueue(session, clock, READ_SAMPLE, payload, key=f"{READ_SAMPLE}:{source.id}")


def read_source_sample(
    source: HarvestSource,
    options: Mapping[str, Any],
    http: requests.Session,
    now: datetime,
    *,
    line: int | None,
    headless: bool | None = None,
) -> dict[str, Any]:
    """Return the sample of a source as its row keeps it; a failure is one, with its reason."""
    try:
        data, filename = fetch_list(SourceSettings(source.url, options), http, _QUICK)
        sample = read_sample(data, filename, line=line, headless=headless, codes=all_code_names())
        return sample_json(sample, now)
    except SourceFailed as error:
        failed = {"state": FAILED, "error": str(error), "read_at": now.isoformat()}
        return {**failed, "line": line, "headless": headless}


def confirm_columns(
    session: Session,
    clock: Clock,
    actor: Actor,
    source: HarvestSource,
    header: list[str],
    fields: list[str],
) -> None:
    """Keep which column holds which field; runs read by it and stop when the header changes.

    Args:
        header: the headings as they were shown, in their order.
        fields: a field of the list (`field_names`) for each, "" for a column kept as it is.

    Raises:
        Invalid: a field is unknown or chosen twice, or no column holds the title.
        Conflict: the header that was shown is not the newest one.
    """
    require(actor, Permission.SOURCE_MANAGE)
    _check_kind(source)
    sample, standing = source.sample or {}, source.columns or {}
    shown = sample.get("header") or standing.get("header")
    if header != shown or len(fields) != len(header):
        raise Conflict("表头已重新读取，请刷新后按新的表头核对。")
    by_position = sample["line"] if sample.get("headless") else 0
    if not sample.get("header"):
        by_position = standing.get("first_line", 0)
    source.columns = chosen_columns(header, fields, first_line=by_position)
    chosen = source.columns["fields"]
    source.row_version += 1
    audit.record(
        session,
        clock,
        actor,
        flow="harvest_source",
        event="map_columns",
        subject_id=source.id,
        details={"name": source.name, "fields": {h: f for h, f in chosen.items() if f}},
    )


def chosen_columns(
    header: Sequence[str], fields: Sequence[str], *, first_line: int = 0
) -> dict[str, Any]:
    """Return what `ColumnMapping.of` reads, of the fields that a person chose for each column.

    Args:
        first_line: of a list without a header, the line in which its data begin; else 0.

    Raises:
        Invalid: a field is unknown or chosen twice, or no column holds the title.
    """
    found = list(_defects(header, fields))
    if found:
        raise Invalid(found)
    chosen = {h: f for h, f in zip(header, fields, strict=True) if h}
    columns: dict[str, Any] = {"header": [h for h in header if h], "fields": chosen}
    return {**columns, "first_line": first_line} if first_line else columns


def forget_columns(session: Session, clock: Clock, actor: Actor, source: HarvestSource) -> None:
    """Let the headings be looked up in the vocabulary again."""
    require(actor, Permission.SOURCE_MANAGE)
    if source.columns is None:
        return
    source.columns = None
    source.row_version += 1
    audit.record(
        session,
        clock,
        actor,
        flow="harvest_source",
        event="forget_columns",
        subject_id=source.id,
        details={"name": source.name},
    )


def field_names() -> Mapping[str, str]:
    """Return {field: what our template calls it}, in the order of the template."""
    known = headings("list")
    return {field: known[field] for field in known if field in LIST_FIELDS}


def _defects(header: Sequence[str], fields: Sequence[str]) -> list[Defect]:
    found: list[Defect] = []
    taken: dict[str, str] = {}
    meanings: dict[str, str] = {}
    names = field_names()
    for number, (heading, field) in enumerate(zip(header, fields, strict=True)):
        if not heading:
            continue
        place, word = f"field.{number}", plain_word(heading)
        if field and field not in names:
            found.append(Defect(place, "unknown", "没有这个字段。"))
        elif field and field in taken:
            message = "“{name}”已选给“{other}”一列，每个字段只能对应一列。"
            params = {"name": names[field], "other": taken[field]}
            found.append(Defect(place, "twice", message, params))
        elif meanings.get(word, field) != field:
            message = "表头中有两列都叫“{heading}”，它们只能作同样的选择。"
            found.append(Defect(place, "same_heading", message, {"heading": heading}))
        if field:
            taken.setdefault(field, heading)
        meanings.setdefault(word, field)
    if "title" not in taken:
        message = "至少要有一列对应“{name}”。"
        found.append(Defect("field.0", "no_title", message, {"name": names["title"]}))
    return found


def _check_kind(source: HarvestSource) -> None:
    if source.kind != OPEN_LIST:
        raise Conflict("只有表格清单（open_list）来源有列对应。")
