"""The code lists (themes, regions, departments, …), read once from package data."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "codes"


@dataclass(frozen=True)
class Code:
    """One row of a list; `row` holds every column of the file as text."""

    code: str
    name: str
    name_en: str
    row: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.row[column]

    def is_yes(self, column: str) -> bool:
        return self.row[column] == "yes"


class CodeList:
    """A list in file order, looked up by code or by any Chinese name a person may type."""

    def __init__(self, name: str, rows: list[dict[str, str]]) -> None:
        self.name = name
        key = next(iter(rows[0]))
        self._codes = {
            row[key]: Code(row[key], row.get("name", ""), row.get("name_en", ""), row)
            for row in rows
        }
        self._order = {code: n for n, code in enumerate(self._codes, 1)}

    def __contains__(self, code: object) -> bool:
        return code in self._codes

    def __iter__(self) -> Iterator[Code]:
        return iter(self._codes.values())

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, code: str) -> Code:
        return self._codes[code]

    def find(self, code: str) -> Code | None:
        return self._codes.get(code)

    def label(self, code: str, language: str = "zh") -> str:
        """Return the name for people; the code itself when the list does not know it."""
        found = self._codes.get(code)
        if found is None:
            return code
        return found.name_en if language == "en" and found.name_en else found.name

    def position(self, code: str) -> int:
        """Return the place in the list, from 1."""
        return self._order[code]

    def names(self, language: str = "zh") -> dict[str, str]:
        return {code.code: self.label(code.code, language) for code in self}


@cache
def code_list(name: str) -> CodeList:
    """Return the list of `portal/data/codes/NAME.csv`."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return CodeList(name, list(csv.DictReader(file)))


def all_code_names() -> dict[str, dict[str, str]]:
    """Return {list name: {code: name}} of every list with names, for the importers."""
    lists = (code_list(path.stem) for path in sorted(FOLDER.glob("*.csv")))
    return {codes.name: codes.names() for codes in lists if codes.name != "calendar_days"}


def region_and_ancestors(code: str) -> tuple[str, ...]:
    """Return the region and everything above it, the region first."""
    regions = code_list("regions")
    found: list[str] = []
    while code and code in regions and code not in found:
        found.append(code)
        code = regions[code]["parent_code"]
    return tuple(found)
