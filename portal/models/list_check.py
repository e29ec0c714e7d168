"""A list of entries that was uploaded and is looked through in the background."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime
from portal.errors import NotFound

WAITING, CHECKING, DONE, FAILED = "waiting", "checking", "done", "failed"


class ListCheck(Base):
    """One dry run of one uploaded list. Nothing of it is written to the catalogue.

    `stage`: waiting, checking, done, or failed (the file itself cannot be read; `result` says why).
    `rows_done` of `rows_total` are looked at. `result`: `rows` and `defects` as
    `portal.services.list_checking` writes them.
    """

    __tablename__ = "list_check"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    filename: Mapped[str] = mapped_column(String(300))
    sha256: Mapped[str] = mapped_column(String(64))
    stage: Mapped[str] = mapped_column(String(20), default=WAITING)
    rows_done: Mapped[int] = mapped_column(Integer, default=0)
    rows_total: Mapped[int] = mapped_column(Integer, default=0)
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def get_list_check(session: Session, check_id: int) -> ListCheck:
    found = session.get(ListCheck, check_id)
    if found is None:
        raise NotFound("没有这次清单检查。")
    return found
