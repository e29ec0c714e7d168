"""数据申请: the subject of flow F5, with what was asked and what was granted."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Integer, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from extensions.access.models.interface import DataInterface
from portal.db import Base, UtcDateTime
from portal.errors import NotFound
from portal.models.account import Account
from portal.models.entry import CatalogueEntry, EntryVersion

UNDECIDED = ("draft", "submitted", "correction_needed", "under_review", "approved")
GRANTED = ("approved", "active", "suspended")
LIVE = ("active", "suspended")


class AccessApplication(Base):
    """An application for one interface, pinned to the open list's version it was made under.

    Asked: purpose, scenario, fields (with `field_reasons` for sensitive ones), volume (calls a
    day), term (days), capability, `storage` (where and how the data will be kept), undertakings
    (codes). Granted: `granted_*` (masking by field, beyond the catalogue's), `row_filters`
    ({field, op, value}, added to every call), `valid_until` (last local day), `conditions`.
    `policy_version` is the policy that it was handed in under. `correction` is the one notice: a
    list of {field, text, answer}.
    """

    __tablename__ = "access_application"

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(30), index=True)  # written by Flow only
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    form_key: Mapped[str | None] = mapped_column(String(36), unique=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    interface_id: Mapped[int] = mapped_column(ForeignKey("data_interface.id"), index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("entry_version.id"))
    renews_id: Mapped[int | None] = mapped_column(ForeignKey("access_application.id"))

    purpose: Mapped[str] = mapped_column(Text, default="")
    scenario: Mapped[str] = mapped_column(Text, default="")
    fields: Mapped[list[str]] = mapped_column(JSON, default=list)
    volume_a_day: Mapped[int | None] = mapped_column(Integer)
    term_days: Mapped[int | None] = mapped_column(Integer)
    capability: Mapped[str] = mapped_column(Text, default="")
    undertakings: Mapped[list[str]] = mapped_column(JSON, default=list)
    storage: Mapped[str | None] = mapped_column(Text)
    field_reasons: Mapped[dict[str, str] | None] = mapped_column(JSON)
    policy_version: Mapped[int | None] = mapped_column(Integer)

    correction: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    granted_fields: Mapped[list[str]] = mapped_column(JSON, default=list)
    quota_day: Mapped[int | None] = mapped_column(Integer)
    per_minute: Mapped[int | None] = mapped_column(Integer)
    per_second: Mapped[int | None] = mapped_column(Integer)
    quota_term: Mapped[int | None] = mapped_column(Integer)
    valid_until: Mapped[date | None] = mapped_column(Date)
    conditions: Mapped[str] = mapped_column(Text, default="")
    granted_masking: Mapped[dict[str, str] | None] = mapped_column(JSON)
    row_filters: Mapped[list[dict[str, str]] | None] = mapped_column(JSON)
    reject_ground: Mapped[str] = mapped_column(String(30), default="")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    reason: Mapped[str] = mapped_column(Text, default="")

    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    modified_at: Mapped[datetime] = mapped_column(UtcDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    correction_notified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    extended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rejected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    suspended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    applicant: Mapped[Account] = relationship(foreign_keys=[applicant_id], lazy="joined")
    interface: Mapped[DataInterface] = relationship(lazy="joined")
    entry: Mapped[CatalogueEntry] = relationship(lazy="joined")
    version: Mapped[EntryVersion] = relationship(lazy="joined")

    @property
    def number(self) -> str:
        """The number that people quote."""
        return number_of(self.id)

    @property
    def applicant_name(self) -> str:
        return self.applicant.applicant_name or self.applicant.display_name


def number_of(application_id: int) -> str:
    return f"SQ{application_id:08d}"


def get_application(session: Session, application_id: int) -> AccessApplication:
    found = session.get(AccessApplication, application_id)
    if found is None:
        raise NotFound("没有这份数据申请。")
    return found


def list_applications_of(session: Session, account_id: int) -> list[AccessApplication]:
    """Return what an account applied for, the newest first."""
    return list(
        session.scalars(
            select(AccessApplication)
            .where(AccessApplication.applicant_id == account_id)
            .order_by(AccessApplication.id.desc())
            .limit(200)
        )
    )


def find_undecided(
    session: Session, account_id: int, interface_id: int
) -> AccessApplication | None:
    """Return the account's application for the interface that still waits for its end."""
    return session.scalars(
        select(AccessApplication).where(
            AccessApplication.applicant_id == account_id,
            AccessApplication.interface_id == interface_id,
            AccessApplication.state.in_(UNDECIDED),
        )
    ).first()


def find_by_form_key(session: Session, form_key: str) -> AccessApplication | None:
    return session.scalars(
        select(AccessApplication).where(AccessApplication.form_key == form_key)
    ).first()
