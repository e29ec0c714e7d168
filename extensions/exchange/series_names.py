"""What titles say of a series: the part that all share, and the year or region that differs. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from portal.codes import code_list

YEAR, REGION, OTHER = "year", "region", "other"
CUTS = {YEAR: "年份", REGION: "地区", OTHER: "其他"}
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)\s*(?:年度?)?")
_EDGES = " 　-—_·、，,（）()【】[]：:"


@dataclass(frozen=True)
class Cut:
    """`stem`: the title without what differs, `part`: the longer piece of it, as the title has it;
    `order`: what the labels are sorted by."""

    stem: str
    part: str
    cut_by: str
    label: str
    order: str


def cut_of(title: str) -> Cut | None:
    """Return what a title says of its place in a series; None when it names no year and no region."""
    year = _YEAR.search(title)
    if year:
        return _cut(title[: year.start()], title[year.end() :], YEAR, f"{year[1]}年", year[1])
    for name, code in _regions():
        if name in title:
            before, _, after = title.partition(name)
            return _cut(before, after, REGION, name, code)
    return None


def _cut(before: str, after: str, cut_by: str, label: str, order: str) -> Cut:
    return Cut((before + after).strip(_EDGES), max(before, after, key=len), cut_by, label, order)


@cache
def _regions() -> tuple[tuple[str, str], ...]:
    """Return (name, code), the longest names first, so that no name hides in another."""
    found = [(one.name, one.code) for one in code_list("regions")]
    return tuple(sorted(found, key=lambda one: (-len(one[0]), one[1])))
