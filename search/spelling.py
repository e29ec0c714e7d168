"""A query in pinyin, or with some pinyin in it, as Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log10

from search import analysis
from search.lexicon import lexicon
from search.pinyin import plain_sound, without_tones
from search.vocabulary import Vocabulary

_JOINTS = str.maketrans("", "", "'’-_")
_LONGEST_PINYIN, _LONGEST_SOUND = 60, 30


@dataclass(frozen=True)
class Reading:
    """What a query may be read as; `words` are those that were not typed."""

    used: str
    words: tuple[str, ...]


@dataclass
class Piece:
    """A run of the query, or what stands between two; `words` is what it is read as."""

    text: str
    is_cjk: bool = False
    is_latin: bool = False
    words: tuple[str, ...] = ()
    is_pinyin: bool = False


def letters_of(text: str) -> str:
    """Return Latin letters without what joins them (xi'an)."""
    return text.translate(_JOINTS)


def pieces_of_query(typed: str) -> Iterator[Piece]:
    """Walk a query piece by piece, normalised; together the pieces are the whole of it."""
    plain = without_tones(analysis.normalise(typed))
    at = 0
    for run, is_cjk in analysis.runs(plain):
        start = plain.index(run, at)
        if start > at:
            yield Piece(plain[at:start])
        letters = letters_of(run)
        yield Piece(run, is_cjk, letters.isascii() and letters.isalpha())
        at = start + len(run)
    if at < len(plain):
        yield Piece(plain[at:])


def reading_of(pieces: list[Piece]) -> Reading | None:
    """Return the query with what its pieces are read as; None if each stays as it is."""
    words = tuple(word for piece in pieces for word in piece.words)
    if not words:
        return None
    texts: list[str] = []
    for place, piece in enumerate(pieces):
        beside = pieces[max(0, place - 1) : place + 2]
        if (
            piece.text.isspace()
            and len(beside) == 3
            and beside[0].is_pinyin
            and beside[2].is_pinyin
        ):
            continue  # gong jiao: the space is one of the pinyin
        texts.append(
            "".join(piece.words) if piece.is_pinyin else " ".join(piece.words) or piece.text
        )
    # Marks that nobody sees (direction, NUL, halves of characters) are not shown back.
    shown = "".join(c if c.isprintable() else " " for c in "".join(texts))
    return Reading(" ".join(shown.split()), words)


def read_pinyin(typed: str, vocabulary: Vocabulary) -> Reading | None:
    """Return the query with its pinyin as Chinese words; None if it holds none.

    A word of Latin letters that more entries hold as it is stays.
    """
    pieces = list(pieces_of_query(typed))
    _join_syllables(pieces, vocabulary)
    for piece in pieces:
        if piece.is_latin and not piece.words:
            _read(piece, piece.text, vocabulary)
    return reading_of(pieces)


def _join_syllables(pieces: list[Piece], vocabulary: Vocabulary) -> None:
    """Read `gong jiao zhan dian` as one word: the syllables alone say nothing."""
    start = 0
    while start < len(pieces):
        end = start
        while end < len(pieces) and (
            (pieces[end].is_latin and plain_sound(pieces[end].text) in vocabulary.syllables)
            or (end > start and pieces[end].text.isspace())
        ):
            end += 1
        group = [piece for piece in pieces[start:end] if piece.is_latin]
        if len(group) > 1 and _read(group[0], "".join(p.text for p in group), vocabulary):
            for piece in pieces[start + 1 : end]:
                piece.text, piece.is_latin = "", False
        start = max(end, start + 1)


def _read(piece: Piece, text: str, vocabulary: Vocabulary) -> bool:
    letters = letters_of(text)
    words = cut_pinyin(letters, vocabulary)
    literal = max(vocabulary.count(text), int(text in lexicon().latin_terms))
    if not words or min(map(vocabulary.count, words)) < literal:
        return False
    piece.words, piece.is_pinyin = words, True
    return True


def cut_pinyin(letters: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the fewest, most frequent words whose pinyin is this; nothing if it is no pinyin."""
    text = plain_sound(letters)
    if not 3 < len(text) <= _LONGEST_PINYIN:
        return ()
    best: list[tuple[float, tuple[str, ...]] | None] = [(0.0, ())] + [None] * len(text)
    for end in range(1, len(text) + 1):
        for start in range(max(0, end - _LONGEST_SOUND), end):
            before = best[start]
            found = vocabulary.sounding(text[start:end]) if before else ()
            if not before or not found:
                continue
            cost = before[0] + 2 - log10(1 + vocabulary.count(found[0])) / 5
            known = best[end]
            if known is None or cost < known[0]:
                best[end] = (cost, (*before[1], found[0]))
    whole = best[-1]
    return whole[1] if whole else ()
