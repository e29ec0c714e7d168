"""Why an entry is found: which words of a query stand in which of its fields, and by what means.

Told from the entry's document by the same analysis that indexes it, not by an engine: both engines
give the same reasons, and asking for them costs a search nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from search import analysis
from search.document import SearchDocument
from search.fields import CODES, EXACT, STARTS, TEXT_BOOSTS, IndexedText, indexed_text
from search.words import Word, analyse, everyday

LITERAL, PART, SYNONYM, EVERYDAY, PINYIN, CORRECTION, CODE = (
    "literal", "part", "synonym", "thesaurus", "pinyin", "correction", "code"
)  # fmt: skip
_MOST = 30


@dataclass(frozen=True)
class Match:
    """`word` of the query stands in `fields` (the weightiest first) as `form`, by `means`.

    means: literal, part (a shorter word inside it), synonym, thesaurus (an official term for an
    everyday expression), pinyin (the beginning of a title), code, correction (another spelling).
    """

    word: str
    form: str
    fields: tuple[str, ...]
    means: str


def explain_match(
    document: SearchDocument, typed: str, corrected: str = "", *, thesaurus: bool = True
) -> tuple[Match, ...]:
    """Return what of a query an entry answers to; nothing without words.

    Args:
        corrected: what the words were read as besides (`SearchResult.correction`).
    """
    held = _Held(indexed_text(document))
    found = dict.fromkeys(_of_words(held, typed))
    if corrected:
        for match in _of_words(held, corrected):
            if match.word not in {one.word for one in found}:
                found[Match(match.word, match.form, match.fields, CORRECTION)] = None
    if thesaurus:
        found.update(dict.fromkeys(_of_meanings(held, corrected or typed)))
    return tuple(found)[:_MOST]


def is_exact(document: SearchDocument, typed: str) -> bool:
    """Say whether the words are a title, code or name of the entry."""
    return analysis.exact_key(typed) in indexed_text(document).values[EXACT]


class _Held:
    """What the index holds of one entry."""

    def __init__(self, text: IndexedText) -> None:
        self._tokens = {name: set(words.split(" ")) for name, words in text.words.items()}
        self._starts = text.values[STARTS]

    def fields_of(self, text: str) -> tuple[str, ...]:
        """Return the fields that hold a text: every run of it as a word or by all its pairs."""
        runs = list(analysis.runs(text))
        return tuple(
            field
            for field in TEXT_BOOSTS
            if runs and all(self._holds(field, run, is_cjk=is_cjk) for run, is_cjk in runs)
        )

    def _holds(self, field: str, run: str, *, is_cjk: bool) -> bool:
        tokens = self._tokens[field]
        if not is_cjk:
            return analysis.stem(run) in tokens
        return run in tokens or (len(run) > 2 and tokens.issuperset(analysis.bigrams(run)))

    def has_code(self, text: str) -> bool:
        return text in self._tokens[CODES]

    def starts_with_sound(self, text: str) -> bool:
        plain = text.isascii() and text.isalpha() and len(text) >= 3
        return plain and any(start.startswith((f"p:{text}", f"i:{text}")) for start in self._starts)


def _of_words(held: _Held, typed: str) -> Iterator[Match]:
    words = analyse(typed)
    for word in (*words.required, *words.helpful):
        yield from _of_word(held, word)


def _of_word(held: _Held, word: Word) -> Iterator[Match]:
    literal = held.fields_of(word.text)
    if literal:
        yield Match(word.text, word.text, literal, LITERAL)
    else:
        yield from _forms(held, word.text, word.parts, PART)
    if not word.is_cjk and held.has_code(word.text):
        yield Match(word.text, word.text, (CODES,), CODE)
    if not word.is_cjk and held.starts_with_sound(word.text):
        yield Match(word.text, word.text, ("title",), PINYIN)
    yield from _forms(held, word.text, word.synonyms, SYNONYM)


def _of_meanings(held: _Held, typed: str) -> Iterator[Match]:
    reading = everyday(typed)
    if reading is not None and reading.whole:
        for terms in reading.meanings:
            yield from _forms(held, typed.strip()[:50], terms, EVERYDAY)


def _forms(held: _Held, word: str, forms: Iterable[str], means: str) -> Iterator[Match]:
    for form in forms:
        if fields := held.fields_of(form):
            yield Match(word, form, fields, means)
