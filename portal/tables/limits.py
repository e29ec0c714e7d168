"""How much a table file may hold before it is refused."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024
LONGEST_SQL = 10_000  # characters of a statement that a caller wrote


@dataclass(frozen=True)
class ReadLimits:
    """Caps for one file. A workbook is held in memory (about 100 bytes a cell), a CSV is not."""

    text_bytes: int = 2048 * MIB
    workbook_bytes: int = 100 * MIB
    json_bytes: int = 100 * MIB  # one document is held in memory; NDJSON is streamed
    archive_entries: int = 10_000
    archive_ratio: int = 1000  # unpacked to packed, looked at from 10 MiB unpacked on
    columns: int = 2000
    cell_bytes: int = 16 * MIB
    workbook_entries: int = 2000
    workbook_unpacked_bytes: int = 800 * MIB
    workbook_ratio: int = 200  # unpacked to packed, looked at from 10 MiB unpacked on
    workbook_cells: int = 6_000_000
    workbook_area: int = 20_000_000  # rows times columns that the filled cells span


DEFAULT_LIMITS = ReadLimits()
