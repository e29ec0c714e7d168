"""评论、提问和评分: what people say about a data set."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from extensions.participation.models.moderated import Moderated
from portal.db import Base, UtcDateTime
from portal.errors import NotFound
from portal.models.entry import CatalogueEntry

COMMENT, QUESTION = "comment", "question"


class EntryComment(Moderated, Base):
    """A comment or a question. The provider's answer stands beside it."""

    __tablename__ = "entry_comment"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))

    entry: Mapped[CatalogueEntry] = relationship(lazy="joined")


class EntryRating(Base):
    """An account's stars for a data set, 1 to 5; rating again changes them."""

    __tablename__ = "entry_rating"

    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    )
    stars: Mapped[int] = mapped_column(Integer)
    rated_at: Mapped[datetime] = mapped_column(UtcDateTime)


def get_comment(session: Session, comment_id: int) -> EntryComment:
    found = session.get(EntryComment, comment_id)
    if found is None:
        raise NotFound("没有这条评论或提问。")
    return found


def mean_rating(session: Session, entry_id: int) -> tuple[float, int]:
    """Return (mean of the stars to 0.1, number of ratings); (0, 0) without any."""
    row = session.execute(
        select(func.avg(EntryRating.stars), func.count()).where(EntryRating.entry_id == entry_id)
    ).one()
    return (round(float(row[0]), 1) if row[0] is not None else 0.0, row[1])
