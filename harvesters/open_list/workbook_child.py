"""A workbook read in a process of its own, which ends when the file unfolds beyond its memory.

A spreadsheet of a few megabytes may unfold into gigabytes (one long text named by a million
cells), inside a library that knows no bounds. So this file is run as a program, alone, with a
limit on its memory and its time: the file at standard input, one JSON line a row at standard
output, a line {"sheet": name, "hidden": …} before each sheet. It imports nothing of the portal.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from datetime import date, datetime, time, timedelta
from typing import Any

MEMORY_BYTES = 192_000_000
CPU_SECONDS = 60
TOO_LARGE, BROKEN = 3, 4
LOSSY = "（数字已失真）"
"""Ends a number of more digits than a spreadsheet keeps: an identifier that was not text."""


def main(max_rows: int, max_columns: int, max_cells: int) -> int:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from python_calamine import (
        CalamineError,
        CalamineWorkbook,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    try:
        data = io.BytesIO(sys.stdin.buffer.read())
        with CalamineWorkbook.from_filelike(data) as book:
            sheets = [s for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
            for name, visible in ((s.name, s.visible) for s in sheets):
                sheet = book.get_sheet_by_name(name)
                height, width = sheet.total_height, sheet.total_width
                if height > max_rows or width > max_columns or height * width > max_cells:
                    _write({"too_large": name})
                    return TOO_LARGE
                max_cells -= height * width
                _write_sheet(name, sheet, hidden=visible != SheetVisibleEnum.Visible)
    except MemoryError:
        return TOO_LARGE
    except (CalamineError, OSError, ValueError):
        return BROKEN
    return 0


def _write_sheet(name: str, sheet: Any, *, hidden: bool) -> None:
    _write({"sheet": name, "hidden": hidden})
    rows = [[text_of(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if left == right and bottom < len(rows):
            for row in rows[top + 1 : bottom + 1]:  # one provider merged over its data sets
                row[left] = rows[top][left]
    for row in rows:
        _write(row)


def text_of(cell: Any) -> str:
    """Return a cell as stripped text: whole numbers without a point, dates as 2026-03-12."""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return f"{int(cell)}" + (LOSSY if abs(cell) >= 1e15 else "")
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", "seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell).strip()


def _write(value: Any) -> None:
    sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    sys.stdout.buffer.write(b"\n")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:4])))
