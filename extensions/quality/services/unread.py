"""Documents of an entry whose text could not be looked at: people look, and one decides."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.quality.models.scan import TableScan
from extensions.quality.scan.leftovers import UNREAD
from portal.models.distribution import DataVersion, Distribution
from portal.models.entry import CatalogueEntry


def unread_documents(session: Session, entry: CatalogueEntry) -> Sequence[DataVersion]:
    """Return the newest deliveries without a table that were not read."""
    rows = session.execute(
        select(DataVersion, TableScan.findings)
        .join(TableScan, TableScan.data_version_id == DataVersion.id)
        .join(Distribution, Distribution.current_version_id == DataVersion.id)
        .where(
            Distribution.entry_id == entry.id,
            Distribution.deleted_at.is_(None),
            DataVersion.table_state == "none",
        )
        .order_by(DataVersion.id)
    )
    return [data for data, found in rows if any(one["kind"] == UNREAD for one in found)]
