"""The fields of the index, and what a document puts into them: the same for every engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from search import analysis
from search.document import SearchDocument
from search.facets import FACETS
from search.pinyin import title_order, title_starts
from search.request import Sort
from search.vocabulary import spellings

# How much a word in a field counts. A title says what an entry is, a sample value hardly anything.
TEXT_BOOSTS = {
    "title": 5.0,
    "keywords": 3.0,
    "item_names": 1.5,
    "provider_names": 2.0,
    "abstract": 1.0,
    "sample_values": 0.5,
}
CODES, STARTS, EXACT, CODE, SPELLINGS = "codes", "starts", "exact", "code", "spellings"
LABELS, ID, VERSION, LIVE = "labels", "id", "version", "live"
DATES = ("modified", "created", "updated")
SORT_FIELDS = {
    Sort.VALUE: "by_value",
    Sort.MODIFIED: "by_modified",
    Sort.CREATED: "by_created",
    Sort.UPDATED: "by_updated",
    Sort.TITLE: "by_title",
    Sort.DOWNLOADS: "by_downloads",
}
# A token in every field of every entry: Lucene counts only the entries that have the field, tantivy
# all of them, and a word would weigh differently in a field that few entries fill.
PRESENT = "∎"
_LONGEST_TEXT = 20_000  # characters of one field that are indexed
_LONGEST_CODE = 1_000  # engines refuse or drop much longer values
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOP = 10**18


def instant(moment: datetime) -> int:
    """Return microseconds since 1970; a datetime without zone is read as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // (_EPOCH.resolution)


def downward(number: int) -> str:
    """Return a text that sorts the higher the number, the earlier (numbers within ±10¹⁸)."""
    return f"{_TOP - number:019d}"


def sort_keys(document: SearchDocument) -> dict[str, str]:
    """Return one unique text for each order; ascending texts are the order people expect.

    Ties go by value, then by how new the data is (value order only), then by code, then by id.
    The opposite direction is the exact mirror.
    """
    last = f"{document.code}\x01{document.id:019d}"
    modified = downward(instant(document.modified))
    return {
        "by_value": f"{downward(round(document.value_score * 1000))} {modified} {last}",
        "by_modified": f"{modified} {last}",
        "by_created": f"{downward(instant(document.created))} {last}",
        "by_updated": f"{downward(instant(document.updated or document.modified))} {last}",
        "by_title": f"{title_order(document.title)}\x01{last}",
        "by_downloads": f"{downward(document.downloads)} {last}",
    }


@dataclass(frozen=True)
class IndexedText:
    """`words`: analysed field → tokens joined by spaces. `values`: unanalysed field → values."""

    words: dict[str, str]
    values: dict[str, list[str]]


def _join(*texts: str) -> str:
    return " ".join(analysis.tokens("\n".join(texts)[:_LONGEST_TEXT]))


_kept_join = lru_cache(maxsize=1_000)(_join)  # an agency's names come with each of its entries


def indexed_text(document: SearchDocument) -> IndexedText:
    """Return what is looked up in the entry's texts and codes."""
    titles = [text for text in (document.title, document.title_en) if text]
    codes = [code for code in (document.code, document.name) if code]
    words = {
        "title": _join(*titles),
        "keywords": _join(*document.keywords),
        "item_names": _join(*document.item_names),
        "provider_names": _kept_join(*document.provider_names),
        "abstract": _join(document.abstract),
        "sample_values": _join(*document.sample_values),
        CODES: " ".join(analysis.code_tokens(codes)),
    }
    exact = {key: None for key in map(analysis.exact_key, (*titles, *codes)) if key}
    values = {
        STARTS: title_starts(document.title),
        EXACT: list(exact),
        CODE: list(dict.fromkeys(codes)),
        SPELLINGS: spellings(document),
    }
    return IndexedText({name: f"{text} {PRESENT}" for name, text in words.items()}, values)


def facet_values(document: SearchDocument) -> dict[str, list[str]]:
    """Return the entry's codes of every registered facet, each once."""
    return {
        name: list(dict.fromkeys(code[:_LONGEST_CODE] for code in codes))
        for name, codes in document.facets.items()
        if name in FACETS and codes
    }


def value_factor(value_score: float, beta: float) -> float:
    """Return 1 + β · V / 100, the bounded factor by which value lifts a text score."""
    return 1 + beta * value_score / 100
