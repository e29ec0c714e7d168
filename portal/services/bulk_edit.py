"""The same change to many entries at once: all of them, or none.

A draft is changed where it stands; of a published entry a revision is opened. The dry run is the
real one, rolled back by its caller, so it cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict, Defect, Forbidden, IllegalEvent, Invalid
from portal.models.audit import AuditEvent
from portal.models.entry import CatalogueEntry, EntryVersion, list_versions
from portal.models.organisation import Organisation
from portal.rules.entry_content import EntryContent
from portal.rules.metadata_profile import JL_1, defects
from portal.services import audit
from portal.services.catalogue_flow import FLOW
from portal.services.codes_known import known_codes
from portal.services.content import content_of
from portal.services.entries import EntryService
from portal.services.index_requests import request_index
from portal.services.responsibility import department_for

FIELDS = (
    "update_frequency", "theme", "contact_name", "contact_phone", "contact_email",
    "source_system", "pooling_state", "licence",
)  # fmt: skip
MOST = 100
CHANGED, OPENED, SAME = "changed", "opened", "same"
EDITABLE = ("draft", "returned")


@dataclass(frozen=True)
class BulkRow:
    """What the change means for one entry. `outcome`: changed (a draft), opened (a revision of what
    is published), or same. `department`: (before, after) where another one becomes responsible."""

    entry_id: int
    version_id: int
    title: str
    outcome: str
    before: EntryContent
    after: EntryContent
    department: tuple[str, str] | None = None


@dataclass(frozen=True)
class Chosen:
    """An entry as it was shown: its newest version, and that one's row version."""

    entry_id: int
    version_id: int
    row_version: int


def bulk_edit(
    session: Session,
    clock: Clock,
    actor: Actor,
    chosen: Sequence[Chosen],
    changes: Mapping[str, str],
    *,
    department: Organisation | None = None,
    key: str,
) -> list[BulkRow]:
    """Make the change to every entry; one that cannot take it leaves all of them as they are.

    Args:
        changes: field of FIELDS -> the new value.
        department: becomes responsible for the entries, which were never published.
        key: of the form; the same click again changes nothing twice.

    Raises:
        Invalid: one defect for each entry at fault, `field` is its title; nothing was written.
    """
    if not chosen or not (changes or department):
        raise Invalid.one("item", "missing", "请勾选目录，并至少填写一项要修改的内容。")
    if len(chosen) > MOST:
        raise Invalid.one("item", "too_many", "一次最多修改{n}条，请分批进行。", n=MOST)
    editor = _Editor(session, clock, actor, changes, department, key)
    rows: list[BulkRow] = []
    found: list[Defect] = []
    with session.begin_nested():
        for one in chosen:
            try:
                rows.append(editor.edit(one))
            except (Invalid, Conflict, IllegalEvent, Forbidden) as error:
                found += _at(editor.title, error)
        if found:
            raise Invalid(found, "有目录不能这样修改，所有目录都没有改动。")
    return rows


def _at(title: str, error: Any) -> list[Defect]:
    texts = [d.text() for d in getattr(error, "defects", ())] or [error.text()]
    return [Defect(title, "refused", "{text}", {"text": text}) for text in texts]


class _Editor:
    def __init__(
        self,
        session: Session,
        clock: Clock,
        actor: Actor,
        changes: Mapping[str, str],
        department: Organisation | None,
        key: str,
    ) -> None:
        self._session, self._clock, self._actor = session, clock, actor
        self._changes: dict[str, Any] = dict(changes)
        self._department, self._key = department, key
        self._entries = EntryService(session, clock)
        self.title = ""

    def edit(self, chosen: Chosen) -> BulkRow:
        version = self._session.get(EntryVersion, chosen.version_id)
        entry = self._session.get(CatalogueEntry, chosen.entry_id)
        if version is None or entry is None or version.entry_id != entry.id:
            raise Invalid.one("item", "unknown", "没有这条目录。")
        self.title = version.title
        if (done := self._done(entry)) is not None:
            return done
        newest = list_versions(self._session, entry.id)[0]
        if newest.id != version.id or version.row_version != chosen.row_version:
            raise Conflict()
        before = content_of(version)
        after = replace(before, **self._changes)
        self._check(before, after)
        moved = self._move(entry)
        if before == after:
            return BulkRow(entry.id, version.id, version.title, SAME, before, after, moved)
        target, outcome = self._target(entry, version)
        self._entries.save(self._actor, target, after, key=f"{self._key}:{entry.id}")
        return BulkRow(entry.id, target.id, version.title, outcome, before, after, moved)

    def _done(self, entry: CatalogueEntry) -> BulkRow | None:
        """Return what stands since the same click changed the entry before; None if it did not."""
        query = select(AuditEvent.subject_id).where(
            AuditEvent.flow == FLOW,
            AuditEvent.entry_id == entry.id,
            AuditEvent.event_key == f"{self._key}:{entry.id}",
        )
        version_id = self._session.scalar(query)
        version = self._session.get(EntryVersion, version_id) if version_id is not None else None
        if version is None:
            return None
        content = content_of(version)
        return BulkRow(entry.id, version.id, version.title, CHANGED, content, content)

    def _check(self, before: EntryContent, after: EntryContent) -> None:
        """A change that makes something wrong that was right is refused. Raises Invalid."""
        known = defects(before, JL_1, known_codes())
        new = [one for one in defects(after, JL_1, known_codes()) if one not in known]
        if new:
            raise Invalid(new)

    def _target(self, entry: CatalogueEntry, version: EntryVersion) -> tuple[EntryVersion, str]:
        if version.state in EDITABLE:
            return version, CHANGED
        if version.state in ("submitted", "approved"):
            raise Invalid.one("item", "under_review", "该目录正在审核，审核结束后才能修改。")
        if not entry.is_public:
            raise Invalid.one("item", "ended", "该目录已撤下或作废，不能修改。")
        opened = self._entries.revise(self._actor, entry, key=f"{self._key}:open:{entry.id}")
        return opened, OPENED

    def _move(self, entry: CatalogueEntry) -> tuple[str, str] | None:
        """Name another responsible department, of an entry that was never published."""
        if self._department is None or self._department.id == entry.responsible_dept_id:
            return None
        own = self._actor.acts_for("agency") | self._actor.acts_for("responsible_dept")
        if not own & {entry.provider_id, entry.responsible_dept_id}:
            raise Forbidden()
        if entry.published_version_id is not None:
            message = "已发布目录的责任部门不能在这里修改，由数字化局按职责分工移交（第14条）。"
            raise Invalid.one("responsible_dept", "published", message)
        assigned = department_for(self._session, self._clock, entry.provider_id)
        if assigned is not None and assigned.id != self._department.id:
            raise Invalid.one(
                "responsible_dept",
                "assigned",
                "“{provider}”所属系统已确定由{name}负责，不能另选责任部门（第14条）。",
                provider=entry.provider.name,
                name=assigned.name,
            )
        before = entry.responsible_dept.name
        entry.responsible_dept = self._department
        entry.responsible_dept_id = self._department.id
        self._session.flush()
        audit.record(
            self._session, self._clock, self._actor, flow=FLOW, event="move_department",
            subject_id=list_versions(self._session, entry.id)[0].id, entry_id=entry.id,
            details={"from": before, "to": self._department.name},
        )  # fmt: skip
        request_index(self._session, self._clock, entry, tightens=True)
        return before, self._department.name
