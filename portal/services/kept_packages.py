"""Many packages at once, out of the documents that the indexer keeps: one query for all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.db import filled, places
from portal.models.entry import CatalogueEntry
from portal.models.index_request import EntryDocument
from portal.services.package_document import render_package

_ENTRY, _KEPT = CatalogueEntry.__table__.c, EntryDocument.__table__.c


@cache
def _asked(count: int) -> Select[Any]:
    """Return the question for so many ids."""
    return (
        select(_ENTRY.id, _ENTRY.index_version, _KEPT.version, _KEPT.package)
        .outerjoin(EntryDocument.__table__, _KEPT.entry_id == _ENTRY.id)
        .where(_ENTRY.id.in_(places(count)))
    )


def kept_packages(session: Session, ids: Sequence[int]) -> dict[int, bytes]:
    """Return the packages of entries by their ids, in the order of these.

    A kept one that is behind its entry is rendered afresh; an entry that has none any more is left
    out. Paths carry the mark that `with_site` replaces.
    """
    if not ids:
        return {}
    given = filled(ids)
    found = {
        entry_id: package if version == index_version else _render(session, entry_id)
        for entry_id, index_version, version, package in session.connection()
        .execute(_asked(len(given)), given)
        .all()
    }
    return {one: found[one] for one in ids if found.get(one)}


def _render(session: Session, entry_id: int) -> bytes:
    try:
        return render_package(session, session.get_one(CatalogueEntry, entry_id))
    except LookupError:
        return b""
