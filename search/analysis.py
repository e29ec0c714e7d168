"""The one text analysis: whatever the engine, these tokens go into the index and out of a query.

An engine only splits at spaces. Chinese text becomes the words of the segmenter (with the shorter
words inside longer ones), every pair of neighbouring characters and every single character, so
that an unknown word, a part of a word and one character are all found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

import rjieba
from opencc import OpenCC
from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

# Scripts without spaces between words: Han, kana, Hangul (Yanbian writes Korean too).
_CJK = "\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(rf"(?P<cjk>[{_CJK}]+)|(?P<word>[^\W_{_CJK}]+(?:[.\-_/'’][^\W_{_CJK}]+)*)")
_JOINT = re.compile(r"[.\-_/'’]")
_CODE_PREFIX_LENGTHS = range(2, 25)
_LONGEST_TOKEN = 100
_TITLE_LENGTH = 60  # characters
_OFTEN_REPEATED = 12  # characters; a longer run is a sentence, and hardly comes again


def _simplified_table() -> dict[int, str]:
    """Return traditional → simplified, character by character, so that offsets stay."""
    ranges = ((0x3400, 0xA000), (0xF900, 0xFB00))
    characters = [chr(point) for start, end in ranges for point in range(start, end)]
    simplified = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    pairs = zip(characters, simplified, strict=True)
    return {ord(old): new for old, new in pairs if old != new and len(new) == 1}


_SIMPLIFIED = _simplified_table()
_STEMMER = TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.stemmer("english")).build()


def normalise(text: str) -> str:
    """Return the text in half width, lower case and simplified characters."""
    return _kept_normal(text) if len(text) <= _TITLE_LENGTH else _normal(text)


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower().translate(_SIMPLIFIED)


_kept_normal = lru_cache(maxsize=4_000)(_normal)  # one document asks several times for its title


def normalise_with_offsets(text: str) -> tuple[str, list[int]]:
    """Return the normalised text and, for each of its characters, the index in `text`."""
    if unicodedata.is_normalized("NFKC", text):
        plain = normalise(text)
        if len(plain) == len(text):  # nothing grew or shrank: every character stands for itself
            return plain, list(range(len(text)))
    pieces: list[str] = []
    offsets: list[int] = []
    for index, character in enumerate(text):
        piece = normalise(character)
        pieces.append(piece)
        offsets.extend([index] * len(piece))
    return "".join(pieces), offsets


def exact_key(text: str) -> str:
    """Return what two titles or codes have in common when people would call them the same."""
    runs = [match.group() for match in _RUN.finditer(normalise(text))]
    return " ".join(runs)[:500]


def runs(text: str) -> Iterator[tuple[str, bool]]:
    """Walk the runs of normalised text: (run, whether it is written without spaces)."""
    for match in _RUN.finditer(text):
        yield match.group(), match.lastgroup == "cjk"


def cut(run: str, *, guess: bool = True) -> list[str]:
    """Return a Chinese run as consecutive words; `guess` allows words that no dictionary has."""
    return list(rjieba.cut(run, guess))


def is_known_word(word: str) -> bool:
    """Say whether the segmenter's dictionary has a word."""
    return bool(rjieba.has_word(word))


@lru_cache(maxsize=10_000)
def is_place(word: str) -> bool:
    """Say whether a Chinese word names a place, as far as the segmenter's dictionary knows."""
    return [tag for _, tag in rjieba.tag(word)] == ["ns"]


def cut_with_parts(run: str) -> list[tuple[str, int]]:
    """Return (word, offset) of the words of a Chinese run and of the shorter words inside them."""
    return [(word, start) for word, start, _ in rjieba.tokenize(run, "search")]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return a lower-case Latin word without its English ending; codes and numbers as they are."""
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    return str(_STEMMER.analyze(word)[0])


def bigrams(run: str) -> list[str]:
    return [run[index : index + 2] for index in range(len(run) - 1)]


def joint_parts(word: str) -> list[str]:
    """Return the parts of `pm2.5` or `bus_stop_id`; nothing for a word in one piece."""
    parts = [part for part in _JOINT.split(word) if part]
    return parts if len(parts) > 1 else []


def _cjk_tokens(run: str) -> Iterable[str]:
    return _kept_tokens(run) if len(run) <= _OFTEN_REPEATED else _made_tokens(run)


@lru_cache(maxsize=20_000)  # keywords, columns and providers come again and again
def _kept_tokens(run: str) -> tuple[str, ...]:
    return tuple(_made_tokens(run))


def _made_tokens(run: str) -> Iterator[str]:
    words = cut_with_parts(run)
    at = {(start, len(word)) for word, start in words}
    for word, _ in words:
        yield word[:_LONGEST_TOKEN]
    for index, character in enumerate(run):
        if (index, 1) not in at:
            yield character
        if index + 1 < len(run) and (index, 2) not in at:
            yield run[index : index + 2]


def _word_tokens(word: str) -> Iterator[str]:
    yield stem(word[:_LONGEST_TOKEN])
    for part in joint_parts(word[:_LONGEST_TOKEN]):
        yield stem(part)


def tokens(text: str) -> list[str]:
    """Return the index tokens of a text, in no promised order, repeated as they occur."""
    found: list[str] = []
    for run, is_cjk in runs(normalise(text)):
        found.extend(_cjk_tokens(run) if is_cjk else _word_tokens(run))
    return found


def _code_pieces(code: str) -> Iterator[str]:
    for run, _ in runs(code):
        yield run
        yield from joint_parts(run)


def code_tokens(codes: Iterable[str]) -> list[str]:
    """Return the index tokens of codes and names: whole, each part, and every beginning."""
    found: dict[str, None] = {}
    for code in codes:
        for piece in _code_pieces(normalise(code)):
            for length in _CODE_PREFIX_LENGTHS[: max(0, len(piece) - _CODE_PREFIX_LENGTHS.start)]:
                found[piece[:length]] = None
            found[piece[:_LONGEST_TOKEN]] = None
    return list(found)
