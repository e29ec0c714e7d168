"""The place of a harvested entry on its provider's open list: where the law lets it, and no
person has taken it off."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from harvesters.codes import plain_word
from portal.actor import SYSTEM
from portal.clock import Clock
from portal.codes import code_list
from portal.models.audit import AuditEvent
from portal.models.entry import CatalogueEntry
from portal.models.harvest import HarvestSource
from portal.models.open_list import ENDED, OpenListEntry
from portal.models.organisation import Organisation
from portal.services.harvest_record import SourceRecord
from portal.services.open_list import OpenListService
from portal.services.open_list_flow import FLOW


class HarvestedOpening:
    """Opens the data of one source's entries, in one transaction. Never commits."""

    def __init__(self, session: Session, clock: Clock, source: HarvestSource) -> None:
        self._session = session
        self._source = source
        self._service = OpenListService(session, clock)
        self._organisations: dict[str, Organisation] | None = None

    def is_own(self, record: SourceRecord) -> bool:
        """Say whether the record names no other organisation of ours as its provider."""
        return self._other_provider(record) is None

    def open(self, entry: CatalogueEntry, record: SourceRecord) -> list[str]:
        """Put the entry on the list; return why not, in words, if that is news."""
        last = self._last_place(entry)
        if last is not None and (last.state not in ENDED or self._was_ended_by_person(last)):
            return []
        stranger = self._other_provider(record)
        if stranger is not None:
            return [
                f"来源写明的提供单位是“{stranger.name}”，不是本单位自有数据，未列入开放清单（第29条）。"
            ]
        reason = f"采集自“{self._source.name}”"
        place = self._service.open_directly(
            SYSTEM, entry, "harvest", reason=reason, notify=False, source=self._source
        )
        return [] if place is not None else [_why_not(entry)]

    def open_again(
        self, entry: CatalogueEntry, record: SourceRecord, left_because: str
    ) -> list[str]:
        """The entry is back: so is its place, if the list is the provider's own."""
        if self._source.trusted:
            return self.open(entry, record)
        last = self._last_place(entry)
        if last is not None and last.state in ENDED and last.reason == left_because:
            return ["目录已恢复；数据须由本单位重新提出开放。"]
        return []

    def _last_place(self, entry: CatalogueEntry) -> OpenListEntry | None:
        query = select(OpenListEntry).where(OpenListEntry.entry_id == entry.id)
        return self._session.scalars(query.order_by(OpenListEntry.id.desc()).limit(1)).first()

    def _was_ended_by_person(self, place: OpenListEntry) -> bool:
        """The system ends a place with its entry; what a person decided stays decided."""
        query = select(AuditEvent.actor_id).where(
            AuditEvent.flow == FLOW, AuditEvent.subject_id == place.id
        )
        return self._session.scalar(query.order_by(AuditEvent.id.desc()).limit(1)) is not None

    def _other_provider(self, record: SourceRecord) -> Organisation | None:
        """Return the organisation of ours that the record names as its provider, if another."""
        if not record.provider_name:
            return None
        if self._organisations is None:
            found = self._session.scalars(select(Organisation))
            self._organisations = {plain_word(o.name): o for o in found}
        named = self._organisations.get(plain_word(record.provider_name))
        is_other = named is not None and named.id != self._source.organisation_id
        return named if is_other else None


def _why_not(entry: CatalogueEntry) -> str:
    version = entry.published_version
    if version is None or not version.open_type:
        return "来源没有写明开放类型，未列入开放清单。"
    if version.open_type == "none":
        return "开放类型为“非开放”，未列入开放清单（第28条）。"
    method = code_list("acquisition_methods").label(version.acquisition_method)
    return f"采集方式为“{method}”，应由数据来源单位开放，未列入开放清单（第29条）。"
