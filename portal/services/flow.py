"""The one engine that runs every flow by its transition table.

`Flow.fire` is the only way to change a state. It looks the row up, checks the actor and the
row's guard, moves the state by compare-and-swap, closes and opens deadlines, and writes the
audit event and the notices, all in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict, Forbidden, IllegalEvent, Unauthenticated
from portal.models.audit import AuditEvent
from portal.rules.transitions import TableError, Transition, TransitionTable
from portal.services import audit, deadlines, notices
from portal.services.many_rows import add_many


@dataclass(frozen=True)
class Attempt:
    """One try to fire an event, as a guard sees it. `facts` are the event's own arguments."""

    session: Session
    subject: Any
    actor: Actor
    event: str
    reason: str
    now: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)


Guard = Callable[[Attempt], None]
"""Raises `GuardRefused` when the row's condition does not hold."""

Organisations = Mapping[str, frozenset[int]]
Persons = Mapping[str, frozenset[int]]


def _duty_of_row(_subject: Any, row: Transition) -> int | date | None:
    return row.due_working_days


@dataclass(frozen=True)
class FlowBinding:
    """How a flow is tied to its model, its guards and its words.

    organisations: actor kind -> ids of the organisations that act so for the subject.
    persons: actor kind or audience -> account ids (applicant).
    stamps: event -> column of the subject that keeps when it happened.
    duty: how long a row's duty lasts for a subject: working days, a fixed date, or None.
    """

    flow: str
    model: type[Any]
    rows: tuple[Transition, ...]
    guards: Mapping[str, Guard]
    organisations: Callable[[Any], Organisations]
    title: Callable[[Any], str]
    link: Callable[[Any], str]
    entry_id: Callable[[Any], int | None]
    name: str
    event_labels: Mapping[str, str]
    state_labels: Mapping[str, str]
    persons: Callable[[Any], Persons] = lambda _subject: {}
    stamps: Mapping[str, str] = field(default_factory=dict)
    duty: Callable[[Any, Transition], int | date | None] = _duty_of_row


class FlowRegistry:
    """Every flow of the core and of the enabled extensions."""

    def __init__(self) -> None:
        self._bindings: dict[str, FlowBinding] = {}
        self._table = TransitionTable(())

    def add(self, binding: FlowBinding) -> None:
        """Add a flow; adding the same one again changes nothing.

        Raises:
            TableError: a row names a guard that is not bound, an event or a state without words.
        """
        if self._bindings.get(binding.flow) is binding:
            return
        if binding.flow in self._bindings:
            raise TableError(f"the flow {binding.flow} is bound twice")
        for row in binding.rows:
            _check_row(binding, row)
        self._bindings[binding.flow] = binding
        self._table = TransitionTable(row for b in self._bindings.values() for row in b.rows)

    @property
    def table(self) -> TransitionTable:
        return self._table

    def binding(self, flow: str) -> FlowBinding:
        return self._bindings[flow]

    def find_binding(self, flow: str) -> FlowBinding | None:
        return self._bindings.get(flow)

    def bindings(self) -> tuple[FlowBinding, ...]:
        return tuple(self._bindings.values())


def _check_row(binding: FlowBinding, row: Transition) -> None:
    if row.flow != binding.flow:
        raise TableError(f"{row.key} stands in the table of {binding.flow}")
    if row.guard_id not in binding.guards:
        raise TableError(f"{row.key}: the guard {row.guard_id!r} is not bound to a function")
    if row.event not in binding.event_labels:
        raise TableError(f"{row.key}: the event has no Chinese label")
    if row.next_state not in binding.state_labels:
        raise TableError(f"{row.key}: the state {row.next_state!r} has no Chinese label")


FLOWS = FlowRegistry()


class Flow:
    """One flow in one transaction. Never commits."""

    def __init__(self, flow: str, session: Session, clock: Clock) -> None:
        self._binding = FLOWS.binding(flow)
        self._session = session
        self._clock = clock

    def create(
        self,
        subject: Any,
        event: str,
        actor: Actor,
        *,
        reason: str = "",
        notify: bool = True,
        **facts: Any,
    ) -> AuditEvent:
        """Bring a new subject into its first state."""
        row = self._row("", event)
        self._check_actor(row, subject, actor)
        self._guard(row, subject, actor, reason, facts)
        subject.state = row.next_state
        subject.row_version = 1
        self._session.add(subject)
        self._session.flush()
        self._stamp(row, subject)
        return self._follow_up(
            row, subject, actor, reason, None, notify=notify, details=facts.get("details")
        )

    def create_many(
        self, subjects: Sequence[Any], event: str, actor: Actor, *, reason: str = "", **facts: Any
    ) -> list[AuditEvent]:
        """Bring many new subjects into their first state by one row of the table.

        Each is checked and recorded as `create` does it. Nobody is told: who brings many at once
        tells once.
        """
        row = self._row("", event)
        for subject in subjects:
            self._check_actor(row, subject, actor)
            self._guard(row, subject, actor, reason, facts)
            subject.state, subject.row_version = row.next_state, 1
            self._stamp(row, subject)
        add_many(self._session, subjects)
        self._session.flush()
        details = facts.get("details")
        events = [self._first_event(row, one, actor, reason, details) for one in subjects]
        add_many(self._session, events)
        for subject in subjects:
            self._open_deadlines(row, subject)
        return events

    def _first_event(
        self,
        row: Transition,
        subject: Any,
        actor: Actor,
        reason: str,
        details: dict[str, Any] | None,
    ) -> AuditEvent:
        return audit.new_event(
            self._clock,
            actor,
            flow=row.flow,
            event=row.event,
            subject_id=subject.id,
            entry_id=self._binding.entry_id(subject),
            to_state=row.next_state,
            reason=reason,
            details=details,
        )

    def _stamp(self, row: Transition, subject: Any) -> None:
        if row.event in self._binding.stamps:
            setattr(subject, self._binding.stamps[row.event], self._clock())

    def fire(
        self,
        subject: Any,
        event: str,
        actor: Actor,
        *,
        reason: str = "",
        key: str | None = None,
        seen: int | None = None,
        notify: bool = True,
        **facts: Any,
    ) -> AuditEvent:
        """Move a subject by one event.

        Args:
            key: makes the event idempotent; the same key again returns the first event.
            seen: `row_version` that the actor decided on; another one is a conflict.
            facts: the event's own arguments, handed to its guard.

        Raises:
            IllegalEvent: the table has no such row for the subject's state.
            Forbidden, Unauthenticated: the actor is not one the row names.
            GuardRefused: the row's condition does not hold.
            Conflict: somebody else moved or changed the subject first.
        """
        earlier = self._find_event(subject, key)
        if earlier is not None:
            return earlier
        row = self._row(subject.state, event)
        self._check_actor(row, subject, actor)
        if seen is not None and seen != subject.row_version:
            raise Conflict()
        self._guard(row, subject, actor, reason, facts)
        self._swap(subject, row)
        self._stamp(row, subject)
        return self._follow_up(
            row, subject, actor, reason, key, notify=notify, details=facts.get("details")
        )

    def possible_events(self, subject: Any, actor: Actor) -> tuple[Transition, ...]:
        """Return the rows that the actor may try in the subject's state; guards are not asked."""
        rows = FLOWS.table.leaving(self._binding.flow, subject.state)
        return tuple(row for row in rows if self._is_actor(row, subject, actor))

    def _find_event(self, subject: Any, key: str | None) -> AuditEvent | None:
        if key is None:
            return None
        return self._session.scalars(
            select(AuditEvent).where(
                AuditEvent.flow == self._binding.flow,
                AuditEvent.subject_id == subject.id,
                AuditEvent.event_key == key,
            )
        ).first()

    def _row(self, state: str, event: str) -> Transition:
        row = FLOWS.table.find(self._binding.flow, state, event)
        if row is None:
            labels = self._binding.state_labels
            raise IllegalEvent(
                state=labels.get(state, state or "无"),
                event=self._binding.event_labels.get(event, event),
            )
        return row

    def _is_actor(self, row: Transition, subject: Any, actor: Actor) -> bool:
        organisations = self._binding.organisations(subject)
        persons = self._binding.persons(subject)
        return any(_acts(actor, kind, organisations, persons) for kind in row.actors)

    def _in_whose_name(self, row: Transition, subject: Any, actor: Actor) -> Actor:
        """Return the actor with the roles that the event rests on: the own ones if they suffice."""
        if not actor.principals or self._is_actor(row, subject, actor.own):
            return actor.own if actor.principals else actor
        for principal_id in actor.principals:
            one = actor.standing_for(principal_id)
            if self._is_actor(row, subject, one):
                return one
        return actor

    def _check_actor(self, row: Transition, subject: Any, actor: Actor) -> None:
        if not self._is_actor(row, subject, actor):
            raise Unauthenticated() if actor.is_anonymous else Forbidden()

    def _guard(
        self, row: Transition, subject: Any, actor: Actor, reason: str, facts: Mapping[str, Any]
    ) -> None:
        attempt = Attempt(
            self._session, subject, actor, row.event, reason.strip(), self._clock(), facts
        )
        self._binding.guards[row.guard_id](attempt)

    def _swap(self, subject: Any, row: Transition) -> None:
        """Compare and swap: of two deciders one wins, the other gets a conflict."""
        self._session.flush()
        model = self._binding.model
        result = self._session.execute(
            update(model)
            .where(
                model.id == subject.id,
                model.state == row.state,
                model.row_version == subject.row_version,
            )
            .values(state=row.next_state, row_version=subject.row_version + 1)
            .execution_options(synchronize_session=False)
        )
        if result.rowcount != 1:  # type: ignore[attr-defined]
            raise Conflict()
        self._session.refresh(subject, ["state", "row_version"])

    def _follow_up(
        self,
        row: Transition,
        subject: Any,
        actor: Actor,
        reason: str,
        key: str | None,
        *,
        notify: bool,
        details: dict[str, Any] | None,
    ) -> AuditEvent:
        leaves = row.state != row.next_state
        judged = None
        if row.state and leaves:
            judged = deadlines.close_deadlines(
                self._session,
                self._clock,
                flow=row.flow,
                subject_id=subject.id,
                event=row.event,
            )
        event = audit.record(
            self._session,
            self._clock,
            self._in_whose_name(row, subject, actor),
            flow=row.flow,
            event=row.event,
            subject_id=subject.id,
            entry_id=self._binding.entry_id(subject),
            from_state=row.state,
            to_state=row.next_state,
            reason=reason,
            due_on=judged.due_on if judged else None,
            in_time=judged.met if judged else None,
            details=details,
            event_key=key,
        )
        if leaves:
            self._open_deadlines(row, subject)
        if notify:
            self._tell(row, subject, actor, event, reason)
        return event

    def _open_deadlines(self, row: Transition, subject: Any) -> None:
        starts = {
            name: value
            for name in self._binding.stamps.values()
            if (value := getattr(subject, name)) is not None
        }
        deadlines.open_deadlines(
            self._session,
            [
                (following, duty)
                for following in FLOWS.table.leaving(row.flow, row.next_state)
                if (duty := self._binding.duty(subject, following))
            ],
            subject_id=subject.id,
            entry_id=self._binding.entry_id(subject),
            starts=starts,
            entered_at=self._clock(),
            organisations=self._binding.organisations(subject),
        )

    def _tell(
        self, row: Transition, subject: Any, actor: Actor, event: AuditEvent, reason: str
    ) -> None:
        accounts = notices.audience_of(
            self._session,
            row.audiences,
            subject,
            self._binding.organisations(subject),
            self._binding.persons(subject),
        )
        text = f"{self._binding.name}“{self._binding.title(subject)}”：{self._binding.event_labels[row.event]}"
        if reason:
            text += f"。说明：{reason}"
        link = self._binding.link(subject)
        notices.tell(self._session, self._clock, accounts - {actor.account_id}, event, text, link)


def _acts(actor: Actor, kind: str, organisations: Organisations, persons: Persons) -> bool:
    if kind in persons:
        return actor.account_id in persons[kind] and actor.account_id is not None
    if kind in organisations:
        return bool(actor.acts_for(kind) & organisations[kind])
    return actor.is_kind(kind)
