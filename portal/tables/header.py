"""Finding the header row, and making usable names of what stands in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from portal.errors import Invalid

SEARCHED_ROWS = 50
MAX_NAME = 200
MAX_FIELD_NAME = 63
FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

_DATE = re.compile(r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?.*")
_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+%?")
_YEAR = re.compile(r"(19|20)\d\d")


def find_header(rows: Sequence[Sequence[str]]) -> int:
    """Return the index of the header row among the first rows; those above it are titles.

    The width of the table is what at least two rows fill, so that one ragged row misleads nobody.

    Raises:
        Invalid: the row where names should stand holds data.
    """
    counts = [sum(1 for cell in row if cell.strip()) for row in rows]
    ordered = sorted(counts, reverse=True)
    width = ordered[1] if len(ordered) > 2 else ordered[0]
    least = 1 if width < 2 else max(2, round(width * 0.6))
    wide = (number for number, count in enumerate(counts[:SEARCHED_ROWS]) if count >= least)
    index = next(wide, next(number for number, count in enumerate(counts) if count))
    if _looks_like_data(rows[index]):
        raise Invalid.one(
            f"第 {index + 1} 行",
            "no_header",
            "没有找到表头：第 {row} 行（{text}）像是数据。请在数据上方加一行列名后重新上传。",
            row=index + 1,
            text="，".join(cell.strip() for cell in rows[index] if cell.strip())[:60],
        )
    return index


def _looks_like_data(row: Sequence[str]) -> bool:
    cells = [cell.strip() for cell in row if cell.strip()]
    numbers = [cell for cell in cells if _NUMBER.fullmatch(cell) and not _YEAR.fullmatch(cell)]
    return any(map(_DATE.fullmatch, cells)) or len(numbers) * 2 >= len(cells)


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
