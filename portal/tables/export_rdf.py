"""RDF as Turtle, by the plain mapping of "Generating RDF from Tabular Data on the Web" (CSVW).

A row is `<#row-N>` (N counts the rows of the file from 1) of type csvw:Row; a column is a property
of the table's own address with the name of the column as its label; values have XSD types, a blank
has no triple.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

import orjson

from portal.tables.export_sql import XSD_TYPES
from portal.tables.export_text import batch_rows, joined
from portal.tables.info import Column
from portal.tables.stream import Stream

_PREFIXES = """\
@prefix csvw: <http://www.w3.org/ns/csvw#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


def turtle(columns: Sequence[Column], stream: Stream, address: str) -> Iterator[bytes]:
    """Yield the table whose rows `turtle_row` writes; `address` is the table's own."""
    base = quote(address, safe="/:?#[]@!$&'()*+,;=%~._-")
    properties = "".join(
        f":{column.field_name} a rdf:Property ; rdfs:label {orjson.dumps(column.name).decode()}"
        f" ; rdfs:range {XSD_TYPES[column.type]} .\n"
        for column in columns
    )
    yield f"@base <{base}> .\n@prefix : <{base}#> .\n{_PREFIXES}<> a csvw:Table .\n".encode()
    yield properties.encode()
    for texts in stream.texts(batch_rows(tuple(columns))):
        yield joined(texts)
