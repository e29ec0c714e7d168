"""Small questions about published entries that public pages ask on every view."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from portal.models.entry import CatalogueEntry
from portal.models.organisation import Organisation

IS_PUBLIC = (CatalogueEntry.published_version_id.is_not(None), CatalogueEntry.retired_at.is_(None))
_PUBLIC_AMONG = select(CatalogueEntry.__table__.c.id).where(
    CatalogueEntry.__table__.c.id.in_(bindparam("ids", expanding=True)), *IS_PUBLIC
)  # made once: every page asks it


def public_ids(session: Session, ids: Collection[int]) -> frozenset[int]:
    """Return which of the entries are public just now, whatever a cache or an index says."""
    if not ids:
        return frozenset()
    found = session.connection().scalars(_PUBLIC_AMONG, {"ids": list(ids)})
    return frozenset(found.all())


def organisation_names(session: Session) -> dict[str, tuple[str, str]]:
    """Return code -> (name, English name) of every organisation."""
    query = select(Organisation.code, Organisation.name, Organisation.name_en)
    return {code: (name, name_en) for code, name, name_en in session.execute(query)}


def count_public(session: Session) -> int:
    return session.scalar(select(func.count(CatalogueEntry.id)).where(*IS_PUBLIC)) or 0


def public_addresses(session: Session, *, start: int, rows: int) -> list[tuple[str, datetime]]:
    """Return (slug, last change) of public entries in the order of their making."""
    query = (
        select(CatalogueEntry.slug, CatalogueEntry.metadata_modified_at)
        .where(*IS_PUBLIC)
        .order_by(CatalogueEntry.id)
        .offset(start)
        .limit(rows)
    )
    return list(session.execute(query))
