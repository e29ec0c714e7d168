"""Titles that differ in year or place only. Pure."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from portal.codes import code_list

_YEARS = re.compile(
    r"(?:19|20)\d{2}(?:[-—～~至]+(?:19|20)?\d{2,4})?(?:年度|年)?(?:\d{1,2}月(?:份)?|第?[一二三四1-4]季度|上半年|下半年)?"
    r"|\d{1,2}月(?:份)?"
)
_NOISE = re.compile(r"[\s（）()〔〕\[\]【】“”\"《》、，,。·_-]+")


@cache
def _places() -> re.Pattern[str]:
    """Names of the province's divisions, with and without their last word."""
    names = {region.name for region in code_list("regions")}
    short = {re.sub(r"(自治州|自治县|市|县|区)$", "", name) for name in names}
    every = sorted((n for n in names | short if len(n) > 1), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, every)) + "|[全本](?:省|市|县|区)")


@lru_cache(maxsize=50_000)
def title_stem(title: str) -> str:
    """Return what is left of a title without years, months, places and brackets."""
    return _NOISE.sub("", _places().sub("", _YEARS.sub("", title)))
