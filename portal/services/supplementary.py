"""A city's supplementary catalogue (flow F3): data that the provincial catalogue does not hold."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import ANONYMOUS, Actor
from portal.clock import Clock
from portal.codes import region_and_ancestors
from portal.errors import Invalid
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.organisation import CITY_AUTHORITY, Organisation
from portal.models.supplementary import Absorption, CoverageDismissal
from portal.rules.entry_content import EntryContent
from portal.rules.metadata_profile import JL_1
from portal.services.content import content_of
from portal.services.entries import EntryService
from portal.services.flow import Flow
from portal.services.freshness import FreshnessService
from portal.services.index_requests import request_index
from portal.services.open_list import OpenListService
from portal.services.search import search_catalogue
from portal.services.similar_entries import find_similar
from portal.services.supplementary_flow import FLOW
from search.engine import SearchEngine
from search.request import SearchRequest

NEAREST = 3
SEARCHED = 10
WORDS_MAX = 200
LISTED_MAX = 500


class SupplementaryService:
    """Everything that may happen to a supplementary entry. Never commits."""

    def __init__(self, session: Session, clock: Clock, engine: SearchEngine) -> None:
        self._session = session
        self._clock = clock
        self._engine = engine
        self._flow = Flow(FLOW, session, clock)

    def create(
        self,
        actor: Actor,
        provider: Organisation,
        content: EntryContent,
        *,
        public_id: str | None = None,
    ) -> EntryVersion:
        """Start a supplementary entry of a city's agency, or of the authority itself.

        Raises:
            Invalid: the provider lies in no city that has an authority.
            GuardRefused: the data or the provider is of another region.
        """
        authority = find_authority(self._session, provider.region_code)
        if authority is None:
            raise Invalid.one(
                "provider", "no_city", "该单位所在地区没有主管部门，不能编制补充目录。"
            )
        entries = EntryService(self._session, self._clock)
        entry = entries.new_entry(provider, authority, content, JL_1, public_id=public_id)
        entry.supplementary = True
        version = entries.new_version(entry, content, actor)
        self._flow.create(version, "create", actor)
        request_index(self._session, self._clock, entry)
        return version

    def submit(
        self,
        actor: Actor,
        version: EntryVersion,
        *,
        seen: int | None = None,
        key: str | None = None,
    ) -> EntryVersion:
        """Hand the draft to the city's authority; every rule of the profile must hold."""
        similar = find_similar(
            self._session,
            self._engine,
            content_of(version),
            entry_id=version.entry_id,
            provider_id=version.entry.provider_id,
        )
        before = version.row_version
        self._flow.fire(
            version,
            "submit",
            actor,
            seen=seen,
            key=key,
            duplicates=tuple(one.title for one in similar),
            details={"content_hash": version.content_hash, "similar": [s.slug for s in similar]},
        )
        if version.row_version != before:  # else the same click again, maybe long after
            version.return_defects = []
            request_index(self._session, self._clock, version.entry)
        return version

    def nearest(self, version: EntryVersion) -> list[EntryVersion]:
        """Return the published provincial entries that come nearest, at most NEAREST.

        Raises:
            Unavailable: the search engine does not answer; nothing is published unlooked at.
        """
        content = content_of(version)
        alike = find_similar(
            self._session,
            self._engine,
            content,
            entry_id=version.entry_id,
            provider_id=version.entry.provider_id,
        )
        request = SearchRequest(words=content.title[:WORDS_MAX], rows=SEARCHED)
        hits = search_catalogue(self._session, self._engine, request, ANONYMOUS).hits
        ids = [*(one.entry_id for one in alike), *(int(hit.stored["id"]) for hit in hits)]
        query = (
            select(EntryVersion)
            .join(CatalogueEntry, CatalogueEntry.published_version_id == EntryVersion.id)
            .where(
                CatalogueEntry.id.in_(ids),
                CatalogueEntry.supplementary.is_(False),
                CatalogueEntry.retired_at.is_(None),
            )
        )
        found = {one.entry_id: one for one in self._session.scalars(query).unique()}
        return [found[i] for i in dict.fromkeys(ids) if i in found][:NEAREST]

    def publish(
        self,
        actor: Actor,
        version: EntryVersion,
        dismissed: Mapping[int, str],
        *,
        seen: int | None = None,
        key: str | None = None,
    ) -> EntryVersion:
        """Publish in the city's name.

        Args:
            dismissed: id of each near provincial entry -> why it does not cover this one.

        Raises:
            GuardRefused: a near entry has no reason, or the actor edited the version.
            Unavailable: the nearest cannot be looked up just now.
        """
        nearest = self.nearest(version)
        before = version.row_version
        request_index(self._session, self._clock, version.entry)
        self._flow.fire(
            version,
            "publish",
            actor,
            seen=seen,
            key=key,
            nearest=nearest,
            dismissed=dismissed,
            details={
                "content_hash": version.content_hash,
                "dismissed": {str(n.entry_id): dismissed.get(n.entry_id, "") for n in nearest},
            },
        )
        if version.row_version != before:
            self._keep_dismissals(actor, version, nearest, dismissed)
            EntryService(self._session, self._clock).show_supplementary(version)
        return version

    def _keep_dismissals(
        self,
        actor: Actor,
        version: EntryVersion,
        nearest: list[EntryVersion],
        dismissed: Mapping[int, str],
    ) -> None:
        self._session.add_all(
            CoverageDismissal(
                version_id=version.id,
                provincial_id=near.entry_id,
                reason=dismissed[near.entry_id].strip(),
                dismissed_by=actor.name,
                dismissed_at=self._clock(),
            )
            for near in nearest
        )

    def return_for_correction(
        self,
        actor: Actor,
        version: EntryVersion,
        *,
        reason: str,
        seen: int | None = None,
        key: str | None = None,
    ) -> EntryVersion:
        before = version.row_version
        self._flow.fire(version, "return", actor, reason=reason, seen=seen, key=key)
        if version.row_version != before:
            version.return_defects = [{"field": "", "message": reason}]
            request_index(self._session, self._clock, version.entry)
        return version

    def absorb(
        self,
        actor: Actor,
        version: EntryVersion,
        provincial: CatalogueEntry | None,
        *,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        """End a supplementary entry that a published provincial one covers by now (the Bureau)."""
        code = provincial.code if provincial else ""
        before = version.row_version
        self._flow.fire(
            version,
            "absorb",
            actor,
            seen=seen,
            key=key,
            provincial=provincial,
            details={"provincial": code},
        )
        if provincial is None or version.row_version == before:
            return
        self._session.add(
            Absorption(
                entry_id=version.entry_id, provincial_id=provincial.id, absorbed_at=self._clock()
            )
        )
        published = provincial.published_version
        title = published.title if published else ""
        self._end(version.entry, f"已并入省级目录“{title}”（{code}）")

    def retire(
        self,
        actor: Actor,
        version: EntryVersion,
        *,
        reason: str,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        self._flow.fire(version, "retire", actor, reason=reason, seen=seen, key=key)
        self._end(version.entry, reason)

    def _end(self, entry: CatalogueEntry, reason: str) -> None:
        """Take the entry out of the public catalogue, with all that hangs on it."""
        if entry.retired_at is not None:
            return
        entry.retired_at, entry.retired_reason = self._clock(), reason
        entry.metadata_modified_at = self._clock()
        self._session.flush()
        OpenListService(self._session, self._clock).end_with_entry(entry)
        FreshnessService(self._session, self._clock).stop(entry)
        request_index(self._session, self._clock, entry, tightens=True)


def find_authority(session: Session, region_code: str) -> Organisation | None:
    """Return the authority of the city or zone that a region lies in, the nearest one above it."""
    regions = region_and_ancestors(region_code)
    query = select(Organisation).where(
        Organisation.kind == CITY_AUTHORITY, Organisation.region_code.in_(regions)
    )
    found = {one.region_code: one for one in session.scalars(query.order_by(Organisation.id))}
    return next((found[code] for code in regions if code in found), None)


def find_absorption(session: Session, entry_id: int) -> Absorption | None:
    return session.get(Absorption, entry_id)


def list_dismissals(session: Session, version_id: int) -> list[CoverageDismissal]:
    query = select(CoverageDismissal).where(CoverageDismissal.version_id == version_id)
    return list(session.scalars(query.order_by(CoverageDismissal.id)))


def list_supplementary(session: Session, actor: Actor, state: str = "") -> list[EntryVersion]:
    """Return the newest version of each city-compiled entry that the actor's work concerns.

    The Bureau and the auditor see all; authorities and agencies those of their own.
    """
    query = (
        select(EntryVersion)
        .join(CatalogueEntry, CatalogueEntry.id == EntryVersion.entry_id)
        .where(
            CatalogueEntry.supplementary.is_(True),
            CatalogueEntry.source_id.is_(None),
            EntryVersion.state != "discarded",
        )
        .order_by(EntryVersion.modified_at.desc())
        .limit(LISTED_MAX)
    )
    if not (actor.is_kind("bureau") or actor.is_kind("third_party_assessor")):
        own = actor.organisation_ids
        query = query.where(
            CatalogueEntry.provider_id.in_(own) | CatalogueEntry.responsible_dept_id.in_(own)
        )
    if state:
        query = query.where(EntryVersion.state == state)
    return list(session.scalars(query).unique())
