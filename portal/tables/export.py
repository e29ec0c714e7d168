"""The rows of a query as a download, streamed: the same rows in every form."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.parquet as pq

from portal.tables import export_sql
from portal.tables.cache import TableCache
from portal.tables.export_xlsx import xlsx_workbook
from portal.tables.info import Column, TableInfo
from portal.tables.piece_sink import PieceSink
from portal.tables.query import CompiledQuery, TableQuery, compile_query
from portal.tables.stream import Stream

PIECE_BYTES = 256 * 1024
PARQUET_BATCH_ROWS = 50_000


class ExportForm(StrEnum):
    CSV = "csv"  # UTF-8 with a byte order mark, which Excel needs to show Chinese
    CSV_GB18030 = "csv_gb18030"
    XLSX = "xlsx"
    JSON = "json"
    NDJSON = "ndjson"
    XML = "xml"
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
    ExportForm.PARQUET: FormFacts("application/vnd.apache.parquet", "parquet"),
}


def export_rows(
    cache: TableCache, info: TableInfo, query: TableQuery, form: ExportForm
) -> Iterator[bytes]:
    """Return the rows of a query as pieces of at most 256 KiB, made while they are read.

    CSV and XLSX are headed by the columns' own names, the other forms by field names. Set
    `query.limit` to None for all rows. The query is checked and started before this returns, so
    that an error can still become an answer. Close the iterator when the receiver goes away.

    Raises:
        Invalid: the query does not fit the table.
        Unavailable: it took too long or too much memory.
    """
    compiled = compile_query(info, query, whole=True)
    select, write = _WRITERS[form]
    pieces = _pieces(_run(cache, info, compiled, select, write))
    first = next(pieces, b"")
    return _continued(first, pieces)


def _continued(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _run(
    cache: TableCache,
    info: TableInfo,
    compiled: CompiledQuery,
    select: Callable[[Sequence[Column]], str],
    write: Callable[[Sequence[Column], Stream], Iterator[bytes]],
) -> Iterator[bytes]:
    with cache.statement(info, select(compiled.columns), compiled) as stream:
        yield from write(compiled.columns, stream)


def _pieces(data: Iterable[bytes]) -> Iterator[bytes]:
    """Gather small pieces and cut large ones."""
    held = bytearray()
    for piece in data:
        held += piece
        while len(held) >= PIECE_BYTES:
            yield bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
    if held:
        yield bytes(held)


def _csv_text(columns: Sequence[Column], stream: Stream) -> Iterator[str]:
    header = io.StringIO()
    csv.writer(header).writerow(_safe_header(column.name) for column in columns)
    yield header.getvalue()
    for lines in stream.texts():
        yield "\r\n".join([*lines, ""])


def _safe_header(name: str) -> str:
    return f"'{name}" if name[:1] in "=+-@＝＋－＠" else name


def _csv(columns: Sequence[Column], stream: Stream) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf"
    for text in _csv_text(columns, stream):
        yield text.encode()


def _csv_gb18030(columns: Sequence[Column], stream: Stream) -> Iterator[bytes]:
    for text in _csv_text(columns, stream):
        yield text.encode("gb18030")


def _xlsx(columns: Sequence[Column], stream: Stream) -> Iterator[bytes]:
    return xlsx_workbook([column.name for column in columns], stream.texts())


def _json(columns: Sequence[Column], stream: Stream) -> Iterator[bytes]:
    before = "[\n"
    for objects in stream.texts():
        yield (before + ",\n".join(objects)).encode()
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"


def _ndjson(columns: Sequence[Column], stream: Stream) -> Iterator[bytes]:
    for objects in stream.texts():
        yield "\n".join([*objects, ""]).encode()


def _xml(columns: Sequence[Column], stream: Stream) -> Iterator[bytes]:
    fields = "".join(
        f"<field name={quoteattr(column.field_name)} type={quoteattr(column.type)}>"
        f"{escape(column.name)}</field>\n"
        for column in columns
    )
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<table>\n<fields>\n{fields}</fields>\n<rows>\n'.encode()
    for rows in stream.texts():
        yield "\n".join([*rows, ""]).encode()
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


_WRITERS: dict[
    ExportForm,
    tuple[Callable[[Sequence[Column]], str], Callable[[Sequence[Column], Stream], Iterator[bytes]]],
] = {
    ExportForm.CSV: (export_sql.csv_line, _csv),
    ExportForm.CSV_GB18030: (export_sql.csv_line, _csv_gb18030),
    ExportForm.XLSX: (export_sql.xlsx_cells, _xlsx),
    ExportForm.JSON: (export_sql.json_object, _json),
    ExportForm.NDJSON: (export_sql.json_object, _ndjson),
    ExportForm.XML: (export_sql.xml_element, _xml),
    ExportForm.PARQUET: (export_sql.typed, _parquet),
}
