"""The rows of a query as a download, streamed: the same rows in every form."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.parquet as pq

from portal.tables import export_sql
from portal.tables.cache import TableCache
from portal.tables.export_rdf import turtle
from portal.tables.export_text import batch_rows, joined
from portal.tables.export_xlsx import xlsx_workbook
from portal.tables.info import Column, TableInfo
from portal.tables.piece_sink import PieceSink
from portal.tables.query import CompiledQuery, TableQuery, compile_query
from portal.tables.stream import Stream

PIECE_BYTES = 256 * 1024
BROKEN_OFF = "导出中断，数据不完整，请重新下载。Broken off: the data is incomplete."
PARQUET_BATCH_ROWS = 50_000


class ExportForm(StrEnum):
    CSV = "csv"  # UTF-8 with a byte order mark, which Excel needs to show Chinese
    CSV_GB18030 = "csv_gb18030"
    XLSX = "xlsx"
    JSON = "json"
    NDJSON = "ndjson"
    XML = "xml"
    RDF = "rdf"  # Turtle
    PARQUET = "parquet"


@dataclass(frozen=True)
class FormFacts:
    content_type: str
    extension: str


FACTS = {
    ExportForm.CSV: FormFacts("text/csv; charset=utf-8", "csv"),
    ExportForm.CSV_GB18030: FormFacts("text/csv; charset=gb18030", "csv"),
    ExportForm.XLSX: FormFacts(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"
    ),
    ExportForm.JSON: FormFacts("application/json", "json"),
    ExportForm.NDJSON: FormFacts("application/x-ndjson", "ndjson"),
    ExportForm.XML: FormFacts("application/xml; charset=utf-8", "xml"),
    ExportForm.RDF: FormFacts("text/turtle; charset=utf-8", "ttl"),
    ExportForm.PARQUET: FormFacts("application/vnd.apache.parquet", "parquet"),
}


Select = Callable[[Sequence[Column]], str]
Write = Callable[[Sequence[Column], Stream], Iterator[bytes]]


def export_rows(
    cache: TableCache, info: TableInfo, query: TableQuery, form: ExportForm, *, address: str = ""
) -> Iterator[bytes]:
    """Return the rows of a query as pieces of at most 256 KiB, made while they are read.

    CSV and XLSX are headed by the columns' own names, the other forms by field names. Set
    `query.limit` to None for all rows. The query is checked and started before this returns, so
    that an error can still become an answer. Close the iterator when the receiver goes away.

    Args:
        address: of the table on the Web, which RDF names its rows and columns by.

    Raises:
        Invalid: the query does not fit the table.
        Unavailable: it took too long or too much memory.
    """
    compiled = compile_query(info, query, whole=True)
    select, write = _WRITERS[form]
    if form is ExportForm.RDF:
        table = address or f"urn:sha256:{info.parquet_sha256}"
        write = partial(turtle, address=table)
    pieces = cut_into_pieces(_run(cache, info, compiled, select, write))
    first = next(pieces, b"")
    return whole_or_marked(first, pieces, _BROKEN[form])


def whole_or_marked(first: bytes, rest: Iterator[bytes], mark: bytes) -> Iterator[bytes]:
    """Yield the pieces; if they break off, end with a mark that no reader takes for data.

    A server ends a broken answer of unknown length like a whole one (granian does), so that the
    body itself must say it. Forms with an end of their own (JSON, XML, archives) need no mark.
    """
    try:
        yield first
        yield from rest
    except Exception:
        if mark:
            yield mark
        raise


def _run(
    cache: TableCache, info: TableInfo, compiled: CompiledQuery, select: Select, write: Write
) -> Iterator[bytes]:
    with cache.statement(info, select(compiled.columns), compiled) as stream:
        yield from write(compiled.columns, stream)


def cut_into_pieces(data: Iterable[bytes]) -> Iterator[bytes]:
    """Gather small pieces and cut large ones, to 256 KiB each."""
    held = b""
    for given in data:
        piece = held + given if held else given
        start = 0
        while len(piece) - start >= PIECE_BYTES:
            yield piece[start : start + PIECE_BYTES]
            start += PIECE_BYTES
        held = piece[start:] if start else piece
    if held:
        yield held


def _csv_header(columns: Sequence[Column]) -> str:
    header = io.StringIO()
    csv.writer(header).writerow(safe_header(column.name) for column in columns)
    return header.getvalue()


def safe_header(name: str) -> str:
    """Return a text that no spreadsheet runs as a formula."""
    return f"'{name}" if name.startswith(tuple("=+-@＝＋－＠")) else name


def _batches(columns: Sequence[Column], stream: Stream) -> Iterator[bytes]:
    for texts in stream.texts(batch_rows(tuple(columns))):
        yield joined(texts)


def _csv(columns: Sequence[Column], stream: Stream) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf" + _csv_header(columns).encode()
    yield from _batches(columns, stream)


def _csv_gb18030(columns: Sequence[Column], stream: Stream) -> Iterator[bytes]:
    yield _csv_header(columns).encode("gb18030")
    for lines in _batches(columns, stream):
        yield lines.decode().encode("gb18030")


def _xlsx(columns: Sequence[Column], stream: Stream) -> Iterator[bytes]:
    names = [column.name for column in columns]
    return xlsx_workbook(names, stream.texts(batch_rows(tuple(columns))))


def _json(columns: Sequence[Column], stream: Stream) -> Iterator[bytes]:
    """Each object comes behind a comma and a line's end, which the first one does not need."""
    before, skipped = b"[", 1
    for objects in _batches(columns, stream):
        yield before + objects[skipped:]
        before, skipped = b"", 0
    yield b"[]\n" if skipped else b"\n]\n"


def _ndjson(columns: Sequence[Column], stream: Stream) -> Iterator[bytes]:
    return _batches(columns, stream)


def _xml(columns: Sequence[Column], stream: Stream) -> Iterator[bytes]:
    fields = "".join(
        f"<field name={quoteattr(column.field_name)} type={quoteattr(column.type)}>"
        f"{escape(column.name)}</field>\n"
        for column in columns
    )
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<table>\n<fields>\n{fields}</fields>\n<rows>\n'.encode()
    yield from _batches(columns, stream)
    yield b"</rows>\n</table>\n"


def _parquet(columns: Sequence[Column], stream: Stream) -> Iterator[bytes]:
    batches = stream.record_batches(PARQUET_BATCH_ROWS)
    names = {column.field_name: column.name.encode() for column in columns}
    fields = [field.with_metadata({"name": names[field.name]}) for field in next(batches)]
    schema = pa.schema(fields)
    sink = PieceSink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as out:
        for batch in batches:
            out.write_batch(batch.cast(schema))
            yield sink.taken()
    yield sink.taken()


def _before(text: str, select: Select) -> Select:
    return lambda columns: f"concat({text}, {select(columns)})"


def _behind(select: Select, text: str) -> Select:
    return lambda columns: f"concat({select(columns)}, {text})"


_WRITERS: dict[ExportForm, tuple[Select, Write]] = {
    ExportForm.CSV: (_behind(export_sql.csv_line, "chr(13), chr(10)"), _csv),
    ExportForm.CSV_GB18030: (_behind(export_sql.csv_line, "chr(13), chr(10)"), _csv_gb18030),
    ExportForm.XLSX: (export_sql.xlsx_row, _xlsx),
    ExportForm.JSON: (_before("',', chr(10)", export_sql.json_object), _json),
    ExportForm.NDJSON: (_behind(export_sql.json_object, "chr(10)"), _ndjson),
    ExportForm.XML: (_behind(export_sql.xml_element, "chr(10)"), _xml),
    ExportForm.RDF: (_behind(export_sql.turtle_row, "chr(10)"), partial(turtle, address="")),
    ExportForm.PARQUET: (export_sql.typed, _parquet),
}
# An open quote or object: whoever parses the file fails, whoever reads it sees why.
_BROKEN = dict.fromkeys(ExportForm, b"") | {
    ExportForm.CSV: f'\r\n"{BROKEN_OFF}'.encode(),
    ExportForm.CSV_GB18030: f'\r\n"{BROKEN_OFF}'.encode("gb18030"),
    ExportForm.NDJSON: f'\n{{"error": "{BROKEN_OFF}'.encode(),
    ExportForm.RDF: f'\n<> csvw:note "{BROKEN_OFF}'.encode(),
}
