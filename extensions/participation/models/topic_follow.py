"""关注单位和主题: an account follows all data of an organisation or of a theme."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime

ORGANISATION, THEME = "organization", "group"  # as the Action API has them


class TopicFollow(Base):
    """`key`: the public id of an organisation, or the code of a theme. `told_at`: up to when the
    follower has heard of new data."""

    __tablename__ = "topic_follow"
    __table_args__ = (Index("ix_topic_follow_topic", "kind", "key"),)

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    followed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime] = mapped_column(UtcDateTime)


def find_topic_follow(
    session: Session, account_id: int | None, kind: str, key: str
) -> TopicFollow | None:
    return session.get(TopicFollow, (account_id, kind, key)) if account_id is not None else None


def count_topic_followers(session: Session, kind: str, key: str) -> int:
    query = select(func.count()).select_from(TopicFollow)
    return session.scalar(query.where(TopicFollow.kind == kind, TopicFollow.key == key)) or 0
