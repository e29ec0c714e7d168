"""From bytes to a graph, whatever the media type says, and with nothing fetched on the way.

A hostile document may name entities that unfold without end, or contexts that make the reader
fetch addresses of its choice: the first is refused, the second is answered from here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from xml.sax import SAXException

import orjson
from rdflib import Graph
from rdflib.exceptions import ParserError
from rdflib.plugins.parsers.notation3 import BadSyntax
from rdflib.plugins.stores.memory import Memory

from harvesters.json_weight import check_json
from harvesters.plain_text import json_of_bytes, text_of_bytes
from harvesters.record import SourceFailed
from harvesters.whole_answer import WholeAnswer

# A date that is none is no news: it is read as the text that it is.
logging.getLogger("rdflib.term").setLevel(logging.ERROR)

MAX_BYTES = 15_000_000
MAX_TRIPLES = 100_000
"""Of one page. A triple takes some 1,500 bytes in memory."""

_FORMATS = {
    "text/turtle": "turtle",
    "application/x-turtle": "turtle",
    "text/n3": "turtle",
    "application/n-triples": "nt",
    "application/rdf+xml": "xml",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/ld+json": "json-ld",
    "application/json": "json-ld",
    "application/trig": "TriG",
    "application/n-quads": "N-Quads",
    "application/trix": "TriX",
}
_ENDINGS = {
    "ttl": "turtle",
    "n3": "turtle",
    "nt": "nt",
    "rdf": "xml",
    "xml": "xml",
    "jsonld": "json-ld",
    "json": "json-ld",
    "trig": "TriG",
    "nq": "N-Quads",
}
_MANY_GRAPHS = frozenset({"TriG", "N-Quads", "TriX"})
_CHINESE = dict.fromkeys(("gb2312", "gbk", "gb18030", "gb_2312-80", "cp936"), "gb18030")
_CHINESE |= {"big5": "big5hkscs", "big5-hkscs": "big5hkscs"}
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.-]{1,30})["']""")
_XML_START = re.compile(r"<\?xml[^>]*\?>\s*")
_ESCAPED = re.compile(r"(\\x[0-9a-f]{2})+")
_ENTITY = re.compile(rb"<!(?:ENTITY|ATTLIST)\b", re.IGNORECASE)
_CONTEXT: Mapping[str, Any] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    **{
        term: f"dcat:{term}"
        for term in (
            "Catalog", "Dataset", "Distribution", "DataService", "dataset", "distribution",
            "keyword", "theme", "contactPoint", "mediaType", "byteSize", "landingPage",
        )
    },
    **{term: f"dct:{term}" for term in ("title", "description", "identifier", "publisher")},
    **{term: {"@id": f"dct:{term}"} for term in ("issued", "modified")},
    **{
        term: {"@id": f"dct:{term}", "@type": "@id"}
        for term in ("license", "accrualPeriodicity", "spatial", "accessRights")
    },
    "format": "dct:format",
    **{term: {"@id": f"dcat:{term}", "@type": "@id"} for term in ("accessURL", "downloadURL")},
}  # fmt: skip


def read_graph(answer: WholeAnswer) -> Graph:
    """Return the graph of one answer.

    Raises:
        SourceFailed: a web page, too large, not readable as any kind of RDF, or it relies on a
            context kept at another address.
    """
    if answer.is_web_page:
        raise SourceFailed("来源返回的是网页，不是数据。请填写 RDF 目录文件本身的地址。")
    if len(answer.content) > MAX_BYTES:
        raise SourceFailed(f"来源的一页超过 {MAX_BYTES // 1_000_000} MB，请改用分页的地址。")
    kind = _kind_of(answer)
    if kind in _MANY_GRAPHS:
        raise SourceFailed(f"不支持 {kind}（多个图），请来源改为 Turtle、RDF/XML 或 JSON-LD。")
    content = _in_utf8(answer.content, kind)
    if kind == "xml" and _ENTITY.search(content):
        raise SourceFailed("来源的 XML 含有实体声明，为安全起见不予读取。")
    if kind == "json-ld":
        check_json(content)
        content = _with_local_context(content)
    graph = Graph(store=_BoundedStore())
    try:
        graph.parse(BytesIO(content), format=kind, publicID=answer.url)
    except (
        SAXException, ParserError, BadSyntax, ValueError, KeyError, TypeError, AttributeError,
        IndexError, RecursionError, AssertionError,
    ) as error:  # fmt: skip
        shown = " ".join(_without_bytes(str(error)).split())
        raise SourceFailed(
            f"来源的应答不是有效的 RDF（{kind}），可能不完整：{shown[:200]}"
        ) from error
    return graph


def _in_utf8(content: bytes, kind: str) -> bytes:
    """Return the content in UTF-8 without a mark: Expat reads no GB18030, rdflib no UTF-16."""
    if kind == "json-ld":
        return content
    declared = _DECLARED.match(content[:200]) if kind == "xml" else None
    encoding = declared[1].decode().lower() if declared else ""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = content.decode("utf-16", "replace")
    elif encoding in _CHINESE:
        text = content.decode(_CHINESE[encoding], "replace")
    elif encoding in ("", "utf-8", "utf8"):
        text = text_of_bytes(content)
    else:
        return content  # Expat knows it, or says that it does not
    return _XML_START.sub("", text.lstrip("\ufeff\r\n\t "), count=1).encode("utf-8", "replace")


def _without_bytes(said: str) -> str:
    """Parsers quote the place as Python writes bytes; a clerk reads text."""
    return _ESCAPED.sub(
        lambda found: bytes.fromhex(found[0].replace("\\x", "")).decode("utf-8", "replace"), said
    )


class _BoundedStore(Memory):
    """A graph of a few megabytes may hold a million triples, each a thousand bytes in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._left = MAX_TRIPLES

    def add(self, triple: Any, context: Any, quoted: bool = False) -> None:
        self._left -= 1
        if self._left < 0:
            raise SourceFailed(
                f"来源的一页超过 {MAX_TRIPLES} 条陈述，请改用分页的地址，或把目录分成几个文件。"
            )
        super().add(triple, context, quoted)


def _kind_of(answer: WholeAnswer) -> str:
    """Tell the serialisation by the first character, then the media type, then the file name."""
    start = answer.content[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        start = start.decode("utf-16", "replace").encode().lstrip()
    if start.startswith((b"<?xml", b"<rdf:", b"<!DOCTYPE rdf", b"<RDF", b"<!--")):
        return "xml"
    if start.startswith((b"{", b"[{", b"[ ", b"[\n", b"[\r")):
        return "json-ld"
    by_type = _FORMATS.get(answer.media_type)
    by_name = _ENDINGS.get(answer.filename.rpartition(".")[2].lower())
    kind = by_type or by_name or "turtle"
    return "turtle" if kind in ("xml", "json-ld") else kind


def _with_local_context(content: bytes) -> bytes:
    document = json_of_bytes(content)
    try:
        return orjson.dumps(_localised(document))
    except RecursionError as error:
        raise SourceFailed("来源的 JSON 嵌套过深，没有读取。") from error


def _localised(value: Any) -> Any:
    """Return the document with every context that stands elsewhere replaced by ours."""
    if isinstance(value, list):
        return [_localised(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: _context(one) if key == "@context" else _localised(one) for key, one in value.items()
    }


def _context(given: Any) -> Any:
    """A named context is not fetched; DCAT's usual prefixes stand for it.

    Definitions inside a context may name further ones.
    """
    if isinstance(given, str):
        if "dcat" not in given.lower():
            raise SourceFailed(
                f"来源引用了外部的 @context（{given[:100]}），为安全起见不去获取；请使用内嵌的上下文。"
            )
        return dict(_CONTEXT)
    if isinstance(given, list):
        return [_context(one) for one in given]
    if isinstance(given, Mapping):
        return {key: _localised(one) for key, one in given.items() if key != "@import"}
    return given
