"""The public part of what happened to an entry: published versions, opening, data deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from portal.models.audit import AuditEvent
from portal.models.entry import EntryVersion

SHOWN = 50

# What the public may read of the audit trail: these events, without who did them.
PUBLIC_EVENTS = {
    ("catalogue_entry", "retire"): "撤下",
    ("catalogue_entry", "restore"): "恢复发布",
    ("catalogue_entry", "source_gone"): "来源已撤下",
    ("catalogue_entry", "source_back"): "来源恢复提供",
    ("open_list_entry", "pass_review"): "列入开放清单",
    ("open_list_entry", "publish"): "向公众开放",
    ("open_list_entry", "import"): "向公众开放",
    ("open_list_entry", "harvest"): "向公众开放",
    ("open_list_entry", "change_type"): "开放类型改变",
    ("open_list_entry", "suspend"): "暂停开放",
    ("open_list_entry", "resume"): "恢复开放",
    ("open_list_entry", "announce_removal"): "公告：将退出开放清单",
    ("open_list_entry", "remove"): "退出开放清单",
    ("distribution", "deliver"): "数据更新",
    ("distribution", "add_file"): "新增数据文件",
    ("distribution", "add_link"): "新增数据链接",
    ("distribution", "add_interface"): "新增数据接口",
    ("distribution", "delete"): "移除数据文件",
}
# Events whose reason the law or fairness wants to be known.
REASON_PUBLIC = frozenset({"retire", "restore", "suspend", "resume", "remove", "announce_removal"})


@dataclass(frozen=True)
class Change:
    """One line of the change log. `version` is the number of a published catalogue version."""

    at: datetime
    text: str
    detail: str = ""
    version: int | None = None


def list_changes(session: Session, entry_id: int) -> list[Change]:
    """Return the newest changes first."""
    changes = [*_versions(session, entry_id), *_events(session, entry_id)]
    return sorted(changes, key=lambda change: change.at, reverse=True)[:SHOWN]


def _versions(session: Session, entry_id: int) -> list[Change]:
    query = (
        select(EntryVersion.number, EntryVersion.published_at, EntryVersion.change_note)
        .where(EntryVersion.entry_id == entry_id, EntryVersion.published_at.is_not(None))
        .order_by(EntryVersion.number.desc())
        .limit(SHOWN)
    )
    return [
        Change(published_at, "发布目录", note, number)
        for number, published_at, note in session.execute(query)
        if published_at is not None
    ]


def _events(session: Session, entry_id: int) -> list[Change]:
    query = (
        select(
            AuditEvent.at, AuditEvent.flow, AuditEvent.event, AuditEvent.reason, AuditEvent.details
        )
        .where(
            AuditEvent.entry_id == entry_id,
            tuple_(AuditEvent.flow, AuditEvent.event).in_(list(PUBLIC_EVENTS)),
        )
        .order_by(AuditEvent.id.desc())
        .limit(SHOWN)
    )
    changes = []
    for at, flow, event, reason, details in session.execute(query):
        detail = reason if event in REASON_PUBLIC else ""
        if flow == "distribution":
            detail = str((details or {}).get("name", ""))
        changes.append(Change(at, PUBLIC_EVENTS[flow, event], detail))
    return changes
