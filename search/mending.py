"""A query that finds next to nothing, as it was most probably meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log10

from search import analysis
from search.lexicon import lexicon
from search.pinyin import plain_sound, syllables
from search.spelling import Piece, Reading, cut_pinyin, letters_of, pieces_of_query, reading_of
from search.vocabulary import Vocabulary

_LONGEST_INITIALS, _LONGEST_RUN, _LONGEST_WORD = 10, 24, 6
_KNOWN, _SAME_SOUND, _NEAR_SOUND, _OTHER_CHARACTER, _LEFT = 0.1, 0.6, 1.0, 1.1, 1.0
_KNOWN_ELSEWHERE = 0.65  # a word of the language that no entry has

Titles = Callable[[str], list[tuple[str, str]]]
"""`i:` and initials, or `p:` and pinyin -> titles of which some words begin so, and their pinyin."""


def mend(typed: str, vocabulary: Vocabulary, titles: Titles) -> Reading | None:
    """Return the query as it was most probably meant; None if nothing better is known.

    For a query that finds next to nothing: words that the vocabulary has are left alone.
    """
    pieces = list(pieces_of_query(typed))
    for piece in pieces:
        if piece.is_latin and not vocabulary.count(piece.text):
            _mend_latin(piece, vocabulary, titles)
        elif piece.is_cjk and len(piece.text) > 1:
            piece.words = _mend_run(piece.text, vocabulary)
            piece.is_pinyin = bool(piece.words)
    # What is left as it is stands in no list of words that were not typed.
    found = reading_of(pieces)
    if found is None or found.used == " ".join(analysis.normalise(typed).split()):
        return None
    plain = analysis.normalise(typed)
    return Reading(found.used, tuple(word for word in found.words if word not in plain))


def _mend_latin(piece: Piece, vocabulary: Vocabulary, titles: Titles) -> None:
    letters = letters_of(piece.text)
    if piece.text in lexicon().stop_words or piece.text in lexicon().latin_terms:
        return
    if words := cut_pinyin(letters, vocabulary):
        piece.words, piece.is_pinyin = words, True
    elif begun := _begun(letters, vocabulary, titles):
        piece.words, piece.is_pinyin = (begun,), True
    elif near := vocabulary.near_latin(letters):
        piece.words = (near,)
    elif sound := vocabulary.near_sound(plain_sound(letters)):
        piece.words, piece.is_pinyin = (vocabulary.sounding(sound)[0],), True


def _begun(letters: str, vocabulary: Vocabulary, titles: Titles) -> str:
    """Return what initials (gjzd) or pinyin that is not finished (gongjiaozh) stand for.

    A term of the lexicon (cdz: 充电桩) is meant rather than whatever a title happens to hold.
    """
    if 1 < len(letters) <= _LONGEST_INITIALS:
        words = vocabulary.with_initials(letters)
        if terms := [word for word in words if lexicon().is_term(word)]:
            return terms[0]
        if begun := _begun_with("i:", letters, titles):
            return begun
        if words:
            return words[0]
    return _begun_with("p:", plain_sound(letters), titles)


def _begun_with(kind: str, letters: str, titles: Titles) -> str:
    """Return the part of a title that initials or pinyin stand for, the most frequent one."""
    found: dict[str, int] = {}
    for title, sound in titles(kind + letters):
        runs = analysis.runs(analysis.normalise(title))
        pieces = [piece for run, is_cjk in runs for piece in (run if is_cjk else [run])]
        sounds = [one[0] if kind == "i:" else one for one in sound.split()]
        part = _part(pieces, sounds, letters) if len(pieces) == len(sounds) else ""
        if part:
            found[part] = found.get(part, 0) + 1
    return max(found, key=lambda part: found[part], default="")


def _part(pieces: list[str], sounds: list[str], letters: str) -> str:
    """Return the pieces whose sounds together begin with the letters."""
    for start in range(len(pieces)):
        so_far = ""
        for end in range(start, len(pieces)):
            so_far += sounds[end]
            if so_far.startswith(letters):
                return "".join(pieces[start : end + 1])
            if not letters.startswith(so_far):
                break
    return ""


def _mend_run(run: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return a Chinese run as words of the vocabulary, for the least change; nothing if unchanged,
    or if that explains less than half of it."""
    if len(run) > _LONGEST_RUN:
        return ()
    sounds = syllables(run)
    best: list[tuple[float, tuple[str, ...]]] = [(0.0, ())]
    for end in range(1, len(run) + 1):
        ways = [
            (best[start][0] + cost, (*best[start][1], word))
            for start in range(max(0, end - _LONGEST_WORD), end)
            for word, cost in _ways(run[start:end], sounds[start:end], vocabulary)
        ]
        best.append(min(ways, key=lambda way: way[0]))
    words = best[-1][1]
    left = sum(len(word) == 1 and word not in lexicon().stop_words for word in words)
    return words if "".join(words) != run and 2 * left <= len(run) else ()


def _ways(
    part: str, sounds: tuple[str, ...], vocabulary: Vocabulary
) -> Iterator[tuple[str, float]]:
    """Walk what a part of a run may be read as, and how daring that is."""
    if part in lexicon().stop_words or (
        len(part) > 1 and (vocabulary.count(part) or lexicon().is_term(part))
    ):
        yield part, _KNOWN
        return
    if len(part) == 1:
        yield part, _LEFT
        return
    if analysis.is_known_word(part):
        yield part, _KNOWN_ELSEWHERE
    sound = " ".join(sounds)
    for choices, cost in (
        (vocabulary.sounding(sound), _SAME_SOUND),
        (vocabulary.sounding_like(sound), _NEAR_SOUND),
    ):
        for word in choices:
            if len(word) == len(part) and (cost == _SAME_SOUND or _keeps_words(part, word)):
                yield word, cost - log10(1 + vocabulary.count(word)) / 50
                return
    near = vocabulary.with_one_other_character(part) if len(part) > 2 else None
    if near and _keeps_words(part, near):
        yield near, _OTHER_CHARACTER


def _keeps_words(part: str, read: str) -> bool:
    """Say whether the words of the language in a part are in what it is read as, too: who typed
    小饭馆 did not mean 消防馆."""
    words = analysis.cut(part, guess=False)
    return all(len(word) == 1 or word in read for word in words)
