"""Reading a table file: one header, the rows under it as text, and notes on odd rows.

Nothing is typed here. The rows go to a temporary Parquet file of text columns `c0, c1, …`, with
`_id` (1 to n, the order of the file) and `_row` (the number a spreadsheet program shows).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from portal.errors import Invalid
from portal.tables.header import find_header, unique_names
from portal.tables.limits import DEFAULT_LIMITS, MIB, ReadLimits
from portal.tables.row_notes import RowNotes
from portal.tables.text_rows import TextRows, choose_encoding
from portal.tables.workbook_guard import OLE_SIGNATURE, ZIP_SIGNATURE
from portal.tables.workbook_rows import WorkbookRows

HEADER_SAMPLE_ROWS = 200
BATCH_CELLS = 40_000
WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".et")

NumberedRow = tuple[int, list[str]]

_FOOTNOTE = re.compile(
    r"[（(]?(注|备注|说明|附注|数据来源|资料来源|来源|填报|填表|制表|审核)[^:：]{0,6}[:：].*", re.S
)
_ODD_INITIALS = frozenset("（(注备说附数资来填制审合总小共")  # of footnotes and totals
_TOTALS = frozenset({"合计", "总计", "小计", "共计", "总 计", "合 计"})


@dataclass
class ParsedTable:
    """A table as text. Use as a context manager: it owns a temporary folder."""

    names: list[str]  # unique, as in the file
    named: list[bool]  # False where the file has no name for the column
    row_count: int
    notes: RowNotes
    encoding: str = ""  # of text files
    encoding_confidence: float = 1.0
    delimiter: str = ""  # of text files
    sheet: str = ""  # of workbooks
    sheets: list[str] = field(default_factory=list)
    folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def rows_path(self) -> Path:
        if self.folder is None:
            raise ValueError("the parsed table is closed")
        return Path(self.folder.name) / "rows.parquet"

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


def read_table(
    path: Path | str,
    *,
    filename: str,
    encoding: str | None = None,
    sheet: str | None = None,
    has_header: bool = True,
    limits: ReadLimits = DEFAULT_LIMITS,
) -> ParsedTable:
    """Read CSV, TSV, XLSX or XLS by what the file holds, not by what its name claims.

    Args:
        filename: the uploader's name for it; its ending only settles ties and words messages.
        encoding: overrides detection for text files.
        sheet: of a workbook; without it the first visible sheet that holds anything.
        has_header: False names the columns 列1, 列2, … and takes every row as data.

    Raises:
        Invalid: the file is empty, too large, no table, or broken; the message says where.
    """
    path = Path(path)
    size = path.stat().st_size
    if size == 0:
        raise Invalid.one("file", "empty_file", "文件是空的（0 字节）。请检查导出结果后重新上传。")
    with path.open("rb") as file:
        head = file.read(512)
    if _is_workbook(head, filename):
        notes = RowNotes()
        book = WorkbookRows(path, sheet, limits, notes)
        table = _collect(iter(book), notes, has_header, limits)
        table.sheet, table.sheets = book.sheet, book.sheets
        return table
    if size > limits.text_bytes:
        raise Invalid.one(
            "file",
            "too_large",
            "文件过大：{found} MB，最多 {allowed} MB。请拆分后上传。",
            found=size // MIB,
            allowed=limits.text_bytes // MIB,
        )
    guess = choose_encoding(path, encoding)
    text = TextRows(path, filename, guess.name, limits)
    table = _collect(iter(text), RowNotes(), has_header, limits)
    table.encoding, table.encoding_confidence = guess.name, guess.confidence
    table.delimiter = text.delimiter
    return table


def _is_workbook(head: bytes, filename: str) -> bool:
    """Tell by the first bytes. Raises Invalid where name and content contradict each other."""
    packed = head.startswith((ZIP_SIGNATURE, OLE_SIGNATURE))
    named = filename.lower().endswith(WORKBOOK_SUFFIXES)
    if packed and not named:
        raise Invalid.one(
            "file",
            "binary_content",
            "文件“{filename}”的内容不是文本，而是 Excel 工作簿或压缩包。"
            "若是工作簿，请把扩展名改为 .xlsx 或 .xls 后重新上传；压缩包请先解压。",
            filename=filename[:80],
        )
    if named and not packed:
        is_page = re.match(rb"\s*(\xef\xbb\xbf)?\s*<", head) is not None
        raise Invalid.one(
            "file",
            "workbook_unreadable",
            "文件“{filename}”其实是{kind}，不是 Excel 工作簿。请用 Excel 打开并另存为 .xlsx 后重新上传。",
            filename=filename[:80],
            kind="网页或 XML" if is_page else "文本或其他格式",
        )
    return packed


def _collect(
    rows: Iterator[NumberedRow], notes: RowNotes, has_header: bool, limits: ReadLimits
) -> ParsedTable:
    sample = list(islice(rows, HEADER_SAMPLE_ROWS))
    if not any(cell.strip() for _, cells in sample for cell in cells):
        raise Invalid.one("file", "no_rows", "文件里没有任何内容。请填写表头和数据后重新上传。")
    header = find_header([cells for _, cells in sample]) if has_header else -1
    for row, cells in sample[: max(header, 0)]:
        notes.add(row, "title" if any(cell.strip() for cell in cells) else "blank", cells)
    names = _header_cells(sample, header)
    if len(names) > limits.columns:
        raise Invalid.one(
            "file",
            "too_many_columns",
            "表格有 {found} 列，最多 {allowed} 列。请检查分隔符或拆分表格。",
            found=len(names),
            allowed=limits.columns,
        )
    table = ParsedTable(unique_names(names), [bool(name.strip()) for name in names], 0, notes)
    table.folder = tempfile.TemporaryDirectory(prefix="xiangyun-table-")
    try:
        _write(table, chain(sample[header + 1 :], rows), names)
        if not table.row_count:
            raise Invalid.one("file", "no_rows", "表头之下没有数据行。请填写数据后重新上传。")
    except BaseException:
        table.close()
        raise
    return table


def _header_cells(sample: Sequence[NumberedRow], header: int) -> list[str]:
    if header < 0:
        return [""] * max(len(cells) for _, cells in sample)
    cells = list(sample[header][1])
    while cells and not cells[-1].strip():
        cells.pop()
    widest = max((_filled(row) for _, row in sample[header + 1 :]), default=0)
    common = sorted(_filled(row) for _, row in sample[header + 1 :])
    usual = common[len(common) // 2] if common else widest
    return cells + [""] * (usual - len(cells))  # data under unnamed columns, not a ragged row


def _filled(cells: Sequence[str]) -> int:
    """Return how many cells there are up to the last one that holds something."""
    for count in range(len(cells), 0, -1):
        if cells[count - 1].strip():
            return count
    return 0


def _write(table: ParsedTable, rows: Iterator[NumberedRow], header: list[str]) -> None:
    width = len(header)
    schema = pa.schema(
        [("_id", pa.int64()), ("_row", pa.int64())]
        + [(f"c{number}", pa.string()) for number in range(width)]
    )
    batch_rows = max(1, BATCH_CELLS // width)
    kept = _kept_rows(table.notes, rows, [cell.strip() for cell in header])
    with pq.ParquetWriter(table.rows_path, schema, compression="lz4") as writer:
        while batch := list(islice(kept, batch_rows)):
            numbers, cells = zip(*batch, strict=True)
            ids = range(table.row_count + 1, table.row_count + len(batch) + 1)
            arrays = [pa.array(ids, pa.int64()), pa.array(numbers, pa.int64())]
            arrays += [pa.array(column, pa.string()) for column in zip(*cells, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            table.row_count += len(batch)


def _kept_rows(
    notes: RowNotes, rows: Iterator[NumberedRow], header: list[str]
) -> Iterator[tuple[int, list[str | None]]]:
    """Pass on the rows that are data, each exactly as wide as the header; note the others."""
    width = len(header)
    for row, cells in rows:
        if len(cells) == width and _is_plainly_data(cells[0], header[0]):
            yield row, cells  # type: ignore[misc]  # a list of str serves as one of str | None
            continue
        kind = _kind(cells, header)
        if kind:
            notes.add(row, kind, cells)
        if len(cells) > width:
            if kind == "long":
                continue
            cells = cells[:width]
        if kind in (None, "total", "short"):
            missing: list[str | None] = [None] * (width - len(cells))
            yield row, [*cells, *missing]


def _is_plainly_data(first: str, header: str) -> bool:
    """Tell by the first cell that nothing is odd about a row: a million rows go this way."""
    first = first.strip()
    return bool(first) and first[0] not in _ODD_INITIALS and first != header


def _kind(cells: Sequence[str], header: Sequence[str]) -> str | None:
    width = len(header)
    first = cells[0].strip() if cells else ""
    if not first and not "".join(cells).strip():
        return "blank"
    if len(cells) > width and _filled(cells) > width:
        return "long"
    if first == header[0] and [cell.strip() for cell in cells[:width]] == header:
        return "repeated_header"
    if first and width > 1 and _FOOTNOTE.fullmatch(first) and not "".join(cells[1:]).strip():
        return "footnote"
    if first in _TOTALS or (not first and len(cells) > 1 and cells[1].strip() in _TOTALS):
        return "total"
    return "short" if len(cells) < width else None
