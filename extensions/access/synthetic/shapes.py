"""The shape of texts: digits, letters and Chinese characters by class, all else as it stands.

`JL-0123` and `CC-9876` both have the shape `AA-9999`; a text filled in from a shape has nothing of
the texts that the shape was taken from but its signs and its length.
"""

from __future__ import annotations

import re
from random import Random

DIGIT, UPPER, LOWER, CHINESE = "9", "A", "a", "汉"
LONGEST = 40
_CLASSES = (("[0-9]", DIGIT), ("[A-Z]", UPPER), ("[a-z]", LOWER), ("[\u3400-\u9fff]", CHINESE))
PLACE_CHARACTERS = "东西南北中新安平和兴福吉松江山河林园华光明春阳泰康乐文昌盛永顺祥瑞"


def shape_sql(column: str) -> str:
    """Return SQL that gives the shape of a text column."""
    expression = column
    for pattern, mark in _CLASSES:
        expression = f"regexp_replace({expression}, '{pattern}', '{mark}', 'g')"
    return expression


def shape_of(text: str) -> str:
    for pattern, mark in _CLASSES:
        text = re.sub(pattern, mark, text)
    return text[:LONGEST]


def fill(shape: str, random: Random, prefix: str = "") -> str:
    """Return a text of this shape that begins with `prefix`."""
    rest = shape[len(prefix) :]
    return prefix + "".join(_character(mark, random) for mark in rest)


def _character(mark: str, random: Random) -> str:
    if mark == DIGIT:
        return str(random.randrange(10))
    if mark == UPPER:
        return chr(ord("A") + random.randrange(26))
    if mark == LOWER:
        return chr(ord("a") + random.randrange(26))
    return random.choice(PLACE_CHARACTERS) if mark == CHINESE else mark


def free_places(shape: str, prefix: str) -> int:
    """Return about how many texts fill the shape behind the prefix."""
    ways = {DIGIT: 10, UPPER: 26, LOWER: 26, CHINESE: len(PLACE_CHARACTERS)}
    total = 1
    for mark in shape[len(prefix) :]:
        total *= ways.get(mark, 1)
    return total
