"""A table as text: what every reader gives, and the temporary Parquet file that holds the rows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from portal.tables.row_notes import RowNotes

SPACES = " \t\r\n\f\v\u00a0\u3000\ufeff\u200b"  # never part of a value at its ends


BATCH_CHARACTERS, MEASURED = 16 * 1024 * 1024, 8
Row = TypeVar("Row")


def batched(rows: Iterable[Row], most: int, size: Callable[[Row], int]) -> Iterator[list[Row]]:
    """Yield lists of at most `most` rows (one at least) and some 16 million characters.

    One row in eight is measured, for all eight.
    """
    batch: list[Row] = []
    characters = 0
    for row in rows:
        batch.append(row)
        if len(batch) % MEASURED == 1:
            characters += size(row) * MEASURED
        if len(batch) >= most or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def storable(texts: Sequence[str | None]) -> pa.Array:
    """Return texts as Arrow holds them: what no text may have (halves of characters, NULs) is �."""
    try:
        found = pa.array(texts, pa.string())
    except UnicodeEncodeError:
        whole = [
            text and text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            for text in texts
        ]
        found = pa.array(whole, pa.string())
    return without_nul(found)


def without_nul(texts: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring(texts, "\0")).as_py():
        return pc.replace_substring(texts, "\0", "\ufffd")
    return texts


@dataclass
class ParsedTable:
    """A table as text, spaces around values gone. A context manager: owns a temporary folder."""

    names: list[str] = field(default_factory=list)  # unique, as in the file
    named: list[bool] = field(default_factory=list)  # False where the file names no column
    row_count: int = 0
    notes: RowNotes = field(default_factory=RowNotes)
    encoding: str = ""  # of text files
    encoding_confidence: float = 1.0
    delimiter: str = ""  # of text files
    sheet: str = ""  # of workbooks; of archives the member
    sheets: list[str] = field(default_factory=list)
    header_rows: tuple[int, ...] = ()  # as a spreadsheet program counts; empty: none
    coordinates: str = ""  # the coordinate system that the file names
    are_records: bool = False  # each row names its columns: none is a heading or a total
    folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def rows_path(self) -> Path:
        if self.folder is None:
            raise ValueError("the parsed table is closed")
        return Path(self.folder.name) / "rows.parquet"

    def open(self) -> Self:
        """Make the folder. Close it, whatever happens after."""
        self.folder = tempfile.TemporaryDirectory(prefix="xiangyun-table-")
        return self

    def close(self) -> None:
        if self.folder is not None:
            self.folder.cleanup()
            self.folder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()


class RowsWriter:
    """Writes the rows of a table: `_id` (1 to n), `_row` (the file's own number), c0, c1, …"""

    def __init__(self, table: ParsedTable) -> None:
        self._table = table
        self._schema = pa.schema(
            [("_id", pa.int64()), ("_row", pa.int64())]
            + [(f"c{number}", pa.string()) for number in range(len(table.names))]
        )
        # Read once, soon: a dictionary and statistics would cost more than they save.
        self._writer = pq.ParquetWriter(
            table.rows_path,
            self._schema,
            compression="lz4",
            use_dictionary=False,
            write_statistics=False,
        )

    def write(self, numbers: pa.Array, columns: Sequence[pa.Array]) -> None:
        """Append rows: their numbers in the file, and the texts of each column."""
        count = len(numbers)
        if not count:
            return
        first = self._table.row_count + 1
        ids = pa.arange(first, first + count)
        trimmed = [pc.utf8_trim(column, characters=SPACES) for column in columns]
        self._writer.write_batch(pa.record_batch([ids, numbers, *trimmed], schema=self._schema))
        self._table.row_count += count

    def close(self) -> None:
        self._writer.close()
