"""Data demands: filed, voted for, assigned, answered, fulfilled (flow F17)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.participation.flow import FLOW
from extensions.participation.models.demand import LIVE, DataDemand, DemandVote, has_voted
from extensions.participation.models.moderated import SHOWN, WAITING
from extensions.participation.rules import DemandText, similar_titles
from extensions.participation.services.moderation import first_review, limit_rate
from extensions.participation.services.value_signals import value_changed
from portal.actor import SYSTEM, Actor, RoleIn
from portal.clock import Clock
from portal.errors import Conflict, Unauthenticated, Unavailable
from portal.models.entry import CatalogueEntry
from portal.models.open_list import OpenListEntry
from portal.models.organisation import Organisation
from portal.services.flow import Flow
from portal.services.search import search_catalogue
from search.engine import SearchEngine
from search.request import SearchRequest

COMPARED_MAX = 3000
SHOWN_MAX = 5
VOTE_TRIES = 5


@dataclass(frozen=True)
class SimilarEntry:
    id: int
    slug: str
    title: str
    provider: str


@dataclass(frozen=True)
class Similar:
    """What is like a demand that is being filed."""

    entries: tuple[SimilarEntry, ...] = ()
    demands: tuple[DataDemand, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """Name each thing shown, for the form to say what its reader has seen."""
        return frozenset(
            [f"e{entry.id}" for entry in self.entries]
            + [f"d{demand.id}" for demand in self.demands]
        )


def as_applicant(actor: Actor) -> Actor:
    """Return the actor as a member of the public: officials may ask for data as anybody may.

    Raises:
        Unauthenticated: a visitor without an account.
    """
    if actor.account_id is None:
        raise Unauthenticated()
    if actor.is_kind("applicant"):
        return actor
    return replace(actor, roles=(*actor.roles, RoleIn("applicant", None)))


def find_similar(session: Session, engine: SearchEngine, actor: Actor, title: str) -> Similar:
    """Return the open data and the demands that are most like the title.

    A search engine that does not answer stops nobody: then only demands are compared.
    """
    if not title.strip():
        return Similar()
    try:
        request = SearchRequest(words=title[:100], rows=SHOWN_MAX)
        hits = search_catalogue(session, engine, request, actor).hits
    except Unavailable:
        hits = ()
    entries = session.scalars(
        select(CatalogueEntry).where(CatalogueEntry.id.in_([hit.stored["id"] for hit in hits]))
    ).all()
    order = {hit.stored["id"]: n for n, hit in enumerate(hits)}
    shown = tuple(
        SimilarEntry(entry.id, entry.slug, entry.published_version.title, entry.provider.name)
        for entry in sorted(entries, key=lambda entry: order[entry.id])
        if entry.is_public and entry.published_version is not None
    )
    return Similar(shown, tuple(similar_demands(session, title)))


def similar_demands(session: Session, title: str) -> Sequence[DataDemand]:
    known = session.execute(
        select(DataDemand.id, DataDemand.title)
        .where(DataDemand.review == SHOWN, DataDemand.state != "merged")
        .order_by(DataDemand.id.desc())
        .limit(COMPARED_MAX)
    )
    ids = similar_titles(title, [(row[0], row[1]) for row in known], SHOWN_MAX)
    found = {d.id: d for d in session.scalars(select(DataDemand).where(DataDemand.id.in_(ids)))}
    return [found[key] for key in ids]


class DemandService:
    """Everything that may happen to a demand. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session, self._clock = session, clock
        self._flow = Flow(FLOW, session, clock)

    def file(
        self,
        actor: Actor,
        text: DemandText,
        *,
        similar: Similar,
        seen: Collection[str],
        agency: Organisation | None = None,
        entry: CatalogueEntry | None = None,
        form_key: str | None = None,
    ) -> DataDemand:
        """File a demand; the same form again gives the first one. Verified filers vote for it.

        Args:
            similar: what is like it now. seen: keys of what the filer was shown.
            agency: who may have the data, as far as the filer knows.
            entry: the public entry that it asks to be opened, if the filer named one.

        Raises:
            GuardRefused: something is missing, or something similar was not shown yet.
            TooManyRequests: the account filed too many today.
        """
        actor = as_applicant(actor)
        if form_key is not None and (earlier := self._of_form(form_key)) is not None:
            return earlier
        demand = DataDemand(
            **vars(text),
            author_id=actor.account_id,
            wanted_agency_id=agency.id if agency is not None else None,
            entry=entry if entry is not None and entry.is_public else None,
            form_key=form_key,
        )
        first_review(self._session, self._clock, actor, demand)
        with self._session.no_autoflush:
            self._flow.create(demand, "file", actor, similar_shown=similar.keys <= set(seen))
        limit_rate(self._session, self._clock, actor, "demand")
        if actor.identity_verified:
            self._keep_vote(demand, actor)
        return demand

    def _of_form(self, form_key: str) -> DataDemand | None:
        return self._session.scalars(
            select(DataDemand).where(DataDemand.form_key == form_key)
        ).first()

    def vote(self, actor: Actor, demand: DataDemand, *, key: str | None = None) -> None:
        """Count the account's one vote.

        Raises:
            GuardRefused: not verified, voted already, or the demand is not public.
        """
        actor = as_applicant(actor)
        self._fire_vote(actor, demand, key)
        if has_voted(self._session, demand.id, actor.account_id):
            return  # the same click again
        limit_rate(self._session, self._clock, actor, "vote")
        self._keep_vote(demand, actor)

    def _fire_vote(self, actor: Actor, demand: DataDemand, key: str | None) -> None:
        """Fire; of several who vote in the same moment each is counted after the other."""
        for left in reversed(range(VOTE_TRIES)):
            try:
                self._flow.fire(demand, "vote", actor, key=key)
                return
            except Conflict:
                if not left:
                    raise
                self._session.refresh(demand)

    def _keep_vote(self, demand: DataDemand, actor: Actor) -> None:
        assert actor.account_id is not None
        self._session.add(DemandVote(
            demand_id=demand.id, account_id=actor.account_id, voted_at=self._clock()
        ))  # fmt: skip
        value_changed(self._session, self._clock, [demand.entry])

    def assign(
        self, actor: Actor, demand: DataDemand, agency: Organisation | None, **form: Any
    ) -> None:
        """Hand it to the agency that answers; a demand that the Bureau assigns is shown."""
        if agency is not None and actor.is_kind("bureau"):
            demand.agency_id = agency.id  # the agency is told, and its clock starts
        with self._session.no_autoflush:
            self._flow.fire(demand, "assign", actor, agency=agency, **form)
        if demand.review == WAITING:
            demand.review, demand.reviewed_at = SHOWN, self._clock()
            demand.reviewed_by = actor.account_id

    def merge(
        self, actor: Actor, demand: DataDemand, target: DataDemand | None, **form: Any
    ) -> None:
        """Make it part of another one; its votes move, and nobody counts twice."""
        self._flow.fire(demand, "merge", actor, target=target, **form)
        assert target is not None
        if demand.merged_into_id is not None:
            return  # the same click again
        demand.merged_into = target
        self._move_votes(demand, target)
        value_changed(self._session, self._clock, [demand.entry, target.entry])

    def _move_votes(self, demand: DataDemand, target: DataDemand) -> None:
        votes = self._session.scalars(
            select(DemandVote).where(DemandVote.demand_id == demand.id)
        ).all()
        for vote in votes:
            if not has_voted(self._session, target.id, vote.account_id):
                self._session.add(DemandVote(
                    demand_id=target.id, account_id=vote.account_id, voted_at=vote.voted_at
                ))  # fmt: skip
            self._session.delete(vote)

    def answer_planned(
        self,
        actor: Actor,
        demand: DataDemand,
        place: OpenListEntry | None,
        planned_on: date | None,
        **form: Any,
    ) -> None:
        """Say which entry of the open list will answer it, and by when."""
        self._flow.fire(demand, "answer_planned", actor, place=place, planned_on=planned_on, **form)
        assert place is not None
        demand.planned_on = planned_on
        self._answered(demand, place.entry, str(form.get("reason", "")))

    def answer_exists(
        self, actor: Actor, demand: DataDemand, entry: CatalogueEntry | None, **form: Any
    ) -> None:
        self._flow.fire(demand, "answer_exists", actor, entry=entry, **form)
        assert entry is not None
        self._answered(demand, entry, str(form.get("reason", "")))

    def answer_no(self, actor: Actor, demand: DataDemand, ground: str, **form: Any) -> None:
        self._flow.fire(demand, "answer_no", actor, ground=ground, **form)
        demand.ground, demand.answer = ground, str(form.get("reason", ""))

    def _answered(self, demand: DataDemand, entry: CatalogueEntry, text: str) -> None:
        before, demand.entry, demand.answer = demand.entry, entry, text
        value_changed(self._session, self._clock, [before, entry])

    def fulfil(self, demand: DataDemand) -> None:
        self._flow.fire(demand, "fulfil", SYSTEM)


def list_planned(session: Session) -> Iterable[int]:
    """Return the demands whose planned data is open by now."""
    return session.scalars(
        select(DataDemand.id)
        .join(OpenListEntry, OpenListEntry.entry_id == DataDemand.entry_id)
        .where(DataDemand.state == "planned", OpenListEntry.state == "open")
    ).all()


def linked_demands(session: Session, entry_id: int, limit: int = SHOWN_MAX) -> Sequence[DataDemand]:
    """Return the public demands that are about the entry, those that still wait first."""
    return session.scalars(
        select(DataDemand)
        .where(
            DataDemand.entry_id == entry_id,
            DataDemand.review == SHOWN,
            DataDemand.state != "merged",
        )
        .order_by(DataDemand.state.in_(LIVE).desc(), DataDemand.id.desc())
        .limit(limit)
    ).all()
