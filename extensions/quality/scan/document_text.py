"""The text of a document, in a process of its own: `python -m extensions.quality.scan.document_text`.

A hostile PDF may take a reader's memory and hours, so this runs as a program with a limit on both, and
prints one JSON object: {kind: {count, example}}, examples masked. The text itself never leaves it.
Exit codes: 0, or UNREAD where there is no text to look at or not all of it could be read.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from extensions.quality.scan.findings import masked_example
from extensions.quality.scan.words import kinds_in_text

UNREAD = 3
MEMORY_BYTES = 1024 * 1024 * 1024
CPU_SECONDS = 60
MOST_PAGES, MOST_CHARACTERS = 3000, 20_000_000
PART_BYTES = 200 * 1024 * 1024
PIECE_BYTES = 1024 * 1024


class Unread(Exception):
    """There is no text, or more than is looked at, or it cannot be had."""


def main(path: Path, kind: str) -> int:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable(logging.CRITICAL)
    try:
        found = kinds_in(READERS[kind](path))
    except Exception:  # whatever a broken document does to its reader: it is said to be unread
        return UNREAD
    json.dump(found, sys.stdout, ensure_ascii=False)
    return 0


def kinds_in(texts: Iterator[str]) -> dict[str, dict[str, object]]:
    """Count the kinds in all texts. Raises Unread for none or too many."""
    found: dict[str, dict[str, object]] = {}
    characters, is_there = 0, False
    for text in texts:
        characters += len(text)
        is_there = is_there or bool(text.strip())
        if characters > MOST_CHARACTERS:
            raise Unread
        for kind, part in kinds_in_text(text):
            one = found.setdefault(kind, {"count": 0, "example": masked_example(kind, part)})
            one["count"] = int(str(one["count"])) + 1
    if not is_there:
        raise Unread
    return found


def pdf_pages(path: Path) -> Iterator[str]:
    """Yield the text of each page. A page without text and with pictures is a scan: Unread."""
    from pypdf import PdfReader

    reader = PdfReader(path)
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unread
    if len(reader.pages) > MOST_PAGES:
        raise Unread
    for page in reader.pages:
        text = page.extract_text()
        if not text.strip() and "/XObject" in (page.get("/Resources") or {}):
            raise Unread
        yield text


def docx_texts(path: Path) -> Iterator[str]:
    """Yield the paragraphs of body, headers, footers, notes and comments."""
    yield from _xml_texts(path, lambda name: name.startswith("word/"), {"w:t"}, {"w:p"})


def odt_texts(path: Path) -> Iterator[str]:
    wanted = {"text:p", "text:h", "text:span"}
    yield from _xml_texts(
        path, lambda name: name in ("content.xml", "styles.xml"), wanted, {"text:p", "text:h"}
    )


def _xml_texts(
    path: Path, is_part: Callable[[str], bool], within: set[str], ends: set[str]
) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        parts = [one for one in archive.infolist() if is_part(one.filename)]
        parts = [one for one in parts if one.filename.endswith(".xml")]
        if sum(one.file_size for one in parts) > PART_BYTES:
            raise Unread
        for one in parts:
            walk = _Walk(within, ends)
            with archive.open(one) as part:
                while piece := part.read(PIECE_BYTES):
                    walk.parser.Parse(piece)
                    yield from walk.taken()
                walk.parser.Parse(b"", True)
            yield from walk.taken()


class _Walk:
    """Gathers the characters within some elements into one text for each paragraph."""

    def __init__(self, within: set[str], ends: set[str]) -> None:
        self._within, self._ends = within, ends
        self._depth, self._parts = 0, list[str]()
        self._done: list[str] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = _refuse

    def _start(self, tag: str, _attributes: dict[str, str]) -> None:
        self._depth += tag in self._within

    def _end(self, tag: str) -> None:
        self._depth -= tag in self._within
        if tag in self._ends:
            self._done.append("".join(self._parts))
            self._parts.clear()

    def _text(self, text: str) -> None:
        if self._depth:
            self._parts.append(text)

    def taken(self) -> list[str]:
        done, self._done = self._done, []
        return done


def _refuse(*_declared: object) -> NoReturn:
    raise Unread


READERS: dict[str, Callable[[Path], Iterator[str]]] = {
    "pdf": pdf_pages,
    "docx": docx_texts,
    "odt": odt_texts,
}

if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
