"""关注: an account follows a data set."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from portal.db import Base, UtcDateTime
from portal.models.entry import CatalogueEntry


class EntryFollow(Base):
    """`told_at`: up to when the follower has heard of new data."""

    __tablename__ = "entry_follow"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    )
    entry_id: Mapped[int] = mapped_column(
        ForeignKey("catalogue_entry.id"), primary_key=True, index=True
    )
    followed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime] = mapped_column(UtcDateTime)

    entry: Mapped[CatalogueEntry] = relationship(lazy="joined")


def find_follow(session: Session, account_id: int | None, entry_id: int) -> EntryFollow | None:
    return session.get(EntryFollow, (account_id, entry_id)) if account_id is not None else None


def count_followers(session: Session, entry_id: int) -> int:
    query = select(func.count()).select_from(EntryFollow).where(EntryFollow.entry_id == entry_id)
    return session.scalar(query) or 0
