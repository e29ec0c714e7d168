"""A CSV as rows of text: its encoding, its delimiter, and quotes that were never closed."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from harvesters.open_list.faults import UnreadableList

_PIECE = 1 << 16
_USUAL, _OTHER = ",\t;", "|，"
_LINES = 5
_RARE_SHARE = 0.2
_ENOUGH_HANZI = 10


def csv_rows(data: bytes, *, max_rows: int, max_columns: int, max_cells: int) -> list[list[str]]:
    """Return the rows, every cell stripped.

    Raises:
        UnreadableList: no text, too large, or a quote swallows the lines behind it.
    """
    encoding = encoding_of(data)
    delimiter = _delimiter_of(data[:_PIECE].decode(encoding, "replace"))
    rows: list[list[str]] = []
    cells = last_line = 0
    text = io.TextIOWrapper(io.BytesIO(data), encoding, newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=False)
    try:
        for row in reader:
            if reader.line_num - last_line > 1:
                _check_quotes(row, delimiter, last_line + 1)
            last_line = reader.line_num
            rows.append([cell.strip() for cell in row])
            cells += len(row)
            if len(rows) > max_rows or len(row) > max_columns or cells > max_cells:
                raise UnreadableList(
                    f"文件太大：最多 {max_rows} 行、{max_columns} 列、{max_cells} 格。"
                )
    except csv.Error as error:
        raise UnreadableList(f"第 {len(rows) + 1} 行附近不是有效的 CSV。") from error
    return rows


def _delimiter_of(start: str) -> str:
    """Return the usual mark that stands most often; others count where none of those stands."""
    best = max(_USUAL, key=lambda mark: (start.count(mark), mark == ","))
    head = "".join(start.splitlines(keepends=True)[:_LINES])
    if any(mark in head for mark in _USUAL):
        return best
    other = max(_OTHER, key=head.count)
    return other if other in head else best


def _check_quotes(row: list[str], delimiter: str, line: int) -> None:
    """A cell of several lines is fine; one in which whole rows stand was never closed.

    Raises:
        UnreadableList: so it seems; the lines would be lost.
    """
    for cell in row:
        inner = cell.splitlines()[1:]
        if sum(part.count(delimiter) >= 2 for part in inner) * 2 > len(inner):
            raise UnreadableList(
                f"第 {line} 行的引号没有闭合，后面的 {len(inner)} 行会被当成同一格。"
                "请补上或删去多余的引号后重新上传。"
            )


def encoding_of(data: bytes) -> str:
    """Return UTF-8, UTF-16, GB18030 or Big5, by mark, then by strictness and by what is usual.

    Raises:
        UnreadableList: none of them.
    """
    encodings = ["utf-8-sig", "gb18030", "big5hkscs"]
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif b"\0" in data[:1000]:
        even, odd = data[:1000:2].count(0), data[1:1000:2].count(0)
        encodings = ["utf-16-be" if even > odd else "utf-16-le"]
    for encoding in encodings:
        try:
            is_text = not any("\0" in piece for piece in _decoded(data, encoding))
        except UnicodeDecodeError:
            continue
        if not is_text:
            raise UnreadableList("这不是文本或电子表格文件。请上传 XLSX、XLS 或 CSV。")
        return "big5hkscs" if encoding == "gb18030" and _is_big5(data) else encoding
    raise UnreadableList("无法识别文件的编码。请另存为 UTF-8 或 GB18030 编码的 CSV，或 XLSX。")


def _is_big5(data: bytes) -> bool:
    """GB18030 takes Big5's bytes too, as characters that hardly anybody writes.

    Those end in a byte below A1, as every second one of Big5 does and nearly none of GB2312.
    """
    start = data[:_PIECE]
    pairs = rare = at = 0
    while at + 1 < len(start):
        if start[at] < 0x81:
            at += 1
            continue
        pairs += 1
        rare += start[at + 1] < 0xA1
        at += 2
    if pairs < _ENOUGH_HANZI or rare < pairs * _RARE_SHARE:
        return False
    try:
        return all(_decoded(data, "big5hkscs"))
    except UnicodeDecodeError:
        return False


def _decoded(data: bytes, encoding: str) -> Iterator[str]:
    """Yield the text piece by piece: it may be four times as large as its bytes."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, len(data), _PIECE):
        yield decoder.decode(data[start : start + _PIECE])
    yield decoder.decode(b"", final=True) or " "
