"""Organisations: the Bureau, departments, agencies, city authorities, utilities."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy import Boolean, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime
from portal.errors import NotFound

BUREAU, RESPONSIBLE_DEPT, AGENCY = "bureau", "responsible_dept", "agency"
CITY_AUTHORITY, PUBLIC_UTILITY = "city_authority", "public_utility"


class Organisation(Base):
    """公共管理和服务机构. `serial` is its three-digit part of resource codes."""

    __tablename__ = "organisation"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(36), unique=True, default=lambda: str(uuid4()))
    code: Mapped[str] = mapped_column(String(40), unique=True)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200), default="")
    short_name: Mapped[str] = mapped_column(String(100), default="")
    description: Mapped[str] = mapped_column(String(2000), default="")
    kind: Mapped[str] = mapped_column(String(30))
    by_analogy: Mapped[bool] = mapped_column(Boolean, default=False)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    region_code: Mapped[str] = mapped_column(String(6))
    serial: Mapped[str] = mapped_column(String(3), default="000")
    uscc: Mapped[str] = mapped_column(String(18), default="")
    default_theme: Mapped[str] = mapped_column(String(30), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


def find_organisation(session: Session, key: str) -> Organisation | None:
    """Return the organisation with this code, slug or public id."""
    matches = (
        (Organisation.code == key)
        | (Organisation.slug == key.lower())
        | (Organisation.public_id == key)
    )
    return session.scalars(select(Organisation).where(matches)).first()


def get_organisation(session: Session, key: str) -> Organisation:
    organisation = find_organisation(session, key)
    if organisation is None:
        raise NotFound("没有代码为“{key}”的机构。", key=key)
    return organisation
