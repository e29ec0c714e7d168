"""Words that mean the same, from `search/data/synonyms.csv`; edit the file, nothing is re-indexed.

`same`: each term of the row stands for each other. `toward`: the first term also finds the others
(看病 finds 医院), not the other way round.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files

from search.analysis import normalise

_MOST = 6  # further words for one word of a query


def read_synonyms(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return term → its synonyms, normalised, from the lines of the CSV file.

    Raises:
        ValueError: a row has fewer than two terms or an unknown kind; the row is named.
    """
    found: dict[str, dict[str, None]] = {}
    for number, row in enumerate(csv.DictReader(lines), start=2):
        terms = [normalise(term).strip() for term in (row["terms"] or "").split("、")]
        if len(terms) < 2 or not all(terms) or row["kind"] not in ("same", "toward"):
            raise ValueError(f"synonyms.csv row {number}: two terms or more, kind same or toward")
        for term in terms if row["kind"] == "same" else terms[:1]:
            others = found.setdefault(term, {})
            others.update(dict.fromkeys(other for other in terms if other != term))
    return {term: tuple(others)[:_MOST] for term, others in found.items()}


@lru_cache(maxsize=1)
def synonyms() -> Mapping[str, tuple[str, ...]]:
    text = files("search").joinpath("data/synonyms.csv").read_text(encoding="utf-8")
    return read_synonyms(text.splitlines())


@lru_cache(maxsize=1)
def longest_synonym() -> int:
    return max(map(len, synonyms()), default=0)
