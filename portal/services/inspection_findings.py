"""What becomes of problems that a random inspection finds (art. 47): an extension has them mended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.models.entry import CatalogueEntry


@dataclass(frozen=True)
class Finding:
    """A problem of a drawn entry. `item_id` names the drawn entry, `text` says what is wrong."""

    item_id: int
    entry: CatalogueEntry
    text: str
    inspection: str


@dataclass(frozen=True)
class Mending:
    """How far a problem is mended: in words, until which day, and the page where it is dealt with."""

    state: str
    due_on: date | None
    is_ended: bool
    link: str


class FindingKeeper(Protocol):
    """Keeps findings from the record of one to its mending. Never commits.

    found: a problem was recorded, or recorded again in other words. Raises Conflict once it was
    ordered to be mended. corrected: the entry has passed after all; raises Conflict as well.
    order: the inspection is concluded; to be mended by `due_on` (None: within the usual days).
    """

    def found(self, session: Session, clock: Clock, actor: Actor, finding: Finding) -> None: ...

    def corrected(self, session: Session, clock: Clock, actor: Actor, finding: Finding) -> None: ...

    def order(
        self, session: Session, clock: Clock, actor: Actor, finding: Finding, due_on: date | None
    ) -> None: ...

    def usual_due_date(self, session: Session, clock: Clock) -> date: ...

    def mendings(self, session: Session, item_ids: Collection[int]) -> Mapping[int, Mending]: ...


_KEEPERS: list[FindingKeeper] = []


def add_finding_keepers(keepers: Iterable[FindingKeeper]) -> None:
    """Add an extension's keepers; the same one again changes nothing."""
    _KEEPERS.extend(keeper for keeper in keepers if keeper not in _KEEPERS)


def finding_keepers() -> tuple[FindingKeeper, ...]:
    return tuple(_KEEPERS)


def usual_due_date(session: Session, clock: Clock) -> date | None:
    """Return until when problems are mended if nothing else is said; None if nobody sees to it."""
    return next((keeper.usual_due_date(session, clock) for keeper in _KEEPERS), None)


def mendings_of(session: Session, item_ids: Collection[int]) -> dict[int, Mending]:
    """Return drawn entry -> how far its problem is mended, for those that somebody sees to."""
    found: dict[int, Mending] = {}
    for keeper in _KEEPERS:
        found.update(keeper.mendings(session, item_ids))
    return found
