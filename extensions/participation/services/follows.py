"""Following data sets: who follows hears of publications, retirements and new data."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.participation.models.follow import EntryFollow, find_follow
from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Invalid, Unauthenticated
from portal.models.entry import CatalogueEntry

FOLLOWED_MAX = 500


def follow_entry(
    session: Session, clock: Clock, actor: Actor, entry: CatalogueEntry
) -> EntryFollow:
    """Follow; doing it again changes nothing. Raises: Invalid beyond the most an account follows."""
    if actor.account_id is None:
        raise Unauthenticated()
    found = find_follow(session, actor.account_id, entry.id)
    if found is not None:
        return found
    if len(list_follows(session, actor.account_id)) >= FOLLOWED_MAX:
        raise Invalid.one("", "too_many", "最多关注{n}项数据，请先取消一些。", n=FOLLOWED_MAX)
    now = clock()
    found = EntryFollow(
        account_id=actor.account_id, entry_id=entry.id, followed_at=now, told_at=now
    )
    session.add(found)
    session.flush()
    return found


def unfollow_entry(session: Session, actor: Actor, entry: CatalogueEntry) -> bool:
    """Stop following. Return whether the account followed."""
    found = find_follow(session, actor.account_id, entry.id)
    if found is not None:
        session.delete(found)
        session.flush()
    return found is not None


def list_follows(session: Session, account_id: int) -> Sequence[EntryFollow]:
    """Return what an account follows, the newest first."""
    return session.scalars(
        select(EntryFollow)
        .where(EntryFollow.account_id == account_id)
        .order_by(EntryFollow.followed_at.desc(), EntryFollow.entry_id.desc())
        .limit(FOLLOWED_MAX)
    ).all()
