"""Texts that DuckDB wrote, joined without touching one of them in Python."""

from __future__ import annotations

import pyarrow as pa

from portal.tables.info import Column

BATCH_BYTES = 32 * 1024 * 1024
BATCH_ROWS = 10_000
SHORT_BYTES = 64  # of a number, a date or a name with its marks
LONGEST_CHARACTER = 6  # bytes: \\u0001 in JSON


def joined(texts: pa.Array) -> bytes:
    """Return the texts of an Arrow string array one behind the other, as UTF-8.

    They lie in one buffer already, so that this is one copy.
    """
    if not len(texts):
        return b""
    _, offsets, data = texts.buffers()
    wide = pa.types.is_large_string(texts.type)
    places = memoryview(offsets).cast("q" if wide else "i")
    first, last = places[texts.offset], places[texts.offset + len(texts)]
    return bytes(memoryview(data)[first:last]) if data is not None else b""


def batch_rows(columns: tuple[Column, ...]) -> int:
    """Return how many rows to take at a time, so that a batch stays near 32 MiB at the most."""
    longest = sum((column.max_length or 0) * LONGEST_CHARACTER + SHORT_BYTES for column in columns)
    return max(1, min(BATCH_ROWS, BATCH_BYTES // max(longest, 1)))
