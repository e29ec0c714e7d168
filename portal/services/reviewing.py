"""The reviewer's list: what waits, what each changes, and one decision for many that are alike.

A batch is many single decisions: each stands on the version that was shown, each has its own
outcome, and one that is refused leaves the others as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import (
    Conflict,
    Defect,
    Forbidden,
    IllegalEvent,
    Invalid,
    NotFound,
    PortalError,
)
from portal.models.duty import Deadline
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.organisation import Organisation
from portal.services.catalogue_flow import FLOW
from portal.services.entries import EntryService

MOST_WAITING = 1000
BATCH_MAX = 100
REFUSALS = (Conflict, IllegalEvent, Forbidden, Invalid)


@dataclass(frozen=True)
class Waiting:
    """One version that waits for a review. `changed`: names of fields that differ from the
    published version, None for a first version; `own`: the reader edited it."""

    version_id: int
    row_version: int
    title: str
    number: int
    code: str
    provider_code: str
    provider: str
    open_type: str
    share_type: str
    submitted_at: datetime | None
    due_on: date | None
    provisional: bool
    changed: tuple[str, ...] | None
    similar: int
    own: bool

    @property
    def kind(self) -> str:
        """Alike are those of this kind: first versions of one open type, or the same fields."""
        if self.changed is None:
            return f"new:{self.open_type}"
        return f"changed:{','.join(self.changed)}"


@dataclass(frozen=True)
class Outcome:
    """What became of one version of a batch; `refused` says why it did not happen."""

    version_id: int
    title: str
    refused: PortalError | None = None


def list_waiting(session: Session, actor: Actor) -> list[Waiting]:
    """Return the submitted versions, those due first at the head."""
    earlier = aliased(EntryVersion)
    query = (
        select(EntryVersion, CatalogueEntry.code, Organisation, earlier.content, Deadline)
        .join(CatalogueEntry, CatalogueEntry.id == EntryVersion.entry_id)
        .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
        .outerjoin(earlier, earlier.id == CatalogueEntry.published_version_id)
        .outerjoin(
            Deadline,
            and_(
                Deadline.flow == FLOW,
                Deadline.subject_id == EntryVersion.id,
                Deadline.actor_kind == "bureau",
                Deadline.closed_at.is_(None),
            ),
        )
        .where(
            EntryVersion.state == "submitted",
            # what a city compiles is reviewed by the city (flow F3)
            CatalogueEntry.supplementary.is_(False) | CatalogueEntry.source_id.is_not(None),
        )
        .order_by(Deadline.due_on.is_(None), Deadline.due_on, EntryVersion.id)
        .limit(MOST_WAITING)
    )
    found: dict[int, Waiting] = {}
    for version, code, provider, before, deadline in session.execute(query):
        found.setdefault(version.id, _waiting(version, code, provider, before, deadline, actor))
    return list(found.values())


def _waiting(
    version: EntryVersion,
    code: str,
    provider: Organisation,
    before: Mapping[str, Any] | None,
    deadline: Deadline | None,
    actor: Actor,
) -> Waiting:
    return Waiting(
        version_id=version.id,
        row_version=version.row_version,
        title=version.title,
        number=version.number,
        code=code,
        provider_code=provider.code,
        provider=provider.short_name or provider.name,
        open_type=version.open_type,
        share_type=version.share_type,
        submitted_at=version.submitted_at,
        due_on=deadline.due_on if deadline else None,
        provisional=deadline.provisional if deadline else False,
        changed=None if before is None else changed_fields(before, version.content),
        similar=len(version.similar_entries),
        own=actor.account_id in version.editors,
    )


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the fields whose values differ (contents as JSON)."""
    names = before.keys() | after.keys()
    return tuple(sorted(name for name in names if before.get(name) != after.get(name)))


def review_many(
    session: Session,
    clock: Clock,
    actor: Actor,
    chosen: Sequence[tuple[int, int]],
    *,
    approve: bool,
    reason: str = "",
    defects: Sequence[Defect] = (),
    release_on: date | None = None,
    key: str,
) -> list[Outcome]:
    """Decide on many versions at once; each outcome stands for itself.

    Args:
        chosen: (version id, row version that was shown), in the order they are decided.
        key: of the form; a second click gives the same outcomes and decides nothing twice.

    Raises:
        Invalid: nothing is chosen, or more than BATCH_MAX.
    """
    if not chosen:
        raise Invalid.one("item", "missing", "请先勾选要办理的目录。")
    if len(chosen) > BATCH_MAX:
        raise Invalid.one("item", "too_many", "一次最多办理{n}条，请分批进行。", n=BATCH_MAX)
    service = EntryService(session, clock)
    outcomes = []
    for version_id, seen in dict(chosen).items():
        version = session.get(EntryVersion, version_id)
        if version is None:
            outcomes.append(Outcome(version_id, "", NotFound("没有这个目录版本。")))
            continue
        own_key = f"{key}:{version_id}"
        try:
            with session.begin_nested():
                if approve:
                    service.approve(actor, version, release_on=release_on, seen=seen, key=own_key)
                else:
                    service.return_for_correction(
                        actor, version, reason=reason, defects=defects, seen=seen, key=own_key
                    )
            outcomes.append(Outcome(version_id, version.title))
        except REFUSALS as error:
            session.expire(version)
            outcomes.append(Outcome(version_id, version.title, error))
    return outcomes
