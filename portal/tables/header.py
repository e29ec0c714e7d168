"""Finding the header rows, and making usable names of what stands in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

SEARCHED_ROWS = 50
COMPARED_ROWS = 20
HEADER_ROWS_MAX = 5
MAX_NAME = 200
MAX_FIELD_NAME = 63
FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
NAME_SEPARATOR = "/"  # between the words of a merged header: 人口/男

Rows = Sequence[Sequence[str]]
Merge = tuple[int, int, int, int]  # first row, first column, last row, last column, from 0

_DATE = re.compile(r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?.*")
_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+%?")
_YEAR = re.compile(r"(19|20)\d\d")
_UNIT = re.compile(
    r"[（(]?(单位[:：]?\s*)?([%％‰℃]|°C|[百千万亿]{0,2}(元|美元|人|人次|户|个|家|处|所|座|台|辆|件|项|张|"
    r"平方米|平方公里|公里|千米|米|厘米|毫米|公顷|亩|吨|千克|公斤|克|升|立方米|千瓦时|千瓦|"
    r"天|小时|分钟|秒|年|岁|次|倍)(/[^/\s（）()]{1,6})?|[μmk]?g/m[³3]|mg/L|km²?|m[²³]|kWh?)[)）]?"
)
_ADDRESS = re.compile(r"(https?:/)?/\S+")


@dataclass(frozen=True)
class Header:
    """Rows `first` to `last` (from 0) hold the names; both -1 where the first row is data."""

    first: int
    last: int
    names: tuple[str, ...]


def find_header(rows: Rows, merges: Sequence[Merge] = ()) -> Header:
    """Return where the names stand among the first rows; rows above are titles."""
    index = find_header_row(rows)
    if index < 0:
        return Header(-1, -1, ())
    return header_at(rows, index, merges)


def header_at(rows: Rows, index: int, merges: Sequence[Merge] = ()) -> Header:
    """Return the header that has this row in it, with the rows that merged cells bind to it."""
    first, last = _merged_block(rows, index, merges) if merges else _blank_block(rows, index)
    names = _joined(rows, first, last, merges)
    if last + 2 < len(rows) and _are_units(rows[last + 1], names):
        last += 1
        names = _with_units(names, rows[last])
    return Header(first, last, names)


def _are_units(row: Sequence[str], names: Sequence[str]) -> bool:
    """Tell a row of units (万人, %) below the names; at least half of the table has one."""
    filled = [cell.strip() for cell in row if cell.strip()]
    return len(filled) * 2 >= len(names) and len(filled) > 1 and all(map(_UNIT.fullmatch, filled))


def _with_units(names: Sequence[str], units: Sequence[str]) -> tuple[str, ...]:
    bare = [_at(units, number).strip("（()）") for number in range(len(names))]
    return tuple(
        f"{name.strip()}（{unit}）" if unit and name.strip() else name
        for name, unit in zip(names, bare, strict=True)
    )


def find_header_row(rows: Rows) -> int:
    """Return the index of the row that fills the table's width first; -1 if it is data already.

    The width of the table is what at least two rows fill, so that one ragged row misleads nobody.
    """
    counts = [sum(1 for cell in row if cell.strip()) for row in rows]
    ordered = sorted(counts, reverse=True)
    width = ordered[1] if len(ordered) > 2 else ordered[0]
    least = 1 if width < 2 else max(2, round(width * 0.6))
    wide = (number for number, count in enumerate(counts[:SEARCHED_ROWS]) if count >= least)
    index = next(wide, next(number for number, count in enumerate(counts) if count))
    below = [row for row in rows[index + 1 : index + 1 + COMPARED_ROWS] if any(map(str.strip, row))]
    return -1 if _is_data(rows[index], below) else index


def _is_data(row: Sequence[str], below: Rows) -> bool:
    """Tell a row of data by what no name is (numbers, dates, addresses), if more rows are alike."""
    if is_sequence([cell.strip() for cell in row if _kind(cell) == "number"]):
        return False
    kinds = [_kind(cell) for cell in row]
    telling = [number for number, kind in enumerate(kinds) if kind in ("number", "date", "address")]
    filled = sum(1 for kind in kinds if kind)
    marked = any(kinds[number] != "number" for number in telling)
    if not telling or (not marked and len(telling) * 2 < filled):
        return False
    if not below:
        return True
    alike = [
        sum(1 for other in below if number < len(other) and _kind(other[number]) == kinds[number])
        for number in telling
    ]
    return sum(count * 2 >= len(below) for count in alike) * 2 >= len(telling)


def is_sequence(texts: Sequence[str]) -> bool:
    """Tell the days of a month or the hours of a day, which are names, from data."""
    values = [int(text) for text in texts if text.isascii() and text.isdigit()]
    steps = {after - before for before, after in pairwise(values)}
    return len(values) == len(texts) > 3 and len(steps) == 1 and 0 < min(steps) <= 10


def _kind(cell: str) -> str:
    text = cell.strip()
    if _DATE.fullmatch(text):
        return "date"
    if _NUMBER.fullmatch(text):
        return "year" if _YEAR.fullmatch(text) else "number"
    if _ADDRESS.fullmatch(text):
        return "address"
    return "text" if text else ""


def _merged_block(rows: Rows, index: int, merges: Sequence[Merge]) -> tuple[int, int]:
    """Widen the header by the merged cells of a workbook that begin or end in it."""
    width = max(len(row) for row in rows[: index + 1])
    first = last = index
    for top, left, bottom, right in merges:
        if top <= index < bottom and bottom - top < HEADER_ROWS_MAX:
            last = max(last, bottom)
        spans_part = left < right and right - left + 1 < width
        if top < index and bottom >= top and index - top < HEADER_ROWS_MAX and spans_part:
            first = min(first, top)
        if top < index <= bottom and right - left + 1 < width:
            first = min(first, top)
    return first, max(index, min(last, len(rows) - 2))


def _blank_block(rows: Rows, index: int) -> tuple[int, int]:
    """Widen the header where a second row fills just the cells that the first leaves blank."""
    row = rows[index]
    if index and _completes(rows[index - 1], row):
        return index - 1, index
    if index + 2 < len(rows) and _completes(row, rows[index + 1]):
        return index, index + 1
    return index, index


def _completes(upper: Sequence[str], lower: Sequence[str]) -> bool:
    """Tell whether two rows are one header: 地区,人口,, over ,男,女 — the lower begins blank."""
    width = max(_width(upper), _width(lower))
    above = [_at(upper, number) for number in range(width)]
    below = [_at(lower, number) for number in range(width)]
    if width < 3 or below[0] or not above[0] or sum(map(bool, above)) < 2:
        return False
    gaps = [number for number in range(width) if not above[number]]
    covered = all(above[number] or below[number] for number in range(width))
    words = all(_kind(cell) in ("text", "year", "") for cell in below)
    return bool(gaps) and covered and words


def _joined(rows: Rows, first: int, last: int, merges: Sequence[Merge]) -> tuple[str, ...]:
    width = max(len(rows[number]) for number in range(first, last + 1))
    if first == last:
        return tuple(rows[first])
    grid = [
        [_at(rows[number], column) for column in range(width)] for number in range(first, last + 1)
    ]
    if merges:
        _spread_merges(grid, first, merges)
    else:
        _spread_blanks(grid)
    return tuple(
        NAME_SEPARATOR.join(dict.fromkeys(row[column] for row in grid if row[column]))
        for column in range(width)
    )


def _spread_merges(grid: list[list[str]], first: int, merges: Sequence[Merge]) -> None:
    for top, left, bottom, right in merges:
        if first <= top < first + len(grid) and left < len(grid[0]):
            text = grid[top - first][left]
            for row in grid[top - first : bottom - first + 1]:
                for column in range(left, min(right + 1, len(row))):
                    row[column] = row[column] or text


def _spread_blanks(grid: list[list[str]]) -> None:
    """Without merged cells: a word stands for the blanks to its right that have a name below."""
    upper, lower = grid[0], grid[-1]
    for column in range(1, len(upper)):
        if not upper[column] and lower[column]:
            upper[column] = upper[column - 1]


def _at(row: Sequence[str], number: int) -> str:
    return " ".join(row[number].split()) if number < len(row) else ""


def _width(row: Sequence[str]) -> int:
    return max((number for number, cell in enumerate(row, 1) if cell.strip()), default=0)


def unique_names(cells: Sequence[str]) -> list[str]:
    """Return column names as in the file, on one line, unique; unnamed ones become 列<n>."""
    names: list[str] = []
    taken: set[str] = set()
    for number, cell in enumerate(cells, start=1):
        name = " ".join(_printable(cell).split())[:MAX_NAME] or f"列{number}"
        names.append(_numbered(name, taken, MAX_NAME))
        taken.add(names[-1].casefold())
    return names


def field_names(names: Sequence[str]) -> list[str]:
    """Return a unique `[a-z][a-z0-9_]{0,62}` for each column name: pinyin for Chinese."""
    made: list[str] = []
    for number, name in enumerate(names, start=1):
        made.append(_numbered(_snake(name) or f"col_{number}", set(made), MAX_FIELD_NAME))
    return made


def _snake(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    # Imported here: its dictionary takes 50 MB, which web processes seldom need.
    from pypinyin import lazy_pinyin

    words = "_".join(lazy_pinyin(spaced, errors=lambda text: re.sub(r"[^0-9A-Za-z]+", "_", text)))
    plain = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    if plain and not plain[0].isalpha():
        plain = f"c_{plain}"
    return plain[:MAX_FIELD_NAME].rstrip("_")


def _numbered(name: str, taken: Collection[str], longest: int) -> str:
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        suffix = f"_{number}"
        candidate = name[: longest - len(suffix)].rstrip("_") + suffix
    return candidate


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
