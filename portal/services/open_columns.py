"""What of a table everybody may have: the one place that every way out asks.

Nothing leaves while a delivery is held. Where columns were dropped or masked after a review, their
table without the originals stands for the whole. An information item that is not open drops its
own column from either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from portal.models.distribution import DataVersion
from portal.rules.entry_content import EntryContent
from portal.tables.info import Column, TableInfo

NOT_MASKED = ("", "none")
Names = frozenset[str]


def released_table(data: DataVersion | None) -> TableInfo | None:
    """Return the parsed table of a delivery as it may leave; None while it is held or has none."""
    if data is None or data.hold or data.table_state != "ready":
        return None
    values = data.public_table or data.table
    return TableInfo.from_dict(values) if values else None


def open_table(
    data: DataVersion | None, content: EntryContent, *, closed: Names | None = None
) -> TableInfo | None:
    """Return the parsed table of a delivery with its open columns only, None if it has no table.

    A column whose item has a masking rule is left out: what is open to all is never masked on the
    way. A column without an item is open as the whole is. `closed` overrides what the content says.

    Source: domain/catalogue-fields.md, section 2 (`open`, `masking`).
    """
    info = released_table(data)
    if info is None:
        return None
    shut = closed_names(content) if closed is None else closed
    return replace(info, columns=tuple(c for c in info.columns if not _is_shut(c, shut)))


def original_is_open(
    data: DataVersion | None, content: EntryContent, *, closed: Names | None = None
) -> bool:
    """True if the file as delivered holds nothing that a review or an information item keeps back.

    A file whose table is not parsed yet is held back while any item is closed; what is no table
    cannot be looked into and is the agency's to deliver without closed items.
    """
    if data is not None and (data.hold or data.public_table):
        return False
    shut = closed_names(content) if closed is None else closed
    if data is None or not shut or data.table_state == "none":
        return True
    if data.table is None or data.table_state != "ready":
        return False
    return not any(_is_shut(column, shut) for column in TableInfo.from_dict(data.table).columns)


def closed_names(content: EntryContent, earlier: Iterable[EntryContent] = ()) -> Names:
    """Return the names of the items that are not open, by field name and by name.

    Args:
        earlier: contents that were published before, newest first. A name that newer ones do not
            know is closed if it was when it was last published: taking an item off the metadata
            opens no old file.
    """
    known: set[str] = set()
    closed: set[str] = set()
    for one in (content, *earlier):
        names = {
            name: not item.open or item.masking not in NOT_MASKED
            for item in one.items
            for name in (item.field_name, item.name)
        }
        closed |= {name for name, is_shut in names.items() if is_shut and name not in known}
        known |= names.keys()
    return frozenset(closed)


def _is_shut(column: Column, closed: Names) -> bool:
    return column.field_name in closed or column.name in closed
