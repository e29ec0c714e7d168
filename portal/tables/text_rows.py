"""Rows of a CSV or TSV file: which delimiter, and every record with its number."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

from portal.errors import Invalid
from portal.tables.encoding import (
    ENOUGH_CONFIDENCE,
    BinaryContent,
    EncodingGuess,
    codec_named,
    detect_encoding,
)
from portal.tables.limits import ReadLimits
from portal.tables.row_notes import RowNotes

DELIMITERS = (",", "\t", ";", "|", "；", "，")
SNIFFED_LINES = 200
ENDS_KEPT = 500
SPANNED_LINES = 1000  # a value in quotes has at most so many


def choose_encoding(path: Path, encoding: str | None) -> EncodingGuess:
    """Return the encoding a person named, or the one detected. Raises Invalid when unsure."""
    if encoding:
        return EncodingGuess(codec_named(encoding), 1.0)
    try:
        guess = detect_encoding(path)
    except BinaryContent:
        raise Invalid.one(
            "file",
            "binary_content",
            "文件内容不是文本，不能作为 CSV 读取。请上传 CSV（UTF-8 或 GB18030）或 XLSX 文件。",
        ) from None
    if guess.confidence < ENOUGH_CONFIDENCE:
        raise Invalid.one(
            "encoding",
            "encoding_unclear",
            "认不出文件的文字编码。请另存为 UTF-8 编码的 CSV 后上传，或在上传时指定编码。",
        )
    return guess


def sniff_delimiter(sample: str, filename: str) -> str:
    """Return the delimiter that splits most lines of the sample into the same number of cells."""
    lines = sample.splitlines(keepends=True)[:SNIFFED_LINES]
    best, best_score = "\t" if filename.lower().endswith((".tsv", ".tab")) else ",", 0.0
    for delimiter in DELIMITERS:
        counts = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter))
        records = counts.total()
        width, rows = max(counts.items(), key=lambda item: (item[0] > 1) * item[1], default=(1, 0))
        score = rows / records + min(width, 20) / 1000 if width > 1 else 0.0
        if score > best_score + 1e-9:
            best, best_score = delimiter, score
    return best


class TextRows:
    """The records of a text file, streamed; iterate once.

    Quotes that do not pair are taken as they stand, with a note; a record never swallows the rest
    of the file. Raises (while iterating) Invalid for bytes outside the encoding, or NULs.
    """

    def __init__(
        self,
        path: Path,
        filename: str,
        encoding: str,
        limits: ReadLimits,
        notes: RowNotes,
        delimiter: str = "",
    ) -> None:
        self._path, self._encoding, self._limits = path, encoding, limits
        self._notes = notes
        self._put_back: list[str] = []
        self.row = 0
        self.ends: list[int] = []  # of the first records, in bytes of UTF-8
        self.delimiter = delimiter or self._sniff(filename)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each record with its number, as a spreadsheet program counts rows."""
        csv.field_size_limit(self._limits.cell_bytes)  # the module's only way: one for the process
        with self._open() as text:
            try:
                while line := self._next_line(text):
                    self.row += 1
                    yield self.row, self._record(line, text)
            except UnicodeDecodeError:
                raise self._wrong_bytes() from None

    def _record(self, line: str, text: TextIO) -> list[str]:
        """Return the cells of the record that begins with this line."""
        if '"' not in line:
            self._consume(line)
            return line.rstrip("\r\n").split(self.delimiter) if line.strip("\r\n") else []
        read = [line]

        def feed() -> Iterator[str]:
            yield line
            while len(read) <= SPANNED_LINES and (following := self._next_line(text)):
                read.append(following)
                yield following

        try:
            cells = next(csv.reader(feed(), delimiter=self.delimiter, strict=True))
        except csv.Error:
            self._put_back = [*read[1:], *self._put_back]
            read = [line]
            cells = line.rstrip("\r\n").split(self.delimiter)
            self._notes.add(self.row, "stray_quote", cells)
        self._consume("".join(read))
        return cells

    def _consume(self, record: str) -> None:
        if len(self.ends) < ENDS_KEPT:
            self.ends.append((self.ends[-1] if self.ends else 0) + len(record.encode()))

    def _open(self) -> TextIO:
        text = self._path.open(encoding=self._encoding, newline="")
        if text.read(1) != "\ufeff":
            text.seek(0)
        return text

    def _sniff(self, filename: str) -> str:
        try:
            with self._open() as text:
                return sniff_delimiter("".join(islice(text, SNIFFED_LINES)), filename)
        except UnicodeDecodeError:
            raise self._wrong_bytes() from None

    def _next_line(self, text: TextIO) -> str:
        """Return the next line, "" at the end; lines that were put back come first."""
        if self._put_back:
            return self._put_back.pop(0)
        line = text.readline()
        if "\0" in line:
            raise Invalid.one(
                f"第 {self.row + 1} 行",
                "binary_content",
                "第 {row} 行附近有二进制内容，文件可能已损坏。请重新导出后上传。",
                row=self.row + 1,
            )
        return line

    def _wrong_bytes(self) -> Invalid:
        return Invalid.one(
            f"第 {getattr(self, 'row', 0) + 1} 行",
            "wrong_encoding",
            "第 {row} 行之后有不属于 {encoding} 编码的字节。请换一种编码重新上传，或另存为 UTF-8。",
            row=self.row + 1,
            encoding=self._encoding.upper(),
        )
