"""Which column of a sheet holds which field: the header row is found, its words looked up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from harvesters.codes import data_rows, plain_word
from harvesters.open_list.sheet import Sheet

HEADER_WITHIN = 20
_NOTE = re.compile(r"[(（【\[].*?[)）】\]]|[*＊:：]")


@dataclass(frozen=True)
class Column:
    """`field` is empty where the heading means nothing to us; such cells stay in `foreign`."""

    index: int
    heading: str
    field: str


@dataclass(frozen=True)
class Table:
    """The part of a sheet under its header; `rows` are (line number from 1, cells)."""

    sheet_name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[int, Sequence[str]], ...]

    def has(self, field: str) -> bool:
        return any(column.field == field for column in self.columns)


@cache
def headings(kind: str) -> Mapping[str, str]:
    """Return {field: the heading that our template gives it} for "list" or "items"."""
    first: dict[str, str] = {}
    for row in data_rows("open_list_columns"):
        if row["sheet"] == kind:
            first.setdefault(row["field"], row["heading"])
    return first


@cache
def _fields_by_word(kind: str) -> Mapping[str, str]:
    rows = (row for row in data_rows("open_list_columns") if row["sheet"] == kind)
    return {plain_word(row["heading"]): row["field"] for row in rows}


def field_of(kind: str, heading: str) -> str:
    """Return the field a heading means, "" if none; notes in brackets and asterisks are ignored."""
    words = _fields_by_word(kind)
    return words.get(plain_word(heading)) or words.get(plain_word(_NOTE.sub("", heading)), "")


def find_table(sheet: Sheet, kind: str) -> Table | None:
    """Return the table of that kind, or None: its header is the line with most known headings."""
    lines = list(enumerate(sheet.rows[:HEADER_WITHIN]))
    candidates = [(len(_known(kind, cells)), -at) for at, cells in lines]
    if not candidates:
        return None
    best, at = max(candidates)
    header = sheet.rows[-at]
    if best < 2 or not _is_header(kind, _known(kind, header)):
        return None
    first = -at + 1
    if first < len(sheet.rows) and _is_second_line(kind, header, sheet.rows[first]):
        header = _joined(header, sheet.rows[first])
        first += 1
    rows = tuple(enumerate(sheet.rows[first:], first + 1))
    return Table(sheet.name, tuple(_columns(kind, header)), rows)


def _is_second_line(kind: str, header: Sequence[str], line: Sequence[str]) -> bool:
    """Say whether a line parts some headings above it, and says nothing but headings."""
    filled = [cell for cell in line if cell]
    if not filled or not all(field_of(kind, cell) for cell in filled):
        return False
    below = {at for at, cell in enumerate(line) if cell}
    titles = {at for at, cell in enumerate(header) if field_of(kind, cell) in ("title", "name")}
    return not below & titles


def _joined(header: Sequence[str], line: Sequence[str]) -> list[str]:
    width = max(len(header), len(line))
    upper, lower = ([*row, *[""] * (width - len(row))] for row in (header, line))
    return [below or above for above, below in zip(upper, lower, strict=True)]


def _known(kind: str, cells: Sequence[str]) -> frozenset[str]:
    return frozenset(filter(None, (field_of(kind, cell) for cell in cells)))


def _is_header(kind: str, known: frozenset[str]) -> bool:
    if kind == "list":
        return "title" in known
    about_fields = {"field_name", "data_type", "length", "order", "description"}
    return "name" in known and bool(known & {"title", "code"}) and bool(known & about_fields)


def _columns(kind: str, header: Sequence[str]) -> Iterator[Column]:
    """Of two columns for one field the first counts, the other is kept as foreign."""
    used: set[str] = set()
    for index, heading in enumerate(header):
        field = field_of(kind, heading)
        if field in used:
            field = ""
        used.add(field)
        if heading:
            yield Column(index, heading, field)
