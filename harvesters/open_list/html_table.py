"""The tables of a web page that calls itself a spreadsheet, as many offices' systems export them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from harvesters.open_list.faults import UnreadableList

_TABLE = re.compile(rb"<table\b", re.IGNORECASE)
_CHARSET = re.compile(rb"""charset\s*=\s*["']?([\w-]{1,20})""", re.IGNORECASE)
_MOST_SPAN = 300


def html_tables(
    data: bytes, *, max_rows: int, max_columns: int, max_cells: int
) -> list[list[list[str]]]:
    """Return the rows of each table; a cell over several columns or rows stands in its first.

    Raises:
        UnreadableList: too large.
    """
    if not _TABLE.search(data):
        return []
    reader = _Tables(max_rows, max_columns, max_cells)
    reader.feed(_text(data))
    reader.close()
    return [table for table in reader.tables if table]


def _text(data: bytes) -> str:
    named = _CHARSET.search(data[:2000])
    name = named[1].decode().lower() if named else "utf-8"
    for encoding in ("utf-8-sig", "gb18030" if name.startswith("gb") else name):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("gb18030", "replace")


class _Tables(HTMLParser):
    def __init__(self, max_rows: int, max_columns: int, max_cells: int) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self._bounds = max_rows, max_columns
        self._left = max_cells
        self._text: list[str] | None = None
        self._span = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self._end_cell()
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self._end_cell()
            given = dict(attrs).get("colspan") or "1"
            self._span = min(int(given), _MOST_SPAN) if given.isascii() and given.isdigit() else 1
            self._text = []
        elif tag == "br" and self._text is not None:
            self._text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def _end_cell(self) -> None:
        if self._text is None:
            return
        row = self.tables[-1][-1]
        row += ["".join(self._text).strip(), *[""] * (self._span - 1)]
        self._text = None
        self._left -= self._span
        if self._left < 0 or len(self.tables[-1]) > self._bounds[0] or len(row) > self._bounds[1]:
            raise UnreadableList("表格太大，没有读取。请另存为 XLSX 并拆成几个文件。")
