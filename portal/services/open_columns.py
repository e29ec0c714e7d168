"""Which columns of a table everybody may have: an information item that is not open drops its own."""

from __future__ import annotations

from dataclasses import replace

from portal.models.distribution import DataVersion
from portal.rules.entry_content import EntryContent
from portal.tables.info import TableInfo

NOT_MASKED = ("", "none")


def open_table(data: DataVersion | None, content: EntryContent) -> TableInfo | None:
    """Return the parsed table of a delivery with its open columns only, None if it has no table.

    A column whose item has a masking rule is left out: what is open to all is never masked on the
    way. A column without an item is open as the whole is.

    Source: domain/catalogue-fields.md, section 2 (`open`, `masking`).
    """
    if data is None or data.table is None or data.table_state != "ready":
        return None
    info = TableInfo.from_dict(data.table)
    closed = {
        name
        for item in content.items
        if not item.open or item.masking not in NOT_MASKED
        for name in (item.field_name, item.name)
    }
    columns = tuple(c for c in info.columns if c.field_name not in closed and c.name not in closed)
    return replace(info, columns=columns)
