"""Rows of a Parquet file, as text; types are found again by the same rules as for any file."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from portal.errors import Invalid
from portal.tables.header import unique_names
from portal.tables.limits import MIB, ReadLimits
from portal.tables.parsed_table import ParsedTable, RowsWriter, without_nul

SIGNATURE = b"PAR1"
BATCH_ROWS = 8192


def read_parquet(path: Path, limits: ReadLimits) -> ParsedTable:
    """Read every row. Raises Invalid: broken, empty, or too large once unpacked."""
    try:
        file = pq.ParquetFile(path)
        _check(file, limits)
        table = ParsedTable()
        names = file.schema_arrow.names
        table.names, table.named = unique_names(names), [bool(name.strip()) for name in names]
        table.open()
        try:
            _copy(file, table)
        except BaseException:
            table.close()
            raise
        return table
    except (pa.ArrowException, OSError):
        raise Invalid.one(
            "file",
            "parquet_unreadable",
            "这不是有效的 Parquet 文件，或文件已损坏。请重新导出后上传。",
        ) from None


def _check(file: pq.ParquetFile, limits: ReadLimits) -> None:
    facts = file.metadata
    if not facts.num_rows:
        raise Invalid.one("file", "no_rows", "Parquet 文件里没有数据行。请填写数据后重新上传。")
    unpacked = sum(facts.row_group(n).total_byte_size for n in range(facts.num_row_groups))
    width = len(file.schema_arrow.names)
    for found, allowed, message in (
        (
            unpacked // MIB,
            limits.text_bytes // MIB,
            "解压后的内容过大：{found} MB，最多 {allowed} MB。",
        ),
        (width, limits.columns, "表格有 {found} 列，最多 {allowed} 列。"),
    ):
        if found > allowed:
            raise Invalid.one("file", "too_large", message, found=found, allowed=allowed)


def _copy(file: pq.ParquetFile, table: ParsedTable) -> None:
    writer = RowsWriter(table)
    row = 1
    try:
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            numbers = pa.arange(row, row + batch.num_rows)
            row += batch.num_rows
            writer.write(numbers, [without_nul(_texts(column)) for column in batch.columns])
    finally:
        writer.close()


def _texts(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return _texts(pc.local_timestamp(column))  # as the clocks of the file's zone show it
    if pa.types.is_timestamp(kind):
        return _without_fraction(pc.cast(column, pa.timestamp("us"), safe=False))
    if pa.types.is_time(kind):
        return _without_fraction(pc.cast(column, pa.string()))
    if pa.types.is_duration(kind):
        return pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())
    if pa.types.is_nested(kind):
        values = (
            None if v is None else json.dumps(v, ensure_ascii=False, default=str)
            for v in column.to_pylist()
        )
        return pa.array(list(values), pa.string())
    if (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    ):
        return pa.array([_of_bytes(v) for v in column.to_pylist()], pa.string())
    if pa.types.is_floating(kind):
        # NaN is how programs write a missing number.
        values = column.to_pylist()
        return pa.array(
            [_plain(v) if v is not None and v == v else None for v in values], pa.string()
        )
    try:
        return pc.cast(column, pa.string())
    except pa.ArrowNotImplementedError:
        return pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())


def _of_bytes(value: bytes | None) -> str | None:
    """Return the text: many programs write texts without saying so. Else the bytes in hexadecimal."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _plain(value: float) -> str:
    """Return the shortest text of a float, without an exponent where it has at most 20 places."""
    text = repr(value).removesuffix(".0")
    return f"{value:.20f}".rstrip("0") if "e-" in text and abs(value) >= 1e-15 else text


def _without_fraction(moments: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(pc.cast(moments, pa.string()), r"\.0+$", "")
