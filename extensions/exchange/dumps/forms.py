"""The files of a dump, each written record by record: none holds more than one record in memory."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

import pyarrow as pa

from extensions.exchange.reading import (
    extras_of,
    instant,
    keywords_of,
    modified_of,
    page_of,
    resources_of,
    themes_of,
)
from portal.clock import SHANGHAI
from portal.codes import code_list
from portal.tables.export_xlsx import xlsx_workbook

Package = Mapping[str, Any]
JSONL, NTRIPLES, CSV, XLSX = (
    "catalogue.jsonl.gz",
    "catalogue.nt.gz",
    "open-list.csv",
    "open-list.xlsx",
)
MEDIA_TYPES = {
    JSONL: "application/gzip",
    NTRIPLES: "application/gzip",
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
COLUMNS = (
    "资源代码", "资源名称", "资源摘要", "提供单位", "主题", "关键词", "开放类型", "开放条件", "开放状态",
    "更新频率", "行政区划", "格式", "许可", "首次发布", "数据更新", "数据文件数", "页面地址",
)  # fmt: skip
"""Of the open list (开放目录), one data set a row; what is counted is read as text all the same."""

CELL_MOST = 32_000  # characters; a workbook's cell holds 32,767
ROWS_A_PIECE = 500
BOM = b"\xef\xbb\xbf"  # without it spreadsheet programs read UTF-8 as GB18030


class Dump:
    """Writes the files of one dump into a folder. A context manager: what it leaves is whole."""

    def __init__(self, folder: Path, site_url: str) -> None:
        self._folder, self._site_url = folder, site_url
        self._files: list[Any] = []
        self.records = 0

    def __enter__(self) -> Dump:
        # No time and no name in the head: an unchanged catalogue gives unchanged bytes.
        self._jsonl, self._nt = self._zipped(JSONL), self._zipped(NTRIPLES)
        plain = (self._folder / CSV).open("wb")
        plain.write(BOM)
        text = io.TextIOWrapper(plain, encoding="utf-8", newline="")
        self._files.append(text)
        self._rows = csv.writer(text)
        self._rows.writerow(COLUMNS)
        return self

    def _zipped(self, name: str) -> BinaryIO:
        raw = (self._folder / name).open("wb")
        zipped: Any = gzip.GzipFile("", "wb", 6, raw, mtime=0)
        self._files += [zipped, raw]
        return zipped

    def add(self, raw: bytes, package: Package) -> None:
        """Add a data set: its package as CKAN shows it, byte for byte, and read."""
        from extensions.exchange.serialised import dataset_lines  # with rdflib, slow to load

        self._jsonl.write(raw + b"\n")
        self._nt.write(dataset_lines(package, self._site_url))
        self._rows.writerow(open_list_row(package, self._site_url))
        self.records += 1

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.close()

    def finish(self) -> None:
        """Make the workbook out of the text; call it once the block is left."""
        with (self._folder / XLSX).open("wb") as target:
            for piece in xlsx_workbook(COLUMNS, _workbook_rows(self._folder / CSV)):
                target.write(piece)


def open_list_row(package: Package, site_url: str) -> list[str]:
    """Return a data set as a row of the open list."""
    extras = extras_of(package)
    themes, formats = code_list("themes"), [code for _, code, _ in resources_of(package) if code]
    issued, modified = instant(extras.get("issued")), modified_of(package)
    return [
        extras.get("jl_code") or extras.get("identifier") or str(package["id"]),
        str(package.get("title") or ""),
        str(package.get("notes") or ""),
        str((package.get("organization") or {}).get("title") or ""),
        "、".join(themes[code].name for code in themes_of(package)),
        "、".join(keywords_of(package)),
        _named("open_types", extras.get("jl_open_type", "")),
        extras.get("jl_open_condition", ""),
        _STATES.get(extras.get("jl_open_state", ""), ""),
        _named("update_frequency", extras.get("jl_update_frequency", "")),
        _named("regions", extras.get("jl_region", "")),
        "、".join(dict.fromkeys(code.upper() for code in formats)),
        str(package.get("license_title") or ""),
        issued.astimezone(SHANGHAI).date().isoformat() if issued else "",
        modified.astimezone(SHANGHAI).date().isoformat() if modified else "",
        str(len(package.get("resources", []))),
        page_of(package, site_url),
    ]


_STATES = {"open": "已开放", "planned": "计划开放", "suspended": "暂停开放"}


def _named(name: str, code: str) -> str:
    found = code_list(name).find(code)
    return found.name if found else code


def _workbook_rows(path: Path) -> Iterator[pa.Array]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        piece: list[str] = []
        for row in rows:
            piece.append(_workbook_row(row))
            if len(piece) == ROWS_A_PIECE:
                yield pa.array(piece, pa.string())
                piece = []
        if piece:
            yield pa.array(piece, pa.string())


def _workbook_row(cells: list[str]) -> str:
    inner = "".join(
        f'<c s="3" t="inlineStr"><is><t xml:space="preserve">{escape(cell[:CELL_MOST])}</t></is></c>'
        for cell in cells
    )
    return f"<row>{inner}</row>"
