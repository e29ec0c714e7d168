"""The words of public titles, keywords and items, by sound and by letters: what may have been meant.

An index keeps them as one value a word (公交 gong jiao); readers count the values once in a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache

from rapidfuzz.distance import OSA, Hamming
from rapidfuzz.process import extract

from search import analysis
from search.document import SearchDocument
from search.lexicon import lexicon
from search.pinyin import plain_sound, syllables

MOST_WORDS = 50_000  # the most frequent ones; engines return no more buckets than 65,000
_LONGEST_WORD = 8
_MOST_OF_ENTRY = 80
_LONGEST_TEXT = 500  # characters of a title or item
_CHOICES = 5


def spellings(document: SearchDocument) -> list[str]:
    """Return what an entry adds to the vocabulary: its words, a Chinese one with its sound."""
    found: dict[str, None] = {}
    for keyword in document.keywords:
        found.update(dict.fromkeys(_spelt_whole(keyword)))
    for text in (document.title, document.title_en, *document.keywords, *document.item_names):
        found.update(dict.fromkeys(_spelt(text)))
        if len(found) > _MOST_OF_ENTRY:
            break
    return list(found)[:_MOST_OF_ENTRY]


@lru_cache(maxsize=20_000)  # keywords and items come again and again
def _spelt_whole(keyword: str) -> tuple[str, ...]:
    word = analysis.normalise(keyword)
    return (_spelling(word),) if _is_word(word) else ()


@lru_cache(maxsize=20_000)
def _spelt(text: str) -> tuple[str, ...]:
    return tuple(map(_spelling, _words(text[:_LONGEST_TEXT])))


def _spelling(word: str) -> str:
    return word if word.isascii() else f"{word} {' '.join(syllables(word))}"


def _is_word(text: str) -> bool:
    return 1 < len(text) <= _LONGEST_WORD and list(analysis.runs(text)) == [(text, True)]


def _words(text: str) -> Iterator[str]:
    for run, is_cjk in analysis.runs(analysis.normalise(text)):
        if is_cjk:
            yield from (w for w, _ in analysis.cut_with_parts(run) if 1 < len(w) <= _LONGEST_WORD)
        else:
            pieces = analysis.joint_parts(run) or [run]
            yield from (p for p in pieces if p.isascii() and p.isalpha() and 2 < len(p) < 25)


def blurred_sound(sound: str) -> str:
    """Return pinyin without what speakers mix up: zh/z, ch/c, sh/s, ing/in, eng/en, ang/an."""
    for pair, one in (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng ", "n ")):
        sound = f"{sound} ".replace(pair, one).rstrip()
    return plain_sound(sound.removesuffix("g") if sound.endswith("ng") else sound)


class Vocabulary:
    """Words with the number of public entries that hold them, found by sound or by letters."""

    def __init__(self, counts: Mapping[str, int], sounds: Mapping[str, str]):
        self._counts = dict(counts)
        self._sounds = dict(sounds)

    @classmethod
    def of(cls, values: Iterable[tuple[str, int]]) -> Vocabulary:
        """Return the vocabulary of an index's values and how many entries have each.

        The terms of the lexicon are in it too: everybody may know them.
        """
        counts: dict[str, int] = {}
        sounds: dict[str, str] = {}
        for value, count in values:
            word, _, sound = value.partition(" ")
            counts[word] = max(count, counts.get(word, 0))
            if sound:
                sounds[word] = sound
        known = lexicon()
        for term in known.latin_terms:
            counts.setdefault(term, 0)
        for term in (*known.synonyms, *known.names):
            if term not in counts and _is_word(term):
                counts[term] = 0
                sounds[term] = " ".join(syllables(term))
        return cls(counts, sounds)

    def __contains__(self, word: str) -> bool:
        return word in self._counts

    def count(self, word: str) -> int:
        """Return how many public entries hold the word in a title, keyword or item."""
        return self._counts.get(word, 0)

    @cached_property
    def syllables(self) -> frozenset[str]:
        return frozenset(plain_sound(s) for sound in self._sounds.values() for s in sound.split())

    @cached_property
    def _by_sound(self) -> dict[str, list[str]]:
        return self._grouped(plain_sound)

    @cached_property
    def _by_blurred_sound(self) -> dict[str, list[str]]:
        return self._grouped(blurred_sound)

    @cached_property
    def _by_initials(self) -> dict[str, list[str]]:
        return self._grouped(lambda sound: "".join(s[0] for s in sound.split()))

    def _grouped(self, key: Callable[[str], str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for word, sound in sorted(self._sounds.items(), key=lambda pair: -self._counts[pair[0]]):
            choices = found.setdefault(key(sound), [])
            if len(choices) < _CHOICES:
                choices.append(word)
        return found

    @cached_property
    def _latin(self) -> list[str]:
        return [word for word in self._counts if word.isascii()]

    @cached_property
    def _by_length(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for word in self._sounds:
            found.setdefault(len(word), []).append(word)
        return found

    def sounding(self, sound: str) -> list[str]:
        """Return the words of this pinyin, the most frequent first."""
        return self._by_sound.get(plain_sound(sound), [])

    def sounding_like(self, sound: str) -> list[str]:
        """Return words of nearly this pinyin; `sound` has a space between syllables."""
        return self._by_blurred_sound.get(blurred_sound(sound), [])

    def with_initials(self, initials: str) -> list[str]:
        return self._by_initials.get(initials, [])

    def near_latin(self, word: str) -> str | None:
        """Return the word of Latin letters that was most probably meant."""
        return self._nearest(word, self._latin, lambda found: self._counts[found])

    def near_sound(self, sound: str) -> str | None:
        """Return the pinyin of a word that was most probably meant by misspelt pinyin."""
        return self._nearest(
            sound, list(self._by_sound), lambda found: self._counts[self._by_sound[found][0]]
        )

    @staticmethod
    def _nearest(word: str, words: list[str], weight: Callable[[str], int]) -> str | None:
        allowed = 0 if len(word) < 4 else 1 if len(word) < 8 else 2
        if not allowed:
            return None
        near = extract(word, words, scorer=OSA.distance, score_cutoff=allowed, limit=20)
        best = min(near, key=lambda one: (one[1], -weight(one[0])), default=None)
        return best[0] if best else None

    def with_one_other_character(self, word: str) -> str | None:
        """Return the most frequent Chinese word that differs in one character."""
        words = self._by_length.get(len(word), [])
        near = extract(word, words, scorer=Hamming.distance, score_cutoff=1, limit=20)
        return max((one[0] for one in near), key=self.count, default=None)
