"""Load the large tables of the languages at once, before a process forks: forks share them."""

from __future__ import annotations

from search.analysis import cut
from search.lexicon import lexicon
from search.pinyin import syllables


def preload_tables() -> None:
    """Load the segmenter, the terms and thesaurus, and the pinyin of characters and phrases."""
    cut("吉林省公共数据")
    syllables("数据")
    known = lexicon()
    for term in (*known.synonyms, *known.names):
        syllables(term)
