"""Cursors of a walk: after which id to go on, and how strictly the words were taken."""

from __future__ import annotations

import re
from dataclasses import dataclass

from search.engine import SearchRefused
from search.query import STRICTNESS

_CURSOR = re.compile(r"(\d)\.(-?\d{1,18})")


@dataclass(frozen=True)
class Cursor:
    """`loosely`: entries that hold some of the words are walked too (see `SearchQuery.loose`)."""

    strictness: int
    last_id: int
    loosely: bool = False

    def __str__(self) -> str:
        return f"{self.strictness + STRICTNESS * self.loosely}.{self.last_id}"


def read_cursor(text: str) -> Cursor:
    """Return the cursor of a page's `next_cursor`.

    Raises:
        SearchRefused: the text was not given out as a cursor.
    """
    match = _CURSOR.fullmatch(text)
    # The least strict reading has none below it.
    if match is None or int(match[1]) >= 2 * STRICTNESS - 1:
        raise SearchRefused("unknown cursor; begin the walk with an empty one")
    loosely, strictness = divmod(int(match[1]), STRICTNESS)
    return Cursor(strictness, int(match[2]), bool(loosely))
