"""The neutral query language: what both engines can say, and nothing else. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

from search.words import Word


@dataclass(frozen=True)
class Everything:
    """Matches all; scores 1."""


@dataclass(frozen=True)
class Text:
    """What somebody typed; `search.wording.spell_out` spells it out, and compilers keep the outcome.

    `strictness`: 0 every word, 1 at least half of them, 2 any, or most of a word's characters.
    `thesaurus`: once words are optional, the official terms for everyday ones count as words too.
    """

    typed: str
    strictness: int = 0
    thesaurus: bool = True


@dataclass(frozen=True)
class Colloquial:
    """What somebody typed, read as everyday speech: the official terms for it, and its names."""

    typed: str


@dataclass(frozen=True)
class Worded:
    """One word of a query, in all the ways in which it may occur. Queries share words: compilers
    keep the outcome. `strictness` is that of `Text`.
    """

    word: Word
    strictness: int = 0


@dataclass(frozen=True)
class Meant:
    """Any of the official terms for an everyday expression, the first ones counting a little more."""

    terms: tuple[str, ...]


@dataclass(frozen=True)
class Term:
    """One token of an analysed field; scores by BM25."""

    field: str
    token: str


@dataclass(frozen=True)
class Terms:
    """Any of the exact values of a field; scores 1. No value matches nothing."""

    field: str
    values: tuple[str | int, ...]


@dataclass(frozen=True)
class Prefix:
    """A value of an unanalysed field that begins so; scores 1."""

    field: str
    beginning: str


@dataclass(frozen=True)
class Range:
    """start <= x < end of an integer field; None is open; scores 1."""

    field: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Not:
    part: Clause


@dataclass(frozen=True)
class AllOf:
    """All of `parts` (their scores are summed), `hopes` only add to the score.

    `filters` must match too and score nothing.
    """

    parts: tuple[Clause, ...]
    hopes: tuple[Clause, ...] = ()
    filters: tuple[Clause, ...] = ()


@dataclass(frozen=True)
class AnyOf:
    """At least so many of the parts; scores are summed."""

    parts: tuple[Clause, ...]
    at_least: int = 1


@dataclass(frozen=True)
class Best:
    """The best-scoring part counts in full, the others by `tie`."""

    parts: tuple[Clause, ...]
    tie: float = 0.0


@dataclass(frozen=True)
class Boost:
    part: Clause
    factor: float


Clause = (
    Everything
    | Text
    | Colloquial
    | Worded
    | Meant
    | Term
    | Terms
    | Prefix
    | Range
    | Not
    | AllOf
    | AnyOf
    | Best
    | Boost
)

Wording = Text | Colloquial | Worded | Meant
"""What `search.wording` spells out."""
