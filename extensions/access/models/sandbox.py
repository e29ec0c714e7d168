"""沙箱: the made-up table of an interface, the keys that open it, and how often they were used."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, ForeignKey, Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime


class Sandbox(Base):
    """One interface's synthetic table. `table` is a TableInfo as JSON, None where none can be made.

    `mark` tells what it was made from; another mark means that it is to be made again.
    """

    __tablename__ = "access_sandbox"

    interface_id: Mapped[int] = mapped_column(ForeignKey("data_interface.id"), primary_key=True)
    mark: Mapped[str] = mapped_column(String(64))
    table: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SandboxKey(Base):
    """A secret of an account that opens every sandbox and nothing else; kept as its hash alone."""

    __tablename__ = "access_sandbox_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    prefix: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SandboxCall(Base):
    """An account's calls of one sandbox on one local day."""

    __tablename__ = "access_sandbox_call"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    interface_id: Mapped[int] = mapped_column(ForeignKey("data_interface.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    calls: Mapped[int] = mapped_column(Integer)
    rows: Mapped[int] = mapped_column(BigInteger)
    errors: Mapped[int] = mapped_column(Integer)


class InterfaceDay(Base):
    """What one interface did on one local day, added up from the records of calls.

    `failures` are answers of 500 and above, `milliseconds` the sum over all calls.
    """

    __tablename__ = "access_interface_day"

    interface_id: Mapped[int] = mapped_column(ForeignKey("data_interface.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    calls: Mapped[int] = mapped_column(Integer)
    rows: Mapped[int] = mapped_column(BigInteger)
    failures: Mapped[int] = mapped_column(Integer)
    milliseconds: Mapped[int] = mapped_column(BigInteger)


def find_sandbox(session: Session, interface_id: int) -> Sandbox | None:
    return session.get(Sandbox, interface_id)


def list_sandbox_keys(session: Session, account_id: int) -> list[SandboxKey]:
    """Return the account's sandbox keys that still work, the newest first."""
    return list(
        session.scalars(
            select(SandboxKey)
            .where(SandboxKey.account_id == account_id, SandboxKey.revoked_at.is_(None))
            .order_by(SandboxKey.id.desc())
        )
    )
