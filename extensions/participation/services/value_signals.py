"""What participation adds to the value score: who asked for the data, and what was made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from extensions.participation.models.demand import DataDemand, DemandVote
from extensions.participation.models.moderated import SHOWN
from extensions.participation.models.reuse import Reuse, ReuseSource
from portal.clock import Clock, system_clock
from portal.models.account import Account, Membership
from portal.models.entry import CatalogueEntry
from portal.services.index_requests import request_index
from portal.services.value import REQUEST_WINDOW_DAYS, recompute_value


def distinct_voters(session: Session, entry_id: int) -> Mapping[str, int]:
    """Count the verified people who voted in the last 365 days on demands linked to the entry.

    Members of the provider do not count: an organisation cannot raise its own value
    (domain/high-value.md, D_requests).
    """
    since = system_clock() - timedelta(days=REQUEST_WINDOW_DAYS)
    is_own = (
        select(Membership.id)
        .join(CatalogueEntry, CatalogueEntry.provider_id == Membership.organisation_id)
        .where(CatalogueEntry.id == entry_id, Membership.account_id == DemandVote.account_id)
    )
    count = session.scalar(
        select(func.count(func.distinct(DemandVote.account_id)))
        .join(DataDemand, DataDemand.id == DemandVote.demand_id)
        .join(Account, Account.id == DemandVote.account_id)
        .where(
            DataDemand.entry_id == entry_id,
            DataDemand.review == SHOWN,
            DemandVote.voted_at >= since,
            Account.identity_verified,
            Account.disabled.is_(False),
            ~is_own.exists(),
        )
    )
    return {"voters": count or 0}


def approved_reuses(session: Session, entry_id: int) -> Mapping[str, int]:
    """Count the approved items that name the entry, but for those of the provider's own people."""
    is_own = (
        select(Membership.id)
        .join(CatalogueEntry, CatalogueEntry.provider_id == Membership.organisation_id)
        .where(CatalogueEntry.id == entry_id, Membership.account_id == Reuse.author_id)
    )
    count = session.scalar(
        select(func.count(Reuse.id))
        .join(ReuseSource, ReuseSource.reuse_id == Reuse.id)
        .where(ReuseSource.entry_id == entry_id, Reuse.review == SHOWN, ~is_own.exists())
    )
    return {"reuses": count or 0}


def value_changed(session: Session, clock: Clock, entries: Iterable[CatalogueEntry | None]) -> None:
    """Compute the published entries' scores again, and have the index follow."""
    session.flush()
    for entry in entries:
        if entry is not None and entry.is_public and recompute_value(session, clock, entry):
            request_index(session, clock, entry)
