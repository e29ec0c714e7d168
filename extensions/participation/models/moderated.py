"""What every text of the public carries: who wrote it, and whether it may be shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from portal.db import UtcDateTime
from portal.models.account import Account

WAITING, SHOWN, HIDDEN = "waiting", "shown", "hidden"


class Moderated:
    """Columns of a text that is looked at before (or after) the public sees it.

    `review`: waiting, shown or hidden. `reviewed_by` is None where the author's earlier approved
    texts let it pass. `form_key` makes a double click file once.
    """

    review: Mapped[str] = mapped_column(String(10), default=WAITING, index=True)
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    review_reason: Mapped[str] = mapped_column(Text, default="")
    form_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    filed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @declared_attr
    def author_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("account.id"), index=True)

    @declared_attr
    def reviewed_by(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("account.id"))

    @declared_attr
    def author(cls: Any) -> Mapped[Account]:
        return relationship(foreign_keys=f"[{cls.__name__}.author_id]", lazy="joined")

    @property
    def is_shown(self) -> bool:
        return self.review == SHOWN
