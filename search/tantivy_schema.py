"""The embedded index: its fields, and an entry as one of its documents."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import orjson
import tantivy

from search import fields
from search.box import SIDES, sides_of
from search.document import SearchDocument
from search.fields import SORT_FIELDS, TEXT_BOOSTS
from search.records import order_of, record_of

FORMAT = "f5"  # changes with the schema or the analysis; an index of another format is rebuilt

# The search multiplies by a column, and β is a parameter: these have one, others are re-scored.
BETA_COLUMNS = {0.1: "weight_10", 0.25: "weight_25", 0.5: "weight_50", 1.0: "weight_100"}
FACET_MARK = ":"  # before each code: tantivy would index a code like 2020-01-01T00:00:00Z as a date


def build_schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in (*TEXT_BOOSTS, fields.CODES):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    for name in (fields.STARTS, fields.EXACT, fields.CODE, fields.LABELS, fields.LIVE):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in (*SORT_FIELDS.values(), fields.SPELLINGS):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    builder.add_json_field("facets", tokenizer_name="raw", index_option="basic", fast=True)
    builder.add_integer_field(fields.ID, indexed=True, fast=True)
    builder.add_integer_field("write_order", fast=True)
    for name in (*fields.DATES, *SIDES):
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in ("value_score", *BETA_COLUMNS.values()):
        builder.add_float_field(name, fast=True)
    builder.add_bytes_field("record", stored=True)
    return builder.build()


SCHEMA = build_schema()


def body_of(document: SearchDocument) -> dict[str, Any]:
    """Return the entry as the JSON that the engine reads: quicker than a document built in Python.

    Raises:
        TypeError, ValueError: a value is not of its field's type; the document is named by whoever
            writes it.
    """
    text = fields.indexed_text(document)
    codes = fields.facet_values(document)
    return {
        **tombstone(document.id, order_of(document.version, removed=False)),
        **text.words,
        **text.values,
        **fields.sort_keys(document),
        fields.LABELS: sorted(document.labels),
        fields.LIVE: "yes",
        "facets": {name: [FACET_MARK + code for code in codes[name]] for name in codes},
        "modified": fields.instant(document.modified),
        "created": fields.instant(document.created),
        "updated": fields.instant(document.updated or document.modified),
        **(sides_of(document.area) if document.area else {}),
        "value_score": float(document.value_score),
        # The engine multiplies by log2(2 + x): this x makes that the factor 1 + β · V / 100.
        **{
            column: 2 ** fields.value_factor(document.value_score, beta) - 2
            for beta, column in BETA_COLUMNS.items()
        },
        "record": b64encode(orjson.dumps(record_of(document), default=str)).decode("ascii"),
    }


def tombstone(entry_id: int, order: int) -> dict[str, Any]:
    """Return what remembers a removal: no label, so nobody finds it."""
    return {fields.ID: entry_id, "write_order": order}
