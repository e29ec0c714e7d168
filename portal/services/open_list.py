"""The agency's open list: propose, review for confidentiality, plan, open (flow F4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actor import SYSTEM, Actor, RoleIn
from portal.clock import Clock, local_date
from portal.errors import Forbidden, GuardRefused, NotFound
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.open_list import OpenListEntry, OpenListRelease, find_open_list_entry
from portal.services import audit
from portal.services.flow import Flow
from portal.services.guards import refuse
from portal.services.index_requests import request_index
from portal.services.open_list_flow import FLOW


class OpenListService:
    """Everything that may happen to a place on an open list. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._flow = Flow(FLOW, session, clock)

    def propose(
        self, actor: Actor, entry: CatalogueEntry, *, planned_open_date: date | None = None
    ) -> OpenListEntry:
        """Propose a published entry for its agency's open list.

        Raises:
            GuardRefused: not published, not of an open type, or not the agency's own data.
        """
        if find_open_list_entry(self._session, entry.id) is not None:
            raise refuse("entry", "listed", "该数据已在开放清单流程中。")
        place = self._place(entry, actor)
        place.planned_open_date = planned_open_date
        self._flow.create(place, "propose", actor)
        return place

    def _place(self, entry: CatalogueEntry, actor: Actor) -> OpenListEntry:
        version = entry.published_version
        if version is None:
            raise refuse("entry", "unpublished", "目录发布后才能列入开放清单。")
        return OpenListEntry(
            entry=entry,
            entry_id=entry.id,
            version=version,
            version_id=version.id,
            open_type=version.open_type,
            proposed_by=actor.account_id,
            proposed_at=self._clock(),
        )

    def pass_review(
        self,
        actor: Actor,
        place: OpenListEntry,
        review: Mapping[str, Any],
        *,
        planned_open_date: date | None = None,
        seen: int | None = None,
        key: str | None = None,
    ) -> OpenListEntry:
        """Record a passed confidentiality review (保密审查): `review` is the checklist."""
        self._pin(place)
        if planned_open_date is not None:
            place.planned_open_date = planned_open_date
            self._session.flush()
        self._flow.fire(
            place,
            "pass_review",
            actor,
            seen=seen,
            key=key,
            review=dict(review),
            details={"review": dict(review), "content_hash": place.version.content_hash},
        )
        place.review, place.reviewed_by = dict(review), actor.account_id
        self._release(place, "planned")
        return place

    def _pin(self, place: OpenListEntry) -> None:
        """A review stands on the version that was proposed, not on a newer one."""
        if place.entry.published_version_id != place.version_id:
            raise refuse("version", "changed", "目录已发布新版本，请重新提出开放。")

    def fail_review(
        self,
        actor: Actor,
        place: OpenListEntry,
        *,
        reason: str,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        self._flow.fire(place, "fail_review", actor, reason=reason, seen=seen, key=key)
        place.reason, place.reviewed_by = reason, actor.account_id

    def publish(
        self,
        actor: Actor,
        place: OpenListEntry,
        *,
        reason: str = "",
        seen: int | None = None,
        key: str | None = None,
    ) -> OpenListEntry:
        """Open the data to the public; passing over planned data of higher value needs a reason."""
        self._flow.fire(place, "publish", actor, reason=reason, seen=seen, key=key)
        self._release(place, "open")
        self._changed(place)
        return place

    def suspend(
        self, actor: Actor, place: OpenListEntry, *, reason: str, key: str | None = None
    ) -> None:
        self._flow.fire(place, "suspend", actor, reason=reason, key=key)
        place.suspended_by = "bureau" if actor.is_kind("bureau") else "agency"
        place.reason = reason
        self._release(place, "suspended")
        self._changed(place)

    def resume(
        self, actor: Actor, place: OpenListEntry, *, reason: str, key: str | None = None
    ) -> None:
        self._flow.fire(place, "resume", actor, reason=reason, key=key)
        place.suspended_by, place.reason = "", ""
        self._release(place, "open")
        self._changed(place)

    def announce_removal(self, actor: Actor, place: OpenListEntry, *, reason: str) -> None:
        """Publish the notice that must stand ten working days before data leaves the list."""
        if place.entry.provider_id not in actor.acts_for("agency"):
            raise Forbidden()
        place.removal_notice_on = local_date(self._clock())
        audit.record(
            self._session,
            self._clock,
            actor,
            flow=FLOW,
            event="announce_removal",
            subject_id=place.id,
            entry_id=place.entry_id,
            from_state=place.state,
            to_state=place.state,
            reason=reason,
        )

    def remove(
        self,
        actor: Actor,
        place: OpenListEntry,
        *,
        reason: str,
        law_forbids: bool = False,
        key: str | None = None,
    ) -> None:
        self._flow.fire(place, "remove", actor, reason=reason, law_forbids=law_forbids, key=key)
        place.reason = reason
        self._release(place, "removed")
        self._changed(place)

    def open_directly(
        self, actor: Actor, entry: CatalogueEntry, event: str, *, reason: str = "", **facts: Any
    ) -> OpenListEntry | None:
        """Put an imported or harvested entry on its provider's list, where the law lets it."""
        if find_open_list_entry(self._session, entry.id) is not None:
            return None
        place = self._place(entry, actor)
        place.proposed_by = None
        try:
            self._flow.create(place, event, actor, reason=reason, **facts)
        except GuardRefused:
            return None  # never added to the session
        self._release(place, "open")
        return place

    def follow_new_type(self, entry: CatalogueEntry) -> None:
        """A new catalogue version with another open type was published."""
        place = find_open_list_entry(self._session, entry.id)
        version = entry.published_version
        if place is None or version is None or place.state != "open":
            return
        if version.open_type == "none":
            self._leave(place, version)
            return
        agency = _agency_of(entry)
        self._flow.fire(place, "change_type", agency)
        place.open_type = version.open_type
        place.version, place.version_id = version, version.id
        self._release(place, "type_changed")

    def _leave(self, place: OpenListEntry, version: EntryVersion) -> None:
        reason = f"第{version.number}版目录改为非开放"
        self._flow.fire(place, "remove", _agency_of(place.entry), reason=reason, law_forbids=True)
        place.reason = reason
        self._release(place, "removed")

    def end_with_entry(self, entry: CatalogueEntry) -> None:
        """The catalogue entry was retired: its place on the list ends."""
        place = find_open_list_entry(self._session, entry.id)
        if place is not None and place.state in ("open", "suspended"):
            self._flow.fire(place, "entry_retired", SYSTEM, reason=entry.retired_reason)
            place.reason = entry.retired_reason
            self._release(place, "removed")

    def _release(self, place: OpenListEntry, change: str) -> None:
        """Number a new public version of the agency's list."""
        organisation_id = place.entry.provider_id
        number = self._session.scalar(
            select(func.coalesce(func.max(OpenListRelease.number), 0)).where(
                OpenListRelease.organisation_id == organisation_id
            )
        )
        self._session.add(
            OpenListRelease(
                organisation_id=organisation_id,
                number=(number or 0) + 1,
                entry_id=place.entry_id,
                change=change,
                released_at=self._clock(),
            )
        )
        self._session.flush()

    def _changed(self, place: OpenListEntry) -> None:
        """The entry's metadata stays public whatever its place; downloads are checked at the door."""
        place.entry.metadata_modified_at = self._clock()
        request_index(self._session, self._clock, place.entry)


def _agency_of(entry: CatalogueEntry) -> Actor:
    role = RoleIn("agency_reviewer", entry.provider_id, entry.provider.code)
    return Actor(None, entry.provider.name, (role,))


def get_place(session: Session, place_id: int) -> OpenListEntry:
    place = session.get(OpenListEntry, place_id)
    if place is None:
        raise NotFound("没有这条开放清单记录。")
    return place
