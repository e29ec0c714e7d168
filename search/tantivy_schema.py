"""The embedded index: its fields, and an entry as one of its documents."""

from __future__ import annotations

import orjson
import tantivy

from search import fields
from search.box import SIDES, sides_of
from search.document import SearchDocument
from search.fields import SORT_FIELDS, TEXT_BOOSTS
from search.records import order_of, record_of

FORMAT = "f2"  # changes with the schema or the analysis; an index of another format is rebuilt

# The search multiplies by a column, and β is a parameter: these have one, others are re-scored.
BETA_COLUMNS = {0.1: "weight_10", 0.25: "weight_25", 0.5: "weight_50", 1.0: "weight_100"}
FACET_MARK = ":"  # before each code: tantivy would index a code like 2020-01-01T00:00:00Z as a date


def build_schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in (*TEXT_BOOSTS, fields.CODES):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    for name in (fields.STARTS, fields.EXACT, fields.CODE, fields.LABELS, fields.LIVE):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in SORT_FIELDS.values():
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


def document_of(document: SearchDocument) -> tantivy.Document:
    """Return the entry as a tantivy document."""
    made = _bare(document.id, order_of(document.version, removed=False))
    text = fields.indexed_text(document)
    for name, words in text.words.items():
        made.add_text(name, words)
    for name, values in text.values.items():
        for value in values:
            made.add_text(name, value)
    for label in document.labels:
        made.add_text(fields.LABELS, label)
    made.add_text(fields.LIVE, "yes")
    for name, key in fields.sort_keys(document).items():
        made.add_text(name, key)
    codes = fields.facet_values(document)
    made.add_json("facets", {name: [FACET_MARK + c for c in codes[name]] for name in codes})
    made.add_integer("modified", fields.instant(document.modified))
    made.add_integer("created", fields.instant(document.created))
    for side, place in sides_of(document.area).items() if document.area else ():
        made.add_integer(side, place)
    made.add_float("value_score", document.value_score)
    for beta, column in BETA_COLUMNS.items():
        # The engine multiplies by log2(2 + x): this x makes that the factor 1 + β · V / 100.
        made.add_float(column, 2 ** fields.value_factor(document.value_score, beta) - 2)
    made.add_bytes("record", orjson.dumps(record_of(document), default=str))
    return made


def tombstone(entry_id: int, order: int) -> tantivy.Document:
    """Return what remembers a removal: no label, so nobody finds it."""
    return _bare(entry_id, order)


def _bare(entry_id: int, order: int) -> tantivy.Document:
    made = tantivy.Document()
    made.add_integer(fields.ID, entry_id)
    made.add_integer("write_order", order)
    return made
