"""Where the data of an absorbed supplementary entry is found now (flow F3)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.clock import local_date
from portal.errors import Absorbed
from portal.models.entry import CatalogueEntry
from portal.models.supplementary import Absorption


def check_not_absorbed(session: Session, entry: CatalogueEntry) -> None:
    """Say by which entry a retired one was taken in. Raises Absorbed."""
    found = session.get(Absorption, entry.id)
    if found is None or entry.retired_at is None:
        return
    own, new = entry.published_version, found.provincial.published_version
    raise Absorbed(
        title=own.title if own else entry.code,
        day=local_date(found.absorbed_at).isoformat(),
        successor=found.provincial.slug,
        name=new.title if new else found.provincial.code,
        code=found.provincial.code,
    )
