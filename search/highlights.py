"""Where the words of a query stand in a title or abstract, the same for every engine."""

from __future__ import annotations

import re
from functools import lru_cache

from search import analysis
from search.words import Word, analyse

START, END = "\ue000", "\ue001"
_LONGEST = 4_000  # characters of a text that are searched for marks


@lru_cache(maxsize=1_000)
def _pattern(typed: str) -> re.Pattern[str] | None:
    """Return a pattern for the words, whole words before their parts and synonyms."""
    words = analyse(typed)
    forms: dict[str, bool] = {}
    for word in (*words.required, *words.helpful):
        forms.update((form, analysis.normalise(form).isascii()) for form in _forms(word))
    if not forms:
        return None
    longest_first = sorted(forms, key=len, reverse=True)
    return re.compile("|".join(_expression(form, forms[form]) for form in longest_first))


def _forms(word: Word) -> list[str]:
    return [word.text, *word.parts, *word.synonyms]


def _expression(form: str, is_latin: bool) -> str:
    if not is_latin:
        return re.escape(form)
    # A Latin word is marked as a whole, with whatever ending the stemmer takes off.
    beginning = re.escape(analysis.stem(form))
    return rf"(?<![a-z0-9]){beginning}[a-z]*(?![a-z0-9])"


def mark(text: str, typed: str) -> str | None:
    """Return the text with its matching words between U+E000 and U+E001; None without any.

    Marks already in the text are taken out first, so that a page can trust the ones it finds.
    """
    pattern = _pattern(typed)
    if pattern is None:
        return None
    text = text.replace(START, "").replace(END, "")
    plain, offsets = analysis.normalise_with_offsets(text[:_LONGEST])
    pieces: list[str] = []
    done = 0
    for match in pattern.finditer(plain):
        start, end = offsets[match.start()], offsets[match.end() - 1] + 1
        if start < done or not match.group():
            continue
        pieces += [text[done:start], START, text[start:end], END]
        done = end
    return "".join(pieces) + text[done:] if pieces else None
