"""What somebody typed, as the words that are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from search import analysis
from search.lexicon import Lexicon, lexicon

_LONGEST_QUERY = 300  # characters; the rest is not looked at
_MOST_WORDS = 16
_MOST_REQUIRED = 8  # words beyond these only help to rank
_ENDINGS = frozenset("省市州县区旗镇乡")  # 长春市 is also 长春


@dataclass(frozen=True)
class Word:
    """One word of a query.

    `parts` are shorter words that together are the word (公交线路: 公交, 线路), or nothing.
    """

    text: str
    is_cjk: bool
    parts: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Words:
    """The words that must occur, those that only help, and pairs of characters between words."""

    required: tuple[Word, ...]
    helpful: tuple[Word, ...] = ()
    joints: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.required)


def _cut(run: str, known: Lexicon) -> list[str]:
    """Return the words of a Chinese run; one that is guessed around a stop word is taken apart."""
    found: list[str] = []
    for word in analysis.cut(run):
        pieces = [word]
        if len(word) > 1 and not analysis.is_known_word(word):
            pieces = analysis.cut(word, guess=False)
            if known.stop_words.isdisjoint(pieces):
                pieces = [word]
        found += pieces
    return found


def _join_terms(words: list[str], known: Lexicon) -> list[str]:
    """Join neighbouring words that are one term or one stop word (最低 生活 保障; 什么 时候)."""
    joined: list[str] = []
    start = 0
    while start < len(words):
        end = min(len(words), start + known.longest_term)
        while end > start + 1:
            whole = "".join(words[start:end])
            if known.is_term(whole) or whole in known.stop_words:
                break
            end -= 1
        joined.append("".join(words[start:end]))
        start = max(end, start + 1)
    return joined


def _split(word: str, candidates: dict[int, list[str]], start: int = 0) -> list[str] | None:
    """Return shorter words that cover the word from `start` on, the shortest first."""
    if start == len(word) or (start > 1 and word[start:] in _ENDINGS):
        return []
    for part in candidates.get(start, []):
        rest = _split(word, candidates, start + len(part))
        if rest is not None:
            return [part, *rest]
    return None


@lru_cache(maxsize=10_000)
def shorter_words(word: str) -> tuple[str, ...]:
    """Return the shorter words a Chinese word is made of; nothing if it is not made of any."""
    if len(word) < 3:
        return ()
    candidates: dict[int, list[str]] = {}
    for part, start in analysis.cut_with_parts(word):
        if 1 < len(part) < len(word):
            candidates.setdefault(start, []).append(part)
    for parts in candidates.values():
        parts.sort(key=len)
    return tuple(_split(word, candidates) or ())


def _word(text: str, is_cjk: bool, known: Lexicon) -> Word:
    parts = shorter_words(text) if is_cjk else tuple(analysis.joint_parts(text))
    return Word(text, is_cjk, parts, known.synonyms.get(analysis.stem(text), ()))


def analyse(typed: str) -> Words:
    """Return the words of what somebody typed; nothing at all if no letter or digit is in it."""
    return _analyse(typed[:_LONGEST_QUERY], lexicon().number)


@lru_cache(maxsize=4_000)
def _analyse(typed: str, number: int) -> Words:
    """Analyse with the lexicon of that number (the key under which the outcome is kept)."""
    known = lexicon()
    words: dict[str, Word] = {}
    joints: dict[str, None] = {}
    for run, is_cjk in analysis.runs(analysis.normalise(typed)):
        found = _join_terms(_cut(run, known), known) if is_cjk else [run]
        for text in found:
            words.setdefault(text, _word(text, is_cjk, known))
        if is_cjk:
            pairs = pairwise(found)
            joints.update((left[-1] + right[0], None) for left, right in pairs)
    kept = list(words.values())[:_MOST_WORDS]
    required = [word for word in kept if word.text not in known.stop_words] or kept
    helpful = [word for word in kept if word not in required] + required[_MOST_REQUIRED:]
    return Words(tuple(required[:_MOST_REQUIRED]), tuple(helpful), tuple(joints)[:_MOST_WORDS])


@dataclass(frozen=True)
class Everyday:
    """A query read as everyday speech: what officials call it, and what else must be there.

    `meanings`: for each part of the query, terms one of which must occur. `rest`: the places,
    names, codes, numbers and official terms it holds besides; `helpful`: its other words.
    `whole` says that the meanings explain most of the query; `says_more` that its words alone
    (工作) say less than the expression (找工作), so that holding them is no better.
    """

    meanings: tuple[tuple[str, ...], ...]
    rest: tuple[Word, ...]
    helpful: tuple[Word, ...]
    whole: bool
    says_more: bool = False


def everyday(typed: str) -> Everyday | None:
    """Return the everyday reading of what somebody typed; None if nothing is said otherwise."""
    return _everyday(typed[:_LONGEST_QUERY], lexicon().number)


@lru_cache(maxsize=4_000)
def _everyday(typed: str, number: int) -> Everyday | None:
    known = lexicon()
    plain = analysis.normalise(typed)
    found = known.meanings(plain)
    if not found:
        return None
    covered = frozenset[int]().union(*(meaning.covered for meaning in found))
    left = "".join(" " if at in covered else c for at, c in enumerate(plain))
    words = [word for word in analyse(left).required if word.text not in known.stop_words]
    rest = tuple(word for word in words if _is_fixed(word, known))
    helpful = tuple(word for word in words if word not in rest)
    unexplained = sum(len(word.text) for word in helpful)
    literal = sum(len(word.text) for word in analyse(typed).required)
    return Everyday(
        tuple(meaning.official for meaning in found),
        rest,
        helpful,
        len(covered) >= unexplained,
        literal - unexplained - sum(len(word.text) for word in rest) < len(covered),
    )


def _is_fixed(word: Word, known: Lexicon) -> bool:
    """Say whether a word names something, so that what the query means holds it too."""
    if not word.is_cjk or known.is_term(word.text):
        return True
    named = known.names.get(word.text) or known.names.get(word.text.rstrip("".join(_ENDINGS)))
    return named in ("place", "organisation") or analysis.is_place(word.text)
