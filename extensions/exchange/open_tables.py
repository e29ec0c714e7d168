"""The tables of a data set that anybody may have whole: the original and every column of it are open."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.actor import ANONYMOUS
from portal.errors import Forbidden, Unauthenticated
from portal.models.distribution import FILE, list_distributions
from portal.models.entry import CatalogueEntry
from portal.services.content import content_of
from portal.services.downloads import check_download
from portal.services.open_columns import open_table, original_is_open
from portal.services.opening import check_open, find_opening
from portal.tables.info import TableInfo


def open_tables(session: Session, entry: CatalogueEntry) -> dict[str, TableInfo]:
    """Return resource id -> table; nothing where the data is not open to everybody just now."""
    version = entry.published_version
    try:
        check_download(ANONYMOUS, entry)
        check_open(ANONYMOUS, entry, find_opening(session, entry.id))
    except (Forbidden, Unauthenticated):
        return {}
    if version is None:
        return {}
    content = content_of(version)
    found = {}
    for one in list_distributions(session, entry.id):
        data = one.current_version
        if one.kind != FILE or not original_is_open(data, content):
            continue
        info = open_table(data, content)
        if info is not None:
            found[one.public_id] = info
    return found
