"""What somebody typed, as the words that are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

from search import analysis
from search.synonyms import longest_synonym, synonyms

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


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    text = files("search").joinpath("data/stopwords.txt").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return frozenset(analysis.normalise(line) for line in lines if line and line[0] != "#")


def _join_synonyms(words: list[str]) -> list[str]:
    """Join neighbouring words that are one entry of the synonyms (最低 生活 保障)."""
    joined: list[str] = []
    start = 0
    while start < len(words):
        end = len(words)
        while end > start + 1:
            whole = "".join(words[start:end])
            if len(whole) <= longest_synonym() and whole in synonyms():
                break
            end -= 1
        joined.append("".join(words[start:end]))
        start = end
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


def _word(text: str, is_cjk: bool) -> Word:
    parts = shorter_words(text) if is_cjk else tuple(analysis.joint_parts(text))
    return Word(text, is_cjk, parts, synonyms().get(text, ()))


@lru_cache(maxsize=4_000)
def analyse(typed: str) -> Words:
    """Return the words of what somebody typed; nothing at all if no letter or digit is in it."""
    words: dict[str, Word] = {}
    joints: dict[str, None] = {}
    for run, is_cjk in analysis.runs(analysis.normalise(typed[:_LONGEST_QUERY])):
        found = _join_synonyms(analysis.cut(run)) if is_cjk else [run]
        for text in found:
            words.setdefault(text, _word(text, is_cjk))
        if is_cjk:
            pairs = pairwise(found)
            joints.update((left[-1] + right[0], None) for left, right in pairs)
    kept = list(words.values())[:_MOST_WORDS]
    required = [word for word in kept if word.text not in stop_words()] or kept
    helpful = [word for word in kept if word not in required] + required[_MOST_REQUIRED:]
    return Words(tuple(required[:_MOST_REQUIRED]), tuple(helpful), tuple(joints)[:_MOST_WORDS])
