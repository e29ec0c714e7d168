"""What the scan found in one delivery, and what a person decided on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Integer, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from portal.db import Base, UtcDateTime
from portal.errors import NotFound
from portal.models.distribution import DataVersion


class TableScan(Base):
    """One look at one data version. `sha256` is the file's, `parquet_sha256` the table's.

    findings: `scan.findings.Finding` as JSON; decisions: field name -> {treatment, reason}, made by
    `decided_by` on entry version `decided_on_id`; `applied`: the treatments that the public table
    carries; `groups`: the last report of small groups. `row_version` rises with every decision.
    """

    __tablename__ = "table_scan"

    id: Mapped[int] = mapped_column(primary_key=True)
    data_version_id: Mapped[int] = mapped_column(ForeignKey("data_version.id"), unique=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    parquet_sha256: Mapped[str] = mapped_column(String(64), default="")
    content_hash: Mapped[str] = mapped_column(String(64), default="", index=True)
    row_count: Mapped[int] = mapped_column(Integer, default=0)
    duplicate_rows: Mapped[int] = mapped_column(Integer, default=0)
    unreadable: Mapped[bool] = mapped_column(Boolean, default=False)
    blocks: Mapped[bool] = mapped_column(Boolean, default=False, index=True)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    scanned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    decisions: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    decided_on_id: Mapped[int | None] = mapped_column(ForeignKey("entry_version.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(Text, default="")
    applied: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    groups: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    data_version: Mapped[DataVersion] = relationship(lazy="joined")


def find_scan(session: Session, data_version_id: int) -> TableScan | None:
    return session.scalars(
        select(TableScan).where(TableScan.data_version_id == data_version_id)
    ).first()


def get_scan(session: Session, scan_id: int) -> TableScan:
    found = session.get(TableScan, scan_id)
    if found is None:
        raise NotFound("没有这项敏感信息检查。")
    return found
