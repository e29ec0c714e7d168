"""Reading a `data.json` as a whole, and walking its data sets wherever they stand."""

from __future__ import annotations

import codecs
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

from harvesters.json_weight import check_json
from harvesters.plain_text import json_of_bytes
from harvesters.record import SourceFailed
from harvesters.whole_answer import WholeAnswer

_PIECE = 1 << 16
_DEEPEST = 8
"""Catalogues inside catalogues (DCAT-US 3) that are followed."""


def read_document(answer: WholeAnswer) -> Any:
    """Return the JSON of the answer, whatever media type it came under.

    Raises:
        SourceFailed: a web page, or no whole JSON.
    """
    check_start(answer)
    check_json(answer.content)
    return json_of_bytes(answer.content)


def check_start(answer: WholeAnswer) -> None:
    """Raise SourceFailed for a web page in place of data."""
    if answer.is_web_page:
        raise SourceFailed("来源返回的是网页，不是数据。请填写 data.json 文件本身的地址。")


@contextmanager
def as_utf8(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield the same text in UTF-8 without a mark, as a file at its beginning."""
    start = file.read(4)
    file.seek(0)
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else _encoding_of(file)
    file.seek(len(codecs.BOM_UTF8) if start[:3] == codecs.BOM_UTF8 else 0)
    if encoding == "utf-8":
        yield file
        return
    with tempfile.TemporaryFile() as other:
        reader = codecs.getreader(encoding)(file, "replace")
        while piece := reader.read(_PIECE):
            other.write(piece.encode("utf-8", "replace"))
        other.seek(0)
        yield other


def _encoding_of(file: IO[bytes]) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(_PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def datasets_of(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield (place, data set): of the root, of nested catalogues, and the members of series.

    A data set that a series embeds a second time under one of `first`, `last`, `prev` is not
    given again. Places are paths into the document, such as "dataset[3]".

    Raises:
        SourceFailed: the document is no catalogue, or holds no data set at all.
    """
    if isinstance(document, list):  # schema 1.0 was a bare list
        document = {"dataset": document}
    if not isinstance(document, Mapping) or not any(
        isinstance(document.get(key), list) for key in ("dataset", "catalog", "datasetSeries")
    ):
        raise SourceFailed("来源的应答不是 data.json：缺少 dataset 列表。")
    found = False
    for place, dataset in _walk(document, "", 0):
        found = True
        yield place, dataset
    if not found:
        raise SourceFailed("来源没有给出任何记录；空的目录不作为依据。")


def _walk(catalogue: Mapping[str, Any], path: str, depth: int) -> Iterator[tuple[str, Any]]:
    for place, dataset in _listed(catalogue, "dataset", path):
        yield place, dataset
    for place, series in _listed(catalogue, "datasetSeries", path):
        if isinstance(series, Mapping):
            yield from _listed(series, "seriesMember", place + ".")
    if depth < _DEEPEST:
        for place, inner in _listed(catalogue, "catalog", path):
            if isinstance(inner, Mapping):
                yield from _walk(inner, place + ".", depth + 1)


def _listed(holder: Mapping[str, Any], key: str, path: str) -> Iterator[tuple[str, Any]]:
    values = holder.get(key)
    for number, value in enumerate(values if isinstance(values, list) else ()):
        yield f"{path}{key}[{number}]", value
