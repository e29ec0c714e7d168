"""From the words that people and other catalogues use to the codes of our lists."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from harvesters.record import Codes

DATA = Path(__file__).parent / "data"


@cache
def data_rows(name: str) -> tuple[Mapping[str, str], ...]:
    """Return the rows of `harvesters/data/NAME.csv`."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def plain_word(text: str) -> str:
    """Return a word without the differences that mean nothing: width, case, spaces."""
    return "".join(unicodedata.normalize("NFKC", text).split()).lower()


class CodeBook:
    """The lists handed in, the fixed ones of the Measures, and the usual other words for both."""

    def __init__(self, codes: Codes) -> None:
        fixed: dict[str, dict[str, str]] = {}
        for row in data_rows("fixed_codes"):
            fixed.setdefault(row["list"], {})[row["code"]] = row["name"]
        self._lists: dict[str, Mapping[str, str]] = {**fixed, **codes}
        self._words = {name: _words(name, entries) for name, entries in self._lists.items()}

    def names(self, list_name: str) -> tuple[str, ...]:
        """Return the Chinese names of a list, in its order."""
        return tuple(self._lists.get(list_name, {}).values())

    def name(self, list_name: str, code: str) -> str:
        return self._lists.get(list_name, {}).get(code, code)

    def find(self, list_name: str, text: str) -> str | None:
        """Return the code that a code, a Chinese name or a usual synonym stands for.

        A name that stands for two codes (two districts of one name) stands for none.
        """
        return self._words.get(list_name, {}).get(plain_word(text))


def _words(list_name: str, entries: Mapping[str, str]) -> dict[str, str]:
    words: dict[str, str | None] = {}
    for code, name in entries.items():
        for word in _names_of(list_name, name):
            known = words.setdefault(plain_word(word), code)
            if known != code:
                words[plain_word(word)] = None
    for row in data_rows("code_synonyms"):
        if row["list"] == list_name and row["code"] in entries:
            words.setdefault(plain_word(row["synonym"]), row["code"])
    words.update({plain_word(code): code for code in entries})
    return {word: code for word, code in words.items() if code is not None}


def _names_of(list_name: str, name: str) -> Iterable[str]:
    yield name
    if list_name == "departments" and name.startswith("吉林省"):
        yield "省" + name.removeprefix("吉林省")
