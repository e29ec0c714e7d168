"""How a key stands right now, and what was made of it when it last stood just so.

The standing is every value that decides what a call may have, read afresh at each call by one
indexed query; large JSON as text or by its hash. As long as it is the same to the letter, the
admission that was made of it (metadata and table descriptions, parsed) is used again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Row, Text, bindparam, cast, select
from sqlalchemy.orm import Session

from extensions.access.models.application import AccessApplication
from extensions.access.models.interface import DataInterface
from extensions.access.models.key import AccessKey
from extensions.access.models.upstream import UpstreamService
from portal.clock import local_date
from portal.models.distribution import DataVersion, Distribution
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.open_list import OpenListEntry

if TYPE_CHECKING:
    from extensions.access.services.gate import Admission

MOST_REMEMBERED = 500
Standing = Row[Any]


def joined(*columns: Any) -> Any:
    """Return a query from a key over its grant to the data behind it; one row for each key."""
    return (
        select(*columns)
        .select_from(AccessKey)
        .join(AccessApplication, AccessApplication.id == AccessKey.application_id)
        .join(DataInterface, DataInterface.id == AccessApplication.interface_id)
        .join(CatalogueEntry, CatalogueEntry.id == DataInterface.entry_id)
        .outerjoin(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .outerjoin(
            OpenListEntry,
            (OpenListEntry.entry_id == CatalogueEntry.id)
            & (OpenListEntry.state == "open")
            & (OpenListEntry.open_type == "conditional"),
        )
        .outerjoin(
            UpstreamService,
            (UpstreamService.interface_id == DataInterface.id)
            & UpstreamService.disabled_at.is_(None),
        )
        .outerjoin(Distribution, Distribution.id == DataInterface.table_distribution_id)
        .outerjoin(DataVersion, DataVersion.id == Distribution.current_version_id)
    )


_A, _I, _E, _V, _D = AccessApplication, DataInterface, CatalogueEntry, EntryVersion, DataVersion
_AS_TEXT = (
    AccessKey.revoked_at, _A.granted_fields, _A.granted_masking, _A.row_filters, _A.activated_at,
    _I.fields, _I.withdrawn_at, _E.data_modified_at, _E.retired_at, _V.published_at, _D.table,
    _D.public_table, Distribution.deleted_at,
)  # fmt: skip
_STANDING = joined(
    AccessKey.id.label("key_id"),
    AccessKey.expires_at.label("expires_at"),
    _A.id.label("application_id"),
    _A.valid_until.label("valid_until"),
    _I.api_code.label("api_code"),
    _A.state, _A.row_version, _A.quota_day, _A.per_minute, _A.per_second, _A.quota_term,
    _I.id, _I.name, _I.sort_field, _I.table_distribution_id,
    _E.id, _E.slug, _E.code, _E.published_version_id, _V.content_hash, _V.open_type,
    OpenListEntry.id, _D.id, _D.hold, _D.table_state, UpstreamService.row_version,
    *(cast(column, Text) for column in _AS_TEXT),
)  # fmt: skip
_BY_SECRET = _STANDING.where(AccessKey.secret_hash == bindparam("value"))
_BY_KEY = _STANDING.where(AccessKey.id == bindparam("value"))


def find_standing(
    session: Session, *, secret_hash: str = "", key_id: int | None = None
) -> Standing | None:
    """Return how the key with this secret, or this id, stands; None if there is none."""
    query, value = (_BY_SECRET, secret_hash) if key_id is None else (_BY_KEY, key_id)
    found: Standing | None = session.connection().execute(query, {"value": value}).first()
    return found


@dataclass(frozen=True)
class _Kept:
    standing: Standing
    admission: Admission


class _Memory:
    """What one process remembers of one database; the longest unused goes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, _Kept] = OrderedDict()

    def get(self, key_id: int) -> _Kept | None:
        with self._lock:
            found = self._kept.get(key_id)
            if found is not None:
                self._kept.move_to_end(key_id)
            return found

    def keep(self, key_id: int, kept: _Kept) -> None:
        with self._lock:
            self._kept[key_id] = kept
            self._kept.move_to_end(key_id)
            if len(self._kept) > MOST_REMEMBERED:
                self._kept.popitem(last=False)


_memories: WeakKeyDictionary[Engine, _Memory] = WeakKeyDictionary()
_memories_lock = threading.Lock()


def remembered(session: Session, standing: Standing, now: datetime) -> Admission | None:
    """Return the admission made of this very standing, unless the key's or grant's time is over."""
    kept = _memory_of(session).get(standing.key_id)
    if kept is None or kept.standing != standing:
        return None
    expires, last = standing.expires_at, standing.valid_until
    is_over = (expires is not None and expires <= now) or last is None or last < local_date(now)
    return None if is_over else kept.admission


def remember(session: Session, standing: Standing, admission: Admission) -> None:
    """Keep an admission; not one of an agency's service, whose call costs more than making it."""
    if admission.upstream is None:
        _memory_of(session).keep(standing.key_id, _Kept(standing, admission))


def _memory_of(session: Session) -> _Memory:
    engine = session.connection().engine
    with _memories_lock:
        found = _memories.get(engine)
        if found is None:
            found = _memories[engine] = _Memory()
        return found
