"""Where the words of a query stand in a title or abstract, the same for every engine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from search import analysis
from search.lexicon import lexicon
from search.words import analyse, everyday

START, END = "\ue000", "\ue001"
_LATIN = re.compile(r"[a-z0-9]+")
_LONGEST = 4_000  # characters of a text that are searched for marks


@dataclass(frozen=True)
class _Wanted:
    """A pattern that meets every candidate, and the stems that Latin ones must have."""

    pattern: re.Pattern[str]
    stems: frozenset[str]

    def accepts(self, found: str) -> bool:
        return not _LATIN.fullmatch(found) or analysis.stem(found) in self.stems


@lru_cache(maxsize=1_000)
def _wanted(typed: str, number: int) -> _Wanted | None:
    """Return what to mark by the lexicon of that number: whole words before their parts, what
    may stand for them, and the official terms for everyday ones."""
    words = analyse(typed)
    forms: dict[str, None] = {}
    reading = everyday(typed)
    for terms in reading.meanings if reading else ():
        forms.update(dict.fromkeys(piece for term in terms for piece in term.split()))
    for word in (*words.required, *words.helpful):
        forms.update(dict.fromkeys((word.text, *word.parts, *word.synonyms)))
    if not forms:
        return None
    latin = {form for form in forms if _LATIN.fullmatch(form)}
    literal = sorted(forms.keys() - latin, key=len, reverse=True)
    # Latin words are met whole, and then judged by their stem.
    pattern = "|".join([*map(re.escape, literal), _LATIN.pattern])
    return _Wanted(re.compile(pattern), frozenset(map(analysis.stem, latin)))


def mark(text: str, typed: str) -> str | None:
    """Return the text with its matching words between U+E000 and U+E001; None without any.

    Marks already in the text are taken out first, so that a page can trust the ones it finds.
    """
    wanted = _wanted(typed, lexicon().number)
    if wanted is None:
        return None
    text = text.replace(START, "").replace(END, "")
    plain, offsets = analysis.normalise_with_offsets(text[:_LONGEST])
    pieces: list[str] = []
    done = 0
    for match in wanted.pattern.finditer(plain):
        start, end = offsets[match.start()], offsets[match.end() - 1] + 1
        if start < done or not wanted.accepts(match.group()):
            continue
        pieces += [text[done:start], START, text[start:end], END]
        done = end
    return "".join(pieces) + text[done:] if pieces else None
