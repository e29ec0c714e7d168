"""Run as a program: read bombs as a worker reads sources; print the most memory that a reader took.

A process of its own, so that nothing else counts: `ru_maxrss` of the children is the largest of
the readers and of what they started.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

from harvesters.record import SourceFailed
from portal.jobs.source_reader import SourceReader
from portal.models.harvest import HarvestSource
from tests.harvesters.open_list.test_bomb import packed
from tests.harvesters.open_list.test_reader import book_bytes
from tests.harvesters.replay import Answer, ReplayServer

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Repeated:
    """A body that is sent piece by piece, so that this process stays small."""

    head: bytes
    piece: bytes
    times: int
    tail: bytes

    def __iter__(self) -> Iterator[bytes]:
        yield self.head
        batch = max(1, 100_000 // len(self.piece))
        for _ in range(self.times // batch):
            yield self.piece * batch
        yield self.tail


RDF = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:a="a:">'
VALUES = Repeated(b'{"dataset": [{"a": [', b"{},", 4 * MEGABYTE, b"{}]}]}")
RECORDS = Repeated(b'{"dataset": [', b"{},", 4 * MEGABYTE, b"{}]}")
LONG_TEXT = Repeated(b'{"dataset": [{"title": "', b"x" * 1000, 110_000, b'"}]}')
CKAN = Repeated(
    b'{"success": true, "result": {"count": 1, "results": [', b"{},", 3 * MEGABYTE, b"{}]}}"
)
TURTLE = Repeated(b"<a:a> <a:b> ", b"[],", 4 * MEGABYTE, b"[] .")
RDF_XML = Repeated(RDF, b"<rdf:Description><a:b>1</a:b></rdf:Description>", 120_000, b"</rdf:RDF>")
JSON_LD = Repeated(b'{"@context": {}, "@graph": [', b'{"a:b":{}},', MEGABYTE, b"{}]}")
DEEP = Repeated(b'{"@context": {}, "a:b": ', b'{"a:b":', 400_000, b"1")
SHARED = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%s</t></si></sst>'
CSV = Repeated(b"a,b\n", b"1,2,3,4,5,6,7,8,9\n", 700_000, b"")


def shared_text() -> bytes:
    """One long text named by half a million cells: some kilobytes that unfold into gigabytes."""
    row = b"<row>" + b'<c t="s"><v>0</v></c>' * 10 + b"</row>"
    sound = zipfile.ZipFile(io.BytesIO(book_bytes(a=[["x"]])))
    parts = {name: sound.read(name) for name in sound.namelist()}
    sheet, links = parts["xl/worksheets/sheet1.xml"], parts["xl/_rels/workbook.xml.rels"]
    begin, end = sheet.index(b"<row"), sheet.index(b"</sheetData>")
    parts["xl/worksheets/sheet1.xml"] = sheet[:begin] + row * 50_000 + sheet[end:]
    parts["xl/_rels/workbook.xml.rels"] = links.replace(
        b"</Relationships>",
        b'<Relationship Id="rIdS" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        b'relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    )
    parts["xl/sharedStrings.xml"] = SHARED % (b"x" * 30_000)
    return packed(parts)


BOMBS: dict[str, tuple[str, str, bytes | Iterable[bytes]]] = {
    "small values in one record": ("datajson", "", VALUES),
    "ten million records": ("datajson", "", RECORDS),
    "one long text": ("datajson", "", LONG_TEXT),
    "a page of CKAN": ("ckan", "/api/action/package_search", CKAN),
    "Turtle": ("dcat", "", TURTLE),
    "RDF/XML": ("dcat", "", RDF_XML),
    "JSON-LD": ("dcat", "", JSON_LD),
    "deep JSON-LD": ("dcat", "", DEEP),
    "a text shared by cells": ("open_list", "", shared_text()),
    "CSV": ("open_list", "", CSV),
}


def main() -> None:
    found: dict[str, str] = {}
    with ReplayServer() as server:
        reader = SourceReader(frozenset({server.address}))
        for number, (name, (kind, path, body)) in enumerate(BOMBS.items()):
            server.on(f"/{number}{path}", Answer(body=body))
            source = SimpleNamespace(kind=kind, url=f"{server.url}/{number}")
            found[name] = _read(reader, cast(HarvestSource, source))
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    json.dump({"kilobytes": most, "ends": found}, sys.stdout)


def _read(reader: SourceReader, source: HarvestSource) -> str:
    records = 0
    try:
        for _ in reader.read(source, {"attempts": 1}):
            records += 1
            if records > 20_000:  # the run itself ends here: too many faulty ones
                return "records"
    except SourceFailed as error:
        return str(error)
    return "complete"


if __name__ == "__main__":
    os.environ["NO_PROXY"] = "*"
    main()
