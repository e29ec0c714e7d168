"""One harvested record into the catalogue: new, changed or back, by the rules of its source."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import SYSTEM, Actor, RoleIn
from portal.clock import Clock
from portal.models.entry import CatalogueEntry, EntryVersion, find_unfinished_version
from portal.models.harvest import HarvestSource
from portal.models.organisation import Organisation, find_organisation
from portal.rules.metadata_profile import FOREIGN_1
from portal.services.catalogue_flow import FLOW, is_decided_by_official
from portal.services.content import content_of
from portal.services.entries import EntryService
from portal.services.flow import Flow
from portal.services.harvest_check import BACK, CHANGED, NEW, TAKEN_OVER, Judgement, judge
from portal.services.harvest_content import (
    content_kept_by_official,
    remark_on_kept,
    untrusted_content,
)
from portal.services.harvest_files import HarvestedFiles, is_usable_id
from portal.services.harvest_notices import tell_followers
from portal.services.harvest_opening import HarvestedOpening
from portal.services.harvest_record import SourceRecord, fingerprint
from portal.services.index_requests import request_index

CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"
_NAME = re.compile(r"[a-z0-9_-]{2,100}")


@dataclass
class Written:
    """What became of a record: the state of its item, its entry, and remarks for people."""

    state: str
    entry_id: int | None = None
    remarks: list[str] = field(default_factory=list)


class RecordWriter:
    """Writes records of one source in the caller's transaction. Never commits."""

    def __init__(self, session: Session, clock: Clock, source: HarvestSource) -> None:
        self._session = session
        self._clock = clock
        self._source = source
        self._reason = f"采集自“{source.name}”"
        self._entries = EntryService(session, clock)
        self._files = HarvestedFiles(session, clock)
        self._opening = HarvestedOpening(session, clock, source)
        self._flow = Flow(FLOW, session, clock)

    def write(self, record: SourceRecord, judgement: Judgement | None = None) -> Written:
        """Bring the catalogue to what the record says; judged anew, as things may have moved.

        Args:
            judgement: how the record was judged in this very transaction.

        Raises:
            Invalid, Conflict: this record cannot be written; the caller rolls it back alone.
        """
        judgement = judgement or judge(self._session, self._source, [record])[0]
        if judgement.outcome == NEW:
            return self._create(record)
        if judgement.outcome not in (CHANGED, BACK):
            remarks = [judgement.reason] if judgement.reason else []
            return Written(judgement.outcome, judgement.entry_id, remarks)
        entry = self._session.get_one(CatalogueEntry, judgement.entry_id)
        if entry.source_id != self._source.id:
            return self._take_over(entry, record)
        written = self._bring_back(entry, record) if judgement.outcome == BACK else None
        if entry.source_fingerprint == fingerprint(record):
            return written or Written(UNCHANGED, entry.id)
        if written and find_unfinished_version(self._session, entry.id) is not None:
            written.remarks.append("该目录正在修订，来源的变化待修订完成后写入。")
            return written
        updated = self._update(entry, record)
        if written:
            return Written(written.state, entry.id, [*written.remarks, *updated.remarks])
        return updated

    def _take_over(self, entry: CatalogueEntry, record: SourceRecord) -> Written:
        """The source that the entry came from was removed: it follows this one from now on."""
        entry.source_id = self._source.id
        self._session.flush()
        judgement = judge(self._session, self._source, [record])[0]
        if judgement.outcome not in (CHANGED, BACK):
            return Written(UPDATED, entry.id, [TAKEN_OVER])
        written = self.write(record)
        return Written(UPDATED, entry.id, [TAKEN_OVER, *written.remarks])

    def _create(self, record: SourceRecord) -> Written:
        content = record.content if self._source.trusted else untrusted_content(record)
        public_id, name, remarks = self._names(record)
        entry = self._entries.new_entry(
            self._source.organisation,
            self._department(record),
            content,
            FOREIGN_1,
            public_id=public_id,
            name=name,
        )
        entry.source_id, entry.remote_id = self._source.id, record.remote_id
        entry.supplementary = record.supplementary
        self._note(entry, record)
        remarks += self._files.bring_up(entry, record.files)[1]
        if not self._source.trusted:
            version = self._entries.new_version(entry, content, SYSTEM)
            self._draft(version)
            request_index(self._session, self._clock, entry)
            return Written(CREATED, entry.id, remarks)
        self._entries.publish_directly(
            SYSTEM,
            entry,
            content,
            "harvest",
            reason=self._reason,
            notify=False,
            issued_at=record.issued_at,
            source=self._source,
        )
        return Written(CREATED, entry.id, remarks + self._opening.open(entry, record))

    def _names(self, record: SourceRecord) -> tuple[str | None, str | None, list[str]]:
        """Return the source's id and name where they are free here, and what is to be said."""
        if not record.name:
            return None, None, []
        public_id = record.remote_id if is_usable_id(record.remote_id) else None
        is_usable = _NAME.fullmatch(record.name) is not None
        taken = select(CatalogueEntry.id).where(CatalogueEntry.slug == record.name)
        if is_usable and self._session.scalar(taken) is None:
            return public_id, record.name, []
        why = "已被使用" if is_usable else "不能用于网址"
        return public_id, None, [f"来源的名称“{record.name}”{why}，改用本平台的名称。"]

    def _department(self, record: SourceRecord) -> Organisation:
        """Return the responsible department; only the provider's own list may name another."""
        named = record.responsible_dept if self._source.trusted else ""
        found = find_organisation(self._session, named) if named else None
        return found or self._source.organisation

    def _note(self, entry: CatalogueEntry, record: SourceRecord) -> None:
        entry.source_fingerprint = fingerprint(record)
        if record.data_modified is not None:
            entry.data_modified_at = record.data_modified

    def _draft(self, version: EntryVersion) -> None:
        self._flow.create(
            version,
            "harvest_draft",
            SYSTEM,
            reason=self._reason,
            notify=False,
            source=self._source,
        )

    def _update(self, entry: CatalogueEntry, record: SourceRecord) -> Written:
        published = entry.published_version
        if published is None:
            return self._update_draft(entry, record)
        if not self._source.trusted:
            return self._propose_revision(entry, published, record)
        return self._replace(entry, published, record)

    def _replace(
        self, entry: CatalogueEntry, published: EntryVersion, record: SourceRecord
    ) -> Written:
        """A trusted source speaks: a new version takes the place of the published one."""
        here, content, remarks = content_of(published), record.content, []
        if is_decided_by_official(self._session, entry.id):
            content = content_kept_by_official(here, record)
            remarks = [remark for remark in [remark_on_kept(here, record)] if remark]
        version = self._entries.replace_published(
            SYSTEM,
            entry,
            content,
            "update_from_source",
            reason=self._reason,
            notify=False,
            facts={"source": self._source},
        )
        has_changed = version is not published
        if has_changed:
            tell_followers(self._session, self._clock, version, "随来源更新")
        self._note(entry, record)
        files_changed, file_remarks = self._files.bring_up(entry, record.files)
        remarks += file_remarks + self._opening.open(entry, record)
        state = UPDATED if has_changed or files_changed else UNCHANGED
        return Written(state, entry.id, remarks)

    def _update_draft(self, entry: CatalogueEntry, record: SourceRecord) -> Written:
        """Nobody has reviewed the draft: it follows the source, in its provider's name."""
        version = find_unfinished_version(self._session, entry.id)
        assert version is not None  # judged so
        content = untrusted_content(record)
        if version.editors:
            content = content_kept_by_official(content_of(version), record)
        before = version.content_hash
        self._entries.save(_acting(entry, "agency_editor", entry.provider), version, content)
        self._note(entry, record)
        files_changed, remarks = self._files.bring_up(entry, record.files)
        has_changed = version.content_hash != before or files_changed
        return Written(UPDATED if has_changed else UNCHANGED, entry.id, remarks)

    def _propose_revision(
        self, entry: CatalogueEntry, published: EntryVersion, record: SourceRecord
    ) -> Written:
        """What was published after a review changes by a review: a draft of the next version.

        Links are no part of a version, so those of an untrusted source are told of, not changed.
        """
        here = content_of(published)
        content = content_kept_by_official(here, record)
        remarks = [remark for remark in [remark_on_kept(here, record)] if remark]
        if self._files.differ(entry, record.files):
            remarks.append("来源的文件链接有变化，须由本单位核实后修改。")
        self._note(entry, record)
        if content == here:
            return Written(UPDATED if remarks else UNCHANGED, entry.id, remarks)
        department = _acting(entry, "responsible_dept", entry.responsible_dept)
        self._flow.fire(published, "revise", department, reason=self._reason, notify=False)
        version = self._entries.new_version(entry, content, SYSTEM)
        version.change_note = "；".join([self._reason, *remarks])
        self._draft(version)
        return Written(UPDATED, entry.id, [*remarks, "已生成修订草稿，待审核。"])

    def _bring_back(self, entry: CatalogueEntry, record: SourceRecord) -> Written:
        """The record is at the source again."""
        left_because = entry.retired_reason
        self._entries.restore(
            SYSTEM,
            entry,
            reason=f"来源“{self._source.name}”中已恢复",
            event="source_back",
            notify=False,
        )
        version = entry.published_version
        assert version is not None  # restored
        tell_followers(self._session, self._clock, version, "来源中已恢复")
        remarks = self._opening.open_again(entry, record, left_because)
        return Written(BACK, entry.id, remarks)


def _acting(entry: CatalogueEntry, role: str, organisation: Organisation) -> Actor:
    """A harvest acts in the name of the organisation whose source it reads."""
    return Actor(None, organisation.name, (RoleIn(role, organisation.id, organisation.code),))
