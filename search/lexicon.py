"""The words that search knows: the package's files, a portal's own over them, and its names.

All of it serves the query only: after an edit nothing is indexed again. A process notices a
changed file within seconds.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import count
from pathlib import Path
from threading import Lock

from search import analysis, dictionaries
from search.dictionaries import Everyday, Fault, Names, Row, StopWord, Synonyms
from search.everyday import Expression, Meaning, by_first_character, meanings, pieces_of

_MOST_SYNONYMS = 6  # further words for one word of a query
_LOOK_AGAIN_SECONDS = 2.0
_numbers = count(1)


@dataclass(frozen=True)
class Lexicon:
    """`number` differs for each lexicon, so that what is derived from one can be kept by it.

    `synonyms`: term → what may stand for it. `names`: proper name → its kind. `expressions` by
    their first character. `latin_terms`: the synonyms of Latin letters as they are written (keys of
    `synonyms` are without their English endings).
    """

    number: int
    synonyms: Mapping[str, tuple[str, ...]]
    expressions: Mapping[str, tuple[Expression, ...]]
    names: Mapping[str, str]
    stop_words: frozenset[str]
    longest_term: int
    latin_terms: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = ()

    def is_term(self, text: str) -> bool:
        """Say whether the text is one word here, whatever the segmenter makes of it."""
        return text in self.synonyms or text in self.names

    def meanings(self, plain: str) -> tuple[Meaning, ...]:
        """Return the official terms for what a normalised query says in everyday words."""
        return meanings(plain, self.expressions)


class _Synonyms:
    """Collects which term stands for which."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, None]] = {}
        self._never: set[tuple[str, str]] = set()
        self.latin_terms: set[str] = set()

    def add(self, row: Synonyms) -> None:
        self.latin_terms |= {term for term in row.terms if term.isascii() and term.isalpha()}
        if row.kind == "never":
            self._never |= {(a, b) for a in row.terms for b in row.terms}
            return
        for term in row.terms if row.kind == "same" else row.terms[:1]:
            self.lead(term, row.terms)

    def lead(self, term: str, others: Iterable[str]) -> None:
        mine = self._found.setdefault(analysis.stem(term), {})
        mine.update(dict.fromkeys(other for other in others if other != term))

    def done(self) -> dict[str, tuple[str, ...]]:
        kept = {
            term: tuple(o for o in others if (term, o) not in self._never)[:_MOST_SYNONYMS]
            for term, others in self._found.items()
        }
        return {
            term: _with_their_own(others, kept) if term.isascii() else others
            for term, others in kept.items()
            if others
        }


def _with_their_own(
    others: tuple[str, ...], synonyms: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Return what an English word leads to, with what may stand for that (bus: 公交, 客运)."""
    further = (each for other in others for each in synonyms.get(other, ()))
    return tuple(dict.fromkeys((*others, *(each for each in further if not each.isascii()))))


def build_lexicon(rows: Iterable[Row | Fault]) -> Lexicon:
    """Return the lexicon of rows; later rows go over earlier ones."""
    synonyms = _Synonyms()
    everyday: dict[str, dict[str, None]] = {}
    names: dict[str, str] = {}
    stops: dict[str, None] = {}
    faults: list[Fault] = []
    for row in rows:
        match row:
            case Synonyms():
                synonyms.add(row)
            case Everyday():
                _add_everyday(everyday, row)
            case Names():
                names.update(dict.fromkeys((*row.names, *row.also), row.kind))
                for other in row.also:
                    synonyms.lead(other, row.names)
            case StopWord(word, dropped):
                stops.pop(word, None) if dropped else stops.setdefault(word)
            case Fault():
                faults.append(row)
    stop_words = frozenset(stops)
    found = synonyms.done()
    return Lexicon(
        next(_numbers),
        found,
        by_first_character(
            Expression(at, pieces_of(text, stop_words), tuple(official))
            for at, (text, official) in enumerate(everyday.items())
        ),
        names,
        stop_words,
        max(map(len, (*found, *names)), default=0),
        frozenset(synonyms.latin_terms),
        tuple(faults),
    )


def _add_everyday(everyday: dict[str, dict[str, None]], row: Everyday) -> None:
    for expression in row.expressions:
        if not row.official:
            everyday.pop(expression, None)
        else:
            everyday.setdefault(expression, {}).update(dict.fromkeys(row.official))


@lru_cache(maxsize=1)
def package_rows() -> tuple[Row | Fault, ...]:
    """Return the rows of the package's own files."""
    data = files("search").joinpath("data")
    return tuple(
        row
        for name in dictionaries.FILES
        for row in dictionaries.read_file(
            name, data.joinpath(name).read_text(encoding="utf-8").splitlines()
        )
    )


class _Current:
    """The lexicon of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._folder: Path | None = None
        self._names: tuple[Names, ...] = ()
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._next_look = 0.0
        self.lexicon: Lexicon | None = None

    def install(self, folder: Path | None, names: tuple[Names, ...]) -> None:
        with self._lock:
            if names != self._names:
                self._names, self.lexicon = names, None
            # Another folder changes nothing unless a file is in it: see `get`.
            self._folder, self._next_look = folder, 0.0

    def get(self) -> Lexicon:
        known = self.lexicon
        if known is not None and time.monotonic() < self._next_look:
            return known
        with self._lock:
            self._next_look = time.monotonic() + _LOOK_AGAIN_SECONDS
            seen = tuple(_stamps(self._folder))
            if self.lexicon is None or seen != self._seen:
                self.lexicon = build_lexicon(self._rows())
                self._seen = seen
            return self.lexicon

    def _rows(self) -> Iterator[Row | Fault]:
        yield from package_rows()
        yield from self._names
        if self._folder is not None:
            yield from dictionaries.read_folder(self._folder)


def _stamps(folder: Path | None) -> Iterator[tuple[str, int, int]]:
    for name in dictionaries.FILES if folder else ():
        try:
            status = (folder / name).stat()  # type: ignore[operator]
        except OSError:
            continue
        yield str(folder / name), status.st_mtime_ns, status.st_size  # type: ignore[operator]


_current = _Current()


def lexicon() -> Lexicon:
    """Return what this process knows now."""
    return _current.get()


def install(folder: Path | None, names: Iterable[Names] = ()) -> None:
    """Lay the files of a folder and the names of a portal over the package's own words."""
    _current.install(folder, tuple(names))
