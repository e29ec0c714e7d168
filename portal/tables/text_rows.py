"""Rows of a CSV or TSV file: which delimiter, and every record with its number."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
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

DELIMITERS = (",", "\t", ";", "|", "；", "，", "\x01")
SNIFFED_LINES = 200
ENDS_KEPT = 500
SPANNED_LINES = 1000  # a value in quotes has at most so many
LEAST_SHARE = 0.5  # of the lines are split alike where there is a table
LINE_CHARACTERS = 64 * 1024 * 1024  # a longer line is none
SNIFFED_CHARACTERS = 64 * 1024  # of one line


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


def sniff_delimiter(lines: Sequence[str], filename: str) -> tuple[str, float]:
    """Return the delimiter that splits most lines into the same number of cells, and their share.

    0.0: none splits any; the one that the file's name suggests.
    """
    best, best_score = "\t" if filename.lower().endswith((".tsv", ".tab")) else ",", 0.0
    for delimiter in DELIMITERS:
        counts = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter))
        records = counts.total()
        width, rows = max(counts.items(), key=lambda item: (item[0] > 1) * item[1], default=(1, 0))
        score = rows / records + min(width, 20) / 1000 if width > 1 else 0.0
        if score > best_score + 1e-9:
            best, best_score = delimiter, score
    return best, best_score


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
        found, share = self._sniff(filename)
        self.delimiter = delimiter or found
        self.are_split = share >= LEAST_SHARE  # like a table

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
        first, read = _bare(line, self.delimiter) if '="' in line else line, [line]

        def feed() -> Iterator[str]:
            yield first
            while len(read) <= SPANNED_LINES and (following := self._next_line(text)):
                read.append(following)
                yield following

        try:
            cells = next(csv.reader(feed(), delimiter=self.delimiter, strict=True))
        except csv.Error:
            self._put_back = [*read[1:], *self._put_back]
            read = [line]
            cells = first.rstrip("\r\n").split(self.delimiter)
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

    def _sniff(self, filename: str) -> tuple[str, float]:
        try:
            with self._open() as text:
                lines = [text.readline(SNIFFED_CHARACTERS) for _ in range(SNIFFED_LINES)]
                found, share = sniff_delimiter([line for line in lines if line], filename)
                return found, share if any(lines[1:]) else 0.0
        except UnicodeDecodeError:
            raise self._wrong_bytes() from None

    def _next_line(self, text: TextIO) -> str:
        """Return the next line, "" at the end; lines that were put back come first."""
        if self._put_back:
            return self._put_back.pop(0)
        line = text.readline(LINE_CHARACTERS)
        if len(line) >= LINE_CHARACTERS:
            raise Invalid.one(
                f"第 {self.row + 1} 行",
                "line_too_long",
                "第 {row} 行超过 {most} 万字，不像表格的一行。请检查换行后重新导出。",
                row=self.row + 1,
                most=LINE_CHARACTERS // 10_000,
            )
        if "\0" not in line:
            return line
        bare = line.replace("\0", "")
        self._notes.add(self.row + 1, "nul", [bare])
        return bare or "\n"

    def _wrong_bytes(self) -> Invalid:
        return Invalid.one(
            f"第 {getattr(self, 'row', 0) + 1} 行",
            "wrong_encoding",
            "第 {row} 行之后有不属于 {encoding} 编码的字节。请换一种编码重新上传，或另存为 UTF-8。",
            row=self.row + 1,
            encoding=self._encoding.upper(),
        )


def _bare(line: str, delimiter: str) -> str:
    """Take `="…"`, by which programs keep Excel from changing a code, for what stands in it."""
    mark = re.escape(delimiter)
    return re.sub(rf'(^|{mark})="((?:[^"\r\n]|"")*)"(?=$|{mark}|[\r\n])', r'\1"\2"', line)
