"""Write a sample table as CSV, XLSX, JSON or GeoJSON, in the encodings agencies really use."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from .generators.places import Row

ENCODINGS = {
    "transport/roadworks.csv": "gb18030",
    "housing/changchun_toilets.csv": "gb18030",
    "agriculture/slaughterhouses.csv": "gb18030",
    "commerce/grain_prices.csv": "gb18030",
    "environment/river_quality.csv": "utf-16",
    "transport/bus_stops.csv": "utf-8-sig",
    "social/employment_stations.csv": "utf-8-sig",
    "commerce/markets.csv": "utf-8-sig",
}
DEFAULT_DECIMALS = 6
MADE_ON = "2026-11-23T00:00:00Z"


@dataclass(frozen=True)
class Column:
    """What a writer needs of an information item."""

    name: str
    field_name: str
    data_type: str
    decimals: int
    nullable: bool

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> Column:
        decimals = item.get("precision", DEFAULT_DECIMALS if item["data_type"] == "double" else 0)
        if item["data_type"] == "money":
            decimals = 2
        return cls(item["name"], item["field_name"], item["data_type"], decimals, item["nullable"])


def write_table(path: Path, title: str, columns: list[Column], rows: list[Row]) -> None:
    """Write `rows` in the format that the ending of `path` names."""
    match path.suffix:
        case ".csv":
            path.write_bytes(_csv(path, columns, rows))
        case ".json":
            path.write_bytes(_lines("[", [_plain(columns, row) for row in rows], "]"))
        case ".geojson":
            path.write_bytes(_geojson(columns, rows))
        case ".xlsx":
            path.write_bytes(_xlsx(title, columns, rows))
        case other:
            raise ValueError(f"no writer for {other}")


def _value(column: Column, value: object) -> object:
    """Return a JSON value: numbers rounded to the item's precision, dates as ISO text."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return round(value, column.decimals) if column.decimals else round(value)
    return value


def _text(column: Column, value: object) -> str:
    plain = _value(column, value)
    if plain is None:
        return ""
    if isinstance(plain, bool):
        return "是" if plain else "否"
    if isinstance(plain, float):
        return f"{Decimal(str(plain)):.{column.decimals}f}"
    return str(plain)


def _plain(columns: list[Column], row: Row) -> dict[str, object]:
    return {c.field_name: _value(c, row[c.field_name]) for c in columns}


def _csv(path: Path, columns: list[Column], rows: list[Row]) -> bytes:
    encoding = ENCODINGS.get("/".join(path.parts[-2:]), "utf-8")
    is_utf16 = encoding == "utf-16"
    buffer = io.StringIO(newline="")
    writer = csv.writer(
        buffer,
        delimiter="\t" if is_utf16 else ",",
        lineterminator="\n" if encoding == "utf-8" else "\r\n",
    )
    writer.writerow([c.name for c in columns])
    writer.writerows([_text(c, row[c.field_name]) for c in columns] for row in rows)
    if is_utf16:  # the order of bytes must not depend on the machine
        return b"\xff\xfe" + buffer.getvalue().encode("utf-16-le")
    return buffer.getvalue().encode(encoding)


def _lines(start: str, values: list[dict[str, object]], end: str) -> bytes:
    """Return JSON with one object a line, so that a change of one row is a change of one line."""
    body = ",\n".join(json.dumps(v, ensure_ascii=False, separators=(",", ":")) for v in values)
    return f"{start}\n{body}\n{end}\n".encode()


def _geojson(columns: list[Column], rows: list[Row]) -> bytes:
    features: list[dict[str, object]] = []
    for row in rows:
        plain = _plain(columns, row)
        point = {"type": "Point", "coordinates": [plain["longitude"], plain["latitude"]]}
        features.append({"type": "Feature", "geometry": point, "properties": plain})
    return _lines('{"type":"FeatureCollection","features":[', features, "]}")


def _xlsx(title: str, columns: list[Column], rows: list[Row]) -> bytes:
    """Return a sheet with the title in a merged first row, as agencies hand them in."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "数据"
    sheet.append([title])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(columns))
    sheet.append([c.name for c in columns])
    for row in rows:
        sheet.append([_cell(c, row[c.field_name]) for c in columns])
    buffer = io.BytesIO()
    book.save(buffer)
    return _without_clock(buffer.getvalue())


def _cell(column: Column, value: object) -> Any:
    if isinstance(value, bool):
        return "是" if value else "否"
    return value if isinstance(value, date) else _value(column, value)


def _without_clock(content: bytes) -> bytes:
    """Repack a workbook so that the time it was made leaves no trace in its bytes."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in sorted(source.namelist()):
            data = source.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", MADE_ON.encode(), data)
            target.writestr(
                zipfile.ZipInfo(name, (2026, 11, 23, 0, 0, 0)), data, zipfile.ZIP_DEFLATED
            )
    return out.getvalue()
