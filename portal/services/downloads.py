"""Count downloads: by distribution, day, visitor and form. A visitor is a daily salted hash."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock, local_date
from portal.models.counter import KeptValue
from portal.models.distribution import Distribution, Download
from portal.models.entry import CatalogueEntry
from portal.permissions import Permission, require

ROBOTS = ("bot", "spider", "crawl", "slurp", "python-requests", "curl", "wget")


def check_download(actor: Actor, entry: CatalogueEntry) -> None:
    """Unconditional data needs no account; everything else is not downloaded here.

    Raises:
        Forbidden, Unauthenticated.
    """
    require(actor, Permission.DISTRIBUTION_DOWNLOAD, entry)


def is_robot(user_agent: str) -> bool:
    lowered = user_agent.lower()
    return not lowered or any(word in lowered for word in ROBOTS)


def count_download(
    session: Session,
    clock: Clock,
    distribution: Distribution,
    actor: Actor,
    *,
    address: str,
    user_agent: str,
    form: str,
) -> None:
    """Count one download. The provider's own people and known robots do not count."""
    if is_robot(user_agent) or distribution.entry.provider_id in actor.organisation_ids:
        return
    today = local_date(clock())
    visitor = _visitor(session, today, actor, address, user_agent)
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(
        insert(Download)
        .values(
            entry_id=distribution.entry_id,
            distribution_id=distribution.id,
            day=today,
            visitor=visitor,
            form=form,
            count=1,
        )
        .on_conflict_do_update(
            index_elements=["distribution_id", "day", "visitor", "form"],
            set_={"count": Download.count + 1},
        )
    )


def _visitor(session: Session, today: date, actor: Actor, address: str, user_agent: str) -> str:
    if actor.account_id is not None:
        return f"account:{actor.account_id}"
    salt = _salt(session, today)
    return hashlib.sha256(f"{salt}|{address}|{user_agent}".encode()).hexdigest()


def _salt(session: Session, today: date) -> str:
    """Return the day's salt. Yesterday's is forgotten, so old visitors cannot be recognised."""
    name = f"visitor_salt:{today.isoformat()}"
    kept = session.get(KeptValue, name)
    if kept is None:
        for old in session.scalars(
            select(KeptValue).where(KeptValue.name.startswith("visitor_salt:"))
        ):
            session.delete(old)
        kept = KeptValue(name=name, value=secrets.token_hex(16))
        session.add(kept)
        session.flush()
    return kept.value


def count_of(session: Session, entry_id: int) -> int:
    query = select(func.coalesce(func.sum(Download.count), 0)).where(Download.entry_id == entry_id)
    return session.scalar(query) or 0
