"""What came to an entry's files since the published version: new ones, and rows more or fewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from portal.models.distribution import DataVersion, Distribution, list_distributions

NEW, CHANGED, SAME = "new", "changed", "same"


@dataclass(frozen=True)
class FileChange:
    """One file, link or interface. `rows` are None where no table was read from it."""

    name: str
    format: str
    change: str
    rows: int | None
    rows_before: int | None
    delivered_at: datetime | None
    reason: str = ""


def file_changes(session: Session, entry_id: int, since: datetime | None) -> list[FileChange]:
    """Return the files as they are now, beside what they were at `since` (None: nothing yet)."""
    return [_change(session, one, since) for one in list_distributions(session, entry_id)]


def _change(session: Session, file: Distribution, since: datetime | None) -> FileChange:
    now = file.current_version
    before = _version_at(session, file.id, since) if since is not None else None
    created = since is None or file.created_at > since
    if created:
        change = NEW
    elif now is not None and (before is None or before.id != now.id):
        change = CHANGED
    else:
        change = SAME
    return FileChange(
        name=file.name,
        format=file.format,
        change=change,
        rows=_rows(now),
        rows_before=_rows(before),
        delivered_at=now.created_at if now else file.created_at,
        reason=now.reason if now else "",
    )


def _version_at(session: Session, distribution_id: int, moment: datetime) -> DataVersion | None:
    query = (
        select(DataVersion)
        .options(lazyload(DataVersion.distribution))
        .where(DataVersion.distribution_id == distribution_id, DataVersion.created_at <= moment)
        .order_by(DataVersion.number.desc())
        .limit(1)
    )
    return session.scalars(query).first()


def _rows(version: DataVersion | None) -> int | None:
    return int(version.table["row_count"]) if version is not None and version.table else None
