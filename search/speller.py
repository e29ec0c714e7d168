"""The words of one request in another spelling, for one viewer."""

from __future__ import annotations

import re

from search.clauses import Prefix
from search.fields import STARTS
from search.lookups import Lookups
from search.mending import mend
from search.query import build_query
from search.request import SearchRequest
from search.spelling import Reading, read_pinyin
from search.suggestions import visible

_CERTAIN = 20  # entries that must hold a mended word where the words as typed find a few
_TITLES = 20
_LONGEST_MENDED = 100  # characters of a query
_LATIN = re.compile(r"[A-Za-zÀ-ɏＡ-ｚ]{2}")


class Speller:
    """Reads the words of one request otherwise, for one viewer.

    A word that was not typed is used only if the viewer may open an entry that holds it: what is
    denied to them, or has become so a moment ago, is told by no correction.
    """

    def __init__(self, request: SearchRequest, labels: frozenset[str], lookups: Lookups):
        self._request = request
        self._labels = labels
        self._lookups = lookups

    def pinyin(self) -> str:
        """Return the words with their pinyin as Chinese; empty where there is none."""
        if self._is_left_alone() or not _LATIN.search(self._request.words):
            return ""
        return self._used(read_pinyin(self._request.words, self._lookups.vocabulary()))

    def mended(self, total: int) -> str:
        """Return the words as they were probably meant, where they find `total` entries."""
        if self._is_left_alone():
            return ""
        vocabulary = self._lookups.vocabulary()
        reading = mend(self._request.words, vocabulary, self._titles)
        if reading and total and min(map(vocabulary.count, reading.words)) < _CERTAIN:
            return ""
        return self._used(reading)

    def _is_left_alone(self) -> bool:
        request = self._request
        return (
            request.as_typed
            or request.question is not None
            or not 0 < len(request.words) <= _LONGEST_MENDED
        )

    def _used(self, reading: Reading | None) -> str:
        if reading is None or not all(map(self._is_findable, reading.words)):
            return ""
        return reading.used

    def _is_findable(self, word: str) -> bool:
        asked = SearchRequest(
            word, excluded_ids=self._request.excluded_ids, rows=0, as_typed=True, thesaurus=False
        )
        return bool(self._lookups.answer(asked, build_query(asked, self._labels), None).total)

    def _titles(self, beginning: str) -> list[tuple[str, str]]:
        starts = Prefix(STARTS, beginning)
        clause = visible(starts, self._labels, self._request.excluded_ids)
        records = self._lookups.most_valuable(clause, _TITLES)
        return [(record["title"], record["sounds"]) for record in records]
