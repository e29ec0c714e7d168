"""The versions of a file as they may be shown now: what may leave no more leaves no old version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from portal.errors import Gone, NotFound
from portal.models.distribution import DataVersion, Distribution
from portal.models.entry import EntryVersion
from portal.rules.entry_content import EntryContent
from portal.services.content import content_of
from portal.services.open_columns import Names, closed_names, open_table, original_is_open
from portal.tables.info import TableInfo


@dataclass(frozen=True)
class FileVersion:
    """One version of a file. `table` has the columns that may be seen today, None if there is none.

    `original_open` is False while the file as delivered holds more than that; `hold` is why nothing
    of it leaves, empty if nothing is held.
    """

    number: int
    filename: str
    size_bytes: int
    sha256: str
    created_at: datetime
    reason: str
    table_state: str
    table: TableInfo | None
    original_open: bool
    hold: str


def list_file_versions(
    session: Session, entry_id: int, public_id: str, content: EntryContent
) -> list[FileVersion]:
    """Return the versions of a file, the newest first.

    Raises:
        NotFound: the entry has no such file.
        Gone: it was taken off the entry.
    """
    distribution = _distribution(session, entry_id, public_id)
    found = _data_versions(session, distribution.id)
    earlier = earlier_closed_names(session, entry_id, content) if len(found) > 1 else None
    newest = distribution.current_version_id
    return [_shown(data, content, None if data.id == newest else earlier) for data in found]


def get_file_version(
    session: Session, entry_id: int, public_id: str, number: int, content: EntryContent
) -> FileVersion:
    """Raises: NotFound, Gone."""
    for version in list_file_versions(session, entry_id, public_id, content):
        if version.number == number:
            return version
    raise NotFound("该文件没有第 {number} 版。", number=number)


def earlier_closed_names(session: Session, entry_id: int, content: EntryContent) -> Names:
    """Return the names that are closed now, or were when an item was last published."""
    query = (
        select(EntryVersion)
        .options(lazyload(EntryVersion.entry))
        .where(EntryVersion.entry_id == entry_id, EntryVersion.published_at.is_not(None))
        .order_by(EntryVersion.number.desc())
    )
    return closed_names(content, [content_of(version) for version in session.scalars(query)])


def _distribution(session: Session, entry_id: int, public_id: str) -> Distribution:
    query = select(Distribution).where(
        Distribution.entry_id == entry_id, Distribution.public_id == public_id
    )
    found = session.scalars(query).first()
    if found is None:
        raise NotFound("没有编号为“{key}”的数据文件。", key=public_id[:100])
    if found.deleted_at is not None:
        raise Gone("文件“{name}”已由提供单位移除。", name=found.name)
    return found


def _data_versions(session: Session, distribution_id: int) -> Sequence[DataVersion]:
    query = (
        select(DataVersion)
        .options(lazyload(DataVersion.distribution))
        .where(DataVersion.distribution_id == distribution_id)
        .order_by(DataVersion.number.desc())
    )
    return session.scalars(query).all()


def _shown(data: DataVersion, content: EntryContent, closed: Names | None) -> FileVersion:
    return FileVersion(
        number=data.number,
        filename=data.filename,
        size_bytes=data.size_bytes,
        sha256=data.sha256,
        created_at=data.created_at,
        reason=data.reason,
        table_state=data.table_state,
        table=open_table(data, content, closed=closed),
        original_open=original_is_open(data, content, closed=closed),
        hold=data.hold,
    )
