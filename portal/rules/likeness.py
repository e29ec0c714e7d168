"""When two entries are probably about the same data (一数一源; Measures, art. 16). Pure.

Compared are the titles, pair by pair of characters, and the names of the information items. Two
entries of one series, whose titles differ in years, numbers or places alone, are other data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

SAME_TITLE, LIKE_TITLE, LIKE_ITEMS = "same_title", "like_title", "like_items"
TITLE_EQUAL, TITLE_NEARLY, TITLE_ALIKE, TITLE_FAINTLY = 0.95, 0.82, 0.6, 0.2
ITEMS_FAINTLY, ITEMS_ALIKE, ITEMS_NEARLY, ITEMS_EQUAL = 0.2, 0.5, 0.75, 0.9
FEWEST_ITEMS = 4
_NUMBERS = re.compile(r"\d+|[一二三四五六七八九十]+(?=季度|月|号|期|批)|上半年|下半年")
_NOISE = re.compile(r"[\W_]+")
_FILLER = re.compile(r"(数据集?|信息|情况|清单|名录|名单|目录|明细|一览)(表)?$")
_WHOLE = re.compile(r"^(吉林省|全省|我省|本省|省级)")
_COMMON = frozenset({"序号", "编号", "备注", "更新时间", "更新日期", "数据来源", "id", "名称"})
"""Names of items that stand in any table and say nothing of what it is about."""


@dataclass(frozen=True)
class Sketch:
    """What is compared of an entry. `places`: the names of regions in its title."""

    title: str
    items: tuple[str, ...]
    places: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Likeness:
    """`title` and `items` from 0 to 1; `why`: SAME_TITLE, LIKE_TITLE or LIKE_ITEMS.

    `shared` are the items' names that both have, as the first entry writes them.
    """

    why: str
    title: float
    items: float
    shared: tuple[str, ...]


def likeness(one: Sketch, other: Sketch) -> Likeness | None:
    """Return in what the two are alike; None if they are probably not the same data."""
    shared, items = _shared_items(one.items, other.items)
    if plain(one.title) == plain(other.title):
        return Likeness(SAME_TITLE, 1.0, items, shared)
    if _numbers(one.title) != _numbers(other.title) or one.places != other.places:
        return None
    title = title_likeness(one.title, other.title)
    no_items = not one.items or not other.items
    if (
        title >= TITLE_EQUAL
        or (title >= TITLE_NEARLY and (no_items or items >= ITEMS_FAINTLY))
        or (title >= TITLE_ALIKE and items >= ITEMS_ALIKE)
    ):
        return Likeness(LIKE_TITLE, title, items, shared)
    near = items >= ITEMS_EQUAL or (items >= ITEMS_NEARLY and title >= TITLE_FAINTLY)
    if near and len(shared) >= FEWEST_ITEMS:
        return Likeness(LIKE_ITEMS, title, items, shared)
    return None


def title_likeness(one: str, other: str) -> float:
    """Return how many pairs of characters the titles share (Dice), from 0 to 1."""
    first, second = _pairs(_core(one)), _pairs(_core(other))
    if not first or not second:
        return 0.0
    return 2 * len(first & second) / (len(first) + len(second))


def plain(text: str) -> str:
    """Return the text without spaces and punctuation, in small letters."""
    return _NOISE.sub("", text).lower()


def _core(title: str) -> str:
    """Leave out what any title may have: 吉林省 before it, 信息, 数据, 名录 after it."""
    text = _WHOLE.sub("", plain(title))
    return _FILLER.sub("", text) or text


def _pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)} or ({text} if text else set())


def _numbers(title: str) -> tuple[str, ...]:
    return tuple(_NUMBERS.findall(title))


def _shared_items(one: Sequence[str], other: Sequence[str]) -> tuple[tuple[str, ...], float]:
    """Return the names that both have, and their part of all names that tell something."""
    first = {plain(name): name for name in one if plain(name) not in _COMMON}
    second = {plain(name) for name in other} - _COMMON
    shared = tuple(name for key, name in first.items() if key in second)
    whole = len(first.keys() | second)
    return shared, len(shared) / whole if whole else 0.0
