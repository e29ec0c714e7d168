"""Many new records of a trusted source in one go: the rows that `RecordWriter` writes one by one,
through the same checks of the flows, a statement for many.

Only the plain ones are taken: new here, with an id and a name that are free, open by their own word
and with no other provider named. All others, and a batch of which a flow refuses one, are written
one by one, where each fails alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.actor import SYSTEM
from portal.clock import Clock
from portal.models.distribution import LINK, Distribution
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.file_check import WAITING, FileCheck
from portal.models.former_slug import FormerSlug
from portal.models.freshness import Freshness
from portal.models.harvest import HarvestSource
from portal.models.open_list import OpenListEntry, OpenListRelease
from portal.models.organisation import Organisation, find_organisation
from portal.rules.metadata_profile import FOREIGN_1
from portal.rules.resource_code import slug
from portal.services import audit, catalogue_flow, freshness_flow, open_list_flow
from portal.services.content import set_content
from portal.services.flow import Flow
from portal.services.freshness_flow import period_of
from portal.services.harvest_check import NEW, Judgement
from portal.services.harvest_files import is_usable_id, link_values, linkable
from portal.services.harvest_opening import HarvestedOpening
from portal.services.harvest_record import SourceRecord, fingerprint
from portal.services.index_requests import request_first_index
from portal.services.many_rows import add_many
from portal.services.package_input import OPENABLE
from portal.services.resource_codes import classification, next_codes
from portal.services.value import first_signals, keep_value

_NAME = re.compile(r"[a-z0-9_-]{2,100}")
FEW = 2
"""Records that are as quickly written one by one."""


@dataclass(frozen=True)
class _Made:
    record: SourceRecord
    entry: CatalogueEntry
    version: EntryVersion


class ManyNew:
    """Creates entries of one trusted source in the caller's transaction. Never commits."""

    def __init__(self, session: Session, clock: Clock, source: HarvestSource) -> None:
        self._session = session
        self._clock = clock
        self._source = source
        self._reason = f"采集自“{source.name}”"
        self._opening = HarvestedOpening(session, clock, source)

    def plain_ones(self, records: Iterable[tuple[SourceRecord, Judgement]]) -> list[SourceRecord]:
        """Return those that `create` may take."""
        if not self._source.trusted:
            return []
        found = [
            record
            for record, judgement in records
            if judgement.outcome == NEW
            and record.content.open_type in OPENABLE
            and (not record.name or _NAME.fullmatch(record.name))
            and self._opening.is_own(record)
        ]
        names, ids = _wanted(found)
        taken = {
            *self._known(CatalogueEntry.slug, names),
            *self._known(FormerSlug.slug, names),
            *self._known(CatalogueEntry.public_id, ids),
        }
        free = [r for r in found if not {r.name, r.remote_id if r.name else ""} & taken]
        twice = {name for name in names if names.count(name) > 1}
        return [record for record in free if record.name not in twice]

    def create(self, records: Sequence[SourceRecord]) -> list[tuple[int, list[str]]]:
        """Create, publish and open; return (id of the entry, remarks) for each.

        Raises:
            PortalError: a flow refuses one of them; the caller rolls back and writes singly.
        """
        with self._session.no_autoflush:
            made = self._publish(records, self._add_entries(records))
            remarks = self._add_links(made)
            self._watch(made)
            self._open(made)
            request_first_index(self._session, self._clock, [one.entry.id for one in made])
        return [(one.entry.id, said) for one, said in zip(made, remarks, strict=True)]

    def _known(self, column: InstrumentedAttribute[str], values: Sequence[str]) -> set[str]:
        return set(self._session.scalars(select(column).where(column.in_(values))))

    def _department(self, record: SourceRecord) -> Organisation:
        named = record.responsible_dept
        found = find_organisation(self._session, named) if named else None
        return found or self._source.organisation

    def _add_entries(self, records: Sequence[SourceRecord]) -> list[CatalogueEntry]:
        now, provider, codes = self._clock(), self._source.organisation, self._codes(records)
        entries = []
        for record, code in zip(records, codes, strict=True):
            department = self._department(record)
            entry = CatalogueEntry(
                code=code,
                slug=record.name or slug(code),
                metadata_profile=FOREIGN_1,
                provider=provider,
                responsible_dept=department,
                provider_id=provider.id,
                responsible_dept_id=department.id,
                created_at=now,
                metadata_modified_at=now,
                issued_at=record.issued_at or now,
                data_modified_at=record.data_modified,
                needs_second_look=True,
                source_id=self._source.id,
                remote_id=record.remote_id,
                source_fingerprint=fingerprint(record),
                supplementary=record.supplementary,
                index_version=1,
            )
            if record.name and is_usable_id(record.remote_id):
                entry.public_id = record.remote_id
            entries.append(entry)
        add_many(self._session, entries)
        self._session.flush()
        return entries

    def _codes(self, records: Sequence[SourceRecord]) -> list[str]:
        fronts = [classification(self._source.organisation, r.content) for r in records]
        given = {
            front: iter(next_codes(self._session, front, fronts.count(front)))
            for front in sorted(set(fronts))
        }
        return [next(given[front]) for front in fronts]

    def _publish(
        self, records: Sequence[SourceRecord], entries: Sequence[CatalogueEntry]
    ) -> list[_Made]:
        now, made = self._clock(), []
        for record, entry in zip(records, entries, strict=True):
            version = EntryVersion(
                entry=entry,
                entry_id=entry.id,
                number=1,
                editors=[],
                created_at=now,
                modified_at=now,
            )
            set_content(version, record.content)
            made.append(_Made(record, entry, version))
        Flow(catalogue_flow.FLOW, self._session, self._clock).create_many(
            [one.version for one in made],
            "harvest",
            SYSTEM,
            reason=self._reason,
            source=self._source,
        )
        for one in made:
            one.entry.published_version_id = one.version.id
            one.entry.published_version = one.version
        return made

    def _add_links(self, made: Sequence[_Made]) -> list[list[str]]:
        """Add the links of all, each to be tried soon, and score the entries by them."""
        wanted = [linkable(one.record.files) for one in made]
        ids = [f.remote_id for files, _ in wanted for f in files if is_usable_id(f.remote_id)]
        taken = self._known(Distribution.public_id, ids)
        now = self._clock()
        added = []
        for one, (files, _) in zip(made, wanted, strict=True):
            for position, file in enumerate(files):
                values = link_values(file)
                link = Distribution(
                    entry=one.entry, entry_id=one.entry.id, kind=LINK, position=position,
                    remote_id=file.remote_id, created_at=now, modified_at=now, **values,
                )  # fmt: skip
                if is_usable_id(file.remote_id) and file.remote_id not in taken:
                    link.public_id = file.remote_id
                    taken.add(file.remote_id)
                added.append(link)
            formats = {file.format.lower() for file in files if file.format}
            signals = first_signals(one.entry, formats, {LINK} if files else set())
            keep_value(self._clock, one.entry, signals)
        add_many(self._session, added)
        self._session.flush()
        self._note_links(added)
        return [remarks for _, remarks in wanted]

    def _note_links(self, added: Sequence[Distribution]) -> None:
        now = self._clock()
        checks = [
            FileCheck(
                distribution_id=link.id, url=link.url, state=WAITING, next_at=now,
                failures=0, reason="", etag="", last_modified="",
            )
            for link in added
        ]  # fmt: skip
        add_many(self._session, checks)
        events = [
            audit.new_event(
                self._clock,
                SYSTEM,
                flow="distribution",
                event="add_link",
                subject_id=link.id,
                entry_id=link.entry_id,
                details={"name": link.name, "sha256": ""},
            )
            for link in added
        ]
        add_many(self._session, events)

    def _watch(self, made: Sequence[_Made]) -> None:
        """Begin to watch whether data is kept up, where the update frequency has a period."""
        watches = [
            Freshness(
                entry=one.entry,
                entry_id=one.entry.id,
                updated_at=one.entry.data_modified_at or self._clock(),
            )
            for one in made
            if period_of(one.version.update_frequency) is not None
        ]
        Flow(freshness_flow.FLOW, self._session, self._clock).create_many(watches, "start", SYSTEM)

    def _open(self, made: Sequence[_Made]) -> None:
        """Put all on their provider's open list, each a numbered release of it."""
        now, provider_id = self._clock(), self._source.organisation_id
        places = [
            OpenListEntry(
                entry=one.entry, entry_id=one.entry.id, version=one.version,
                version_id=one.version.id, open_type=one.version.open_type, proposed_at=now,
            )
            for one in made
        ]  # fmt: skip
        Flow(open_list_flow.FLOW, self._session, self._clock).create_many(
            places, "harvest", SYSTEM, reason=self._reason, source=self._source
        )
        newest = select(func.max(OpenListRelease.number)).where(
            OpenListRelease.organisation_id == provider_id
        )
        last = self._session.scalar(newest) or 0
        releases = [
            OpenListRelease(
                organisation_id=provider_id, number=number, entry_id=place.entry_id,
                change="open", released_at=now,
            )
            for number, place in enumerate(places, last + 1)
        ]  # fmt: skip
        add_many(self._session, releases)


def _wanted(records: Sequence[SourceRecord]) -> tuple[list[str], list[str]]:
    """Return the names, and the ids that would be ours, of records that bring some."""
    named = [record for record in records if record.name]
    return [r.name for r in named], [r.remote_id for r in named if is_usable_id(r.remote_id)]
