"""Which field a column without a heading may hold, by what stands in its cells. Pure.

A guess is shown to a person, who confirms it; nothing is read by it alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from harvesters.codes import CodeBook
from harvesters.open_list.cells import as_date, split
from harvesters.open_list.faults import CellFault

_ENOUGH = 0.7
_TITLE_LENGTHS = range(4, 41)
_CODED = (
    ("open_type", "open_types"),
    ("update_frequency", "update_frequency"),
    ("share_type", "share_types"),
    ("theme", "themes"),
    ("region", "regions"),
    ("resource_class", "resource_classes"),
    ("security_level", "security_levels"),
)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_PHONE = re.compile(r"(\+?86[- ]?)?(0\d{2,3}[- ]?)?\d{7,11}")
_AGENCY = re.compile(r".{2,30}(厅|局|委|委员会|办|办公室|中心|政府|院|处|队|馆|集团|公司|学校)")


def guess_by_cells(
    header: Sequence[str], rows: Sequence[Sequence[str]], book: CodeBook
) -> Mapping[str, str]:
    """Return heading -> field for columns of which most filled cells say what they are."""
    columns = [_filled(rows, at) for at in range(len(header))]
    guess: dict[str, str] = {}
    for field, fits in _tests(book):
        for heading, cells in zip(header, columns, strict=True):
            if heading not in guess and cells and _share(cells, fits) >= _ENOUGH:
                guess[heading] = field
                break
    title = _title(header, columns, guess)
    if title:
        guess[title] = "title"
    return guess


def _filled(rows: Sequence[Sequence[str]], at: int) -> list[str]:
    return [row[at] for row in rows if at < len(row) and row[at]]


def _share(cells: Sequence[str], fits: Callable[[str], bool]) -> float:
    return sum(map(fits, cells)) / len(cells)


def _tests(book: CodeBook) -> list[tuple[str, Callable[[str], bool]]]:
    def is_of(codes: str) -> Callable[[str], bool]:
        # A mere number may be a place in the list as well as a code.
        return lambda cell: not cell.isdigit() and book.find(codes, cell) is not None

    def are_formats(cell: str) -> bool:
        return all(book.find("formats", part) for part in split(cell))

    return [
        *((field, is_of(codes)) for field, codes in _CODED),
        ("format", are_formats),
        ("file_urls", lambda cell: cell.startswith(("http://", "https://"))),
        ("contact_email", lambda cell: _MAIL.fullmatch(cell) is not None),
        ("issued", _is_date),
        ("contact_phone", lambda cell: _PHONE.fullmatch(cell) is not None),
        ("provider_name", lambda cell: _AGENCY.fullmatch(cell) is not None),
    ]


def _is_date(cell: str) -> bool:
    try:
        as_date(cell, _NO_CODES)
    except CellFault:
        return False
    return not cell.isdigit() or len(cell) == 8


_NO_CODES = CodeBook({})


def _title(
    header: Sequence[str], columns: Sequence[Sequence[str]], guess: Mapping[str, str]
) -> str:
    """Return the column with the most different texts of a title's length."""

    def likeness(at: int) -> int:
        fitting = {c for c in columns[at] if len(c) in _TITLE_LENGTHS and not c.isascii()}
        return len(fitting) if len(fitting) * 2 > len(columns[at]) else 0

    free = [at for at, heading in enumerate(header) if heading not in guess]
    best = max(free, key=likeness, default=None)
    return header[best] if best is not None and likeness(best) else ""
