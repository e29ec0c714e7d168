"""The Elasticsearch index: its mapping, and an entry as one of its documents.

Only what the server core of Elasticsearch 8 has is used: no scripts, no analysis plug-ins.
"""

from __future__ import annotations

from typing import Any

from search import fields
from search.box import SIDES, sides_of
from search.document import SearchDocument
from search.facets import FACETS
from search.fields import SORT_FIELDS, TEXT_BOOSTS
from search.query import DEEPEST
from search.records import record_of

FORMAT = "f5"  # changes with the mapping or the analysis; an index of another format is rebuilt

SETTINGS: dict[str, Any] = {
    "max_result_window": DEEPEST,
    "max_terms_count": 1_000_000,
}


def mappings() -> dict[str, Any]:
    """Return the strict mapping, with a field for each facet registered now."""
    words = {"type": "text", "analyzer": "whitespace", "index_options": "freqs"}
    exact = {"type": "keyword"}
    sorting = {"type": "keyword", "index": False}
    long = {"type": "long"}
    properties: dict[str, Any] = dict.fromkeys((*TEXT_BOOSTS, fields.CODES), words)
    unanalysed = (fields.STARTS, fields.EXACT, fields.CODE, fields.LABELS, fields.LIVE)
    properties |= dict.fromkeys(unanalysed, exact)
    properties |= dict.fromkeys((*SORT_FIELDS.values(), fields.SPELLINGS), sorting)
    properties |= dict.fromkeys((fields.ID, *fields.DATES, *SIDES), long)
    properties["value_score"] = {"type": "double"}
    properties["facets"] = {"dynamic": "strict", "properties": facet_properties()}
    properties["record"] = {"type": "object", "enabled": False}
    return {
        "dynamic": "strict",
        "_meta": {"format": FORMAT},
        "_source": {"includes": ["record"]},
        "properties": properties,
    }


def facet_properties() -> dict[str, Any]:
    return {name: {"type": "keyword"} for name in FACETS}


def body_of(document: SearchDocument) -> dict[str, Any]:
    """Return the entry as an Elasticsearch document."""
    text = fields.indexed_text(document)
    return {
        **text.words,
        **text.values,
        **fields.sort_keys(document),
        fields.ID: document.id,
        fields.LABELS: sorted(document.labels),
        fields.LIVE: "yes",
        "modified": fields.instant(document.modified),
        "created": fields.instant(document.created),
        "updated": fields.instant(document.updated or document.modified),
        **(sides_of(document.area) if document.area else {}),
        "value_score": document.value_score,
        "facets": fields.facet_values(document),
        "record": record_of(document),
    }


def tombstone(entry_id: int) -> dict[str, Any]:
    """Return what remembers a removal: no label, so nobody finds it; gone with a rebuild."""
    return {fields.ID: entry_id}
