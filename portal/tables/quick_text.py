"""Rows of a well-formed text file, read by Arrow: ten times the speed of Python's csv.

Whatever is odd is left to `text_rows`, which names the row: `read_quickly` raises NotPlain, and what
it has written is thrown away. Blank lines, totals and footnotes are no oddity; they are dealt with
here by the same rules.
"""

from __future__ import annotations

import codecs
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from portal.tables.encoding import decoded
from portal.tables.parsed_table import SPACES, ParsedTable, RowsWriter
from portal.tables.quote_count import QuoteCount
from portal.tables.row_kinds import ODD_INITIALS, TOTAL, RowKinds
from portal.tables.under_header import Below, NotPlain

BLOCK_BYTES = 2 * 1024 * 1024
PIECE_BYTES = BLOCK_BYTES
_SUSPECT = f"^[{''.join(sorted(ODD_INITIALS))}\\s\u3000\u00a0]|^$|{TOTAL}\\s*$"


def read_quickly(
    table: ParsedTable,
    writer: RowsWriter,
    kinds: RowKinds,
    below: Below,
    *,
    path: Path,
    ends: Sequence[int],
) -> None:
    """Write the rows below the header.

    Args:
        ends: where the first records end, in bytes of the text as UTF-8.

    Raises:
        NotPlain: ragged rows, quotes gone wrong, bytes outside the encoding, NULs.
    """
    if len(table.delimiter) != 1 or not table.delimiter.isascii():
        raise NotPlain
    source = _Utf8Source(path, table, ends[below.skipped - 1] if below.skipped else 0)
    names = [f"c{number}" for number in range(below.width)]
    try:
        with source, pa.PythonFile(source, mode="r") as file:
            reader = _open(file, names, table.delimiter)
            _copy(reader, writer, kinds, below.skipped + 1)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        raise NotPlain from None
    if not source.quotes.are_paired():
        raise NotPlain


def _open(file: pa.NativeFile, names: list[str], delimiter: str) -> csv.CSVStreamingReader:
    return csv.open_csv(
        file,
        read_options=csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES, use_threads=True),
        parse_options=csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )


def _copy(
    reader: csv.CSVStreamingReader, writer: RowsWriter, kinds: RowKinds, first_row: int
) -> None:
    row = first_row
    suspects = suspects_of(kinds)
    for batch in reader:
        numbers = pa.arange(row, row + batch.num_rows)
        keep = keep_rows(batch, row, suspects, kinds)
        row += batch.num_rows
        if keep is not None:
            batch, numbers = batch.filter(keep), numbers.filter(keep)
        writer.write(numbers, _named(batch.columns, len(kinds.header)))


def _named(columns: list[pa.Array], width: int) -> list[pa.Array]:
    """Leave out the columns beyond the last name; raises NotPlain where they hold anything."""
    for column in columns[width:]:
        if pc.max(pc.binary_length(pc.utf8_trim(column, characters=SPACES))).as_py():
            raise NotPlain
    return columns[:width]


def suspects_of(kinds: RowKinds) -> str:
    """Return a pattern of first cells of rows that may be no data.

    One pattern, no comparison with a scalar: Arrow would import pandas for that, if it is there.
    """
    return f"{_SUSPECT}|^{re.escape(kinds.header[0])}\\s*$"


def keep_rows(
    batch: pa.RecordBatch, first_row: int, suspects: str, kinds: RowKinds
) -> pa.BooleanArray | None:
    """Note the odd rows, and say which rows are data; None: all of them."""
    suspect = pc.match_substring_regex(batch.column(0), suspects)
    if kinds.watched != first_row and not pc.any(suspect).as_py():
        return None
    return _keep(batch, first_row, suspect, kinds)


def _keep(
    batch: pa.RecordBatch, first_row: int, suspect: pa.Array, kinds: RowKinds
) -> pa.BooleanArray:
    """Look at the suspect rows one by one, note them, and say which rows are data."""
    dropped = set()
    columns = batch.columns
    positions = deque(pc.indices_nonzero(suspect).to_pylist())
    count = batch.num_rows
    _watch(positions, -1, kinds.watched - first_row, count)
    while positions:
        position = positions.popleft()
        cells = [column[position].as_py() for column in columns]
        if not kinds.keeps(first_row + position, cells):
            dropped.add(position)
        _watch(positions, position, kinds.watched - first_row, count)
    return pa.array([position not in dropped for position in range(count)])


def _watch(positions: deque[int], seen: int, watched: int, count: int) -> None:
    """Let the row that `kinds` wants to see be the next one, unless it was seen already."""
    if seen < watched < count and (not positions or watched < positions[0]):
        positions.appendleft(watched)


class _Utf8Source(io.RawIOBase):
    """The file as UTF-8 from behind the header on; counts quotes on the way."""

    def __init__(self, path: Path, table: ParsedTable, skipped_bytes: int) -> None:
        self._file = path.open("rb")
        self._pieces = self._read_pieces(table.encoding)
        self._skip = skipped_bytes
        self._rest = b""
        self.quotes = QuoteCount(table.delimiter.encode())

    def _read_pieces(self, encoding: str) -> Iterator[bytes]:
        if encoding == "utf-8":
            decoder = codecs.getincrementaldecoder("utf-8")("strict")
            if self._file.read(3) != codecs.BOM_UTF8:
                self._file.seek(0)
            while piece := self._file.read(PIECE_BYTES):
                decoder.decode(piece)
                yield piece
            decoder.decode(b"", final=True)
        else:
            for text in decoded(self._file, encoding):
                yield text.encode()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            piece = next(self._pieces, b"")
            if not piece:
                return b""
            if b"\0" in piece:
                raise NotPlain
            self._rest, self._skip = piece[self._skip :], max(0, self._skip - len(piece))
        end = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:end], self._rest[end:]
        self.quotes.add(data)
        return data

    def close(self) -> None:
        self._file.close()
        super().close()
