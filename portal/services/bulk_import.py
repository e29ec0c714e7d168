"""Write many imported entries in one transaction: the rows that the services write one by one,
through the same checks of the flows, a statement for many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actor import SYSTEM, Actor
from portal.clock import Clock
from portal.models.distribution import LINK, Distribution
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.freshness import Freshness
from portal.models.open_list import OpenListEntry, OpenListRelease
from portal.models.organisation import Organisation
from portal.rules.metadata_profile import FOREIGN_1
from portal.rules.resource_code import CODE_PATTERN, slug
from portal.services import catalogue_flow, freshness_flow, notices, open_list_flow
from portal.services.content import set_content
from portal.services.entry_facts import EntryFacts
from portal.services.flow import Flow
from portal.services.freshness_flow import period_of
from portal.services.index_requests import request_first_index
from portal.services.many_rows import add_many
from portal.services.package_input import OPENABLE, PackageInput, extras_of, states_open
from portal.services.package_resources import new_distribution
from portal.services.resource_codes import classification, keep_code, next_codes
from portal.services.value import first_signals, keep_value
from portal.services.wire_dates import instant_of, local_instant_of


@dataclass(frozen=True)
class NewRecord:
    """A package that the catalogue does not have yet, read and placed."""

    package: Mapping[str, Any]
    read: PackageInput
    provider: Organisation
    responsible: Organisation

    @property
    def own_code(self) -> str:
        """Return the resource code that the record had in another Xiangyun, if it is one of ours."""
        code = str(self.read.beside.get("code", ""))
        return code if CODE_PATTERN.fullmatch(code) and self.read.name == slug(code) else ""

    @property
    def is_open(self) -> bool:
        return self.read.content.open_type in OPENABLE and states_open(self.package)


class BulkImport:
    """Creates entries published by the event `import`. Never commits."""

    def __init__(
        self,
        session: Session,
        clock: Clock,
        actor: Actor,
        *,
        source: str,
        reason: str,
        notify: bool,
    ) -> None:
        self._session, self._clock, self._actor = session, clock, actor
        self._reason, self._notify = reason, notify
        self._facts = {"source": source, "details": {"source": source}}

    def create(self, records: Sequence[NewRecord]) -> list[tuple[CatalogueEntry, EntryFacts]]:
        """Create and publish the records; their ids and names were found free.

        Returns each entry with what stands around it, so that nobody need read it again.
        """
        if not records:
            return []
        with self._session.no_autoflush:
            entries = self._add_entries(records)
            events = self._publish(records, entries)
            resources = self._add_resources(records, entries)
            self._session.flush()
            watches = self._watch(entries)
            places = self._open(records, entries)
            request_first_index(self._session, self._clock, [entry.id for entry in entries])
        if self._notify:
            self._tell(entries, events)
        return [
            (
                entry,
                EntryFacts(
                    entry.published_version, added, places.get(entry.id), watches.get(entry.id), 0
                ),
            )
            for entry, added in zip(entries, resources, strict=True)
        ]

    def _add_entries(self, records: Sequence[NewRecord]) -> list[CatalogueEntry]:
        now = self._clock()
        codes = self._codes(records)
        entries = []
        for record, code in zip(records, codes, strict=True):
            extras = extras_of(record.package)
            created = instant_of(record.package.get("metadata_created")) or now
            entries.append(
                CatalogueEntry(
                    public_id=record.read.public_id,
                    slug=record.read.name or slug(code),
                    code=code,
                    metadata_profile=FOREIGN_1,
                    provider=record.provider,
                    responsible_dept=record.responsible,
                    provider_id=record.provider.id,
                    responsible_dept_id=record.responsible.id,
                    created_at=created,
                    issued_at=local_instant_of(extras.get("issued")) or now,
                    metadata_modified_at=instant_of(record.package.get("metadata_modified")) or now,
                    data_modified_at=local_instant_of(extras.get("modified")),
                    needs_second_look=True,
                    index_version=1,
                )
            )
        add_many(self._session, entries)
        self._session.flush()
        return entries

    def _codes(self, records: Sequence[NewRecord]) -> list[str]:
        """Give each record a code: its own when it comes back, else the next of its provider."""
        returning = {r.own_code for r in records} - {""}
        taken = set(
            self._session.scalars(
                select(CatalogueEntry.code).where(CatalogueEntry.code.in_(returning))
            )
        )
        for code in sorted(returning - taken):
            keep_code(self._session, code)
        fronts = [classification(r.provider, r.read.content) for r in records]
        kept = [r.own_code if r.own_code not in taken else "" for r in records]
        wanted: dict[str, int] = defaultdict(int)
        for front, code in zip(fronts, kept, strict=True):
            wanted[front] += not code
        given = {f: iter(next_codes(self._session, f, n)) for f, n in sorted(wanted.items()) if n}
        return [code or next(given[front]) for front, code in zip(fronts, kept, strict=True)]

    def _publish(
        self, records: Sequence[NewRecord], entries: Sequence[CatalogueEntry]
    ) -> list[Any]:
        now = self._clock()
        editors = [self._actor.account_id] if self._actor.account_id is not None else []
        versions = []
        for record, entry in zip(records, entries, strict=True):
            version = EntryVersion(
                entry=entry, entry_id=entry.id, number=1, editors=editors,
                created_at=now, modified_at=now,
            )  # fmt: skip
            set_content(version, record.read.content)
            versions.append(version)
        events = Flow(catalogue_flow.FLOW, self._session, self._clock).create_many(
            versions, "import", self._actor, reason=self._reason, **self._facts
        )
        for record, entry, version in zip(records, entries, versions, strict=True):
            entry.published_version_id = version.id
            entry.published_version = version
            formats = {r.format.lower() for r in record.read.resources or () if r.format}
            kinds = {LINK} if record.read.resources else set()
            keep_value(self._clock, entry, first_signals(entry, formats, kinds))
        return events

    def _add_resources(
        self, records: Sequence[NewRecord], entries: Sequence[CatalogueEntry]
    ) -> list[list[Distribution]]:
        now = self._clock()
        added = [
            [
                new_distribution(entry, resource, position, now)
                for position, resource in enumerate(record.read.resources or ())
            ]
            for record, entry in zip(records, entries, strict=True)
        ]
        add_many(self._session, [one for some in added for one in some])
        return added

    def _watch(self, entries: Sequence[CatalogueEntry]) -> dict[int, Freshness]:
        """Begin to watch whether data is kept up, where the update frequency has a period."""
        watches = [
            Freshness(
                entry=entry, entry_id=entry.id, updated_at=entry.data_modified_at or self._clock()
            )
            for entry in entries
            if entry.published_version is not None
            and period_of(entry.published_version.update_frequency) is not None
        ]
        Flow(freshness_flow.FLOW, self._session, self._clock).create_many(watches, "start", SYSTEM)
        return {watch.entry_id: watch for watch in watches}

    def _open(
        self, records: Sequence[NewRecord], entries: Sequence[CatalogueEntry]
    ) -> dict[int, OpenListEntry]:
        """Put on their providers' open lists what the records let everybody have."""
        now = self._clock()
        places = [
            OpenListEntry(
                entry=entry, entry_id=entry.id, version=entry.published_version,
                version_id=entry.published_version_id, open_type=record.read.content.open_type,
                proposed_at=now,
            )
            for record, entry in zip(records, entries, strict=True)
            if record.is_open
        ]  # fmt: skip
        Flow(open_list_flow.FLOW, self._session, self._clock).create_many(
            places, "import", self._actor, reason=self._reason, **self._facts
        )
        numbers = self._release_numbers({place.entry.provider_id for place in places})
        releases = []
        for place in places:
            provider_id = place.entry.provider_id
            numbers[provider_id] += 1
            releases.append(
                OpenListRelease(
                    organisation_id=provider_id, number=numbers[provider_id],
                    entry_id=place.entry_id, change="open", released_at=now,
                )
            )  # fmt: skip
        add_many(self._session, releases)
        return {place.entry_id: place for place in places}

    def _release_numbers(self, provider_ids: set[int]) -> dict[int, int]:
        rows = self._session.execute(
            select(OpenListRelease.organisation_id, func.max(OpenListRelease.number))
            .where(OpenListRelease.organisation_id.in_(provider_ids))
            .group_by(OpenListRelease.organisation_id)
        )
        return defaultdict(int, {row[0]: row[1] or 0 for row in rows})

    def _tell(self, entries: Sequence[CatalogueEntry], events: Sequence[Any]) -> None:
        for entry, event in zip(entries, events, strict=True):
            told = notices.accounts_acting_as(
                self._session, "agency", frozenset({entry.provider_id})
            ) | notices.accounts_acting_as(self._session, "bureau", None)
            title = entry.published_version.title if entry.published_version else entry.code
            notices.tell(
                self._session,
                self._clock,
                told - {self._actor.account_id},
                event,
                f"公共数据目录“{title}”：导入发布。说明：{self._reason}",
                f"/dataset/{entry.slug}",
            )
