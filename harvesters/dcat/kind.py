"""The kind "dcat": options `headers`, `max_pages` and of `Patience`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import requests
from rdflib import BNode

from harvesters.codes import CodeBook
from harvesters.dcat.mapping import record_from_node
from harvesters.dcat.pages import gather_pages
from harvesters.dcat.vocabulary import datasets_in, listed_in
from harvesters.patience import Patience
from harvesters.record import Codes, FaultyRecord, HarvestedRecord, SourceFailed, SourceSettings

_NOT_DESCRIBED = (
    "目录列出了这条记录，但没有给出它的内容（内容在另一个地址，平台不去逐条获取）。"
    "请来源在目录中写出每条记录的内容，或提供分页的完整目录。"
)


class DcatKind:
    name = "dcat"

    def __init__(self, codes: Codes, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._book = CodeBook(codes)
        self._sleep = sleep

    def gather(
        self, settings: SourceSettings, http: requests.Session
    ) -> Iterator[HarvestedRecord | FaultyRecord]:
        patience = Patience.of(settings.options, self._sleep)
        seen: set[str] = set()
        listed: dict[str, None] = {}
        described: set[str] = set()
        number = 0
        for graph in gather_pages(settings, http, patience):
            here: set[str] = set()
            listed |= dict.fromkeys(listed_in(graph))
            for node in datasets_in(graph):
                described.add(str(node))
                place = f"dcat:Dataset[{number}]"
                number += 1
                try:
                    record = record_from_node(graph, node, self._book, place=place)
                except ValueError as error:
                    known_as = "" if isinstance(node, BNode) else str(node)
                    yield FaultyRecord(place, known_as, str(error))
                    continue
                if record.remote_id in here:
                    yield FaultyRecord(place, record.remote_id, "来源中有两条记录使用同一个标识。")
                elif record.remote_id not in seen:  # pages overlap when the catalogue moves
                    yield record
                here.add(record.remote_id)
            seen |= here
        for address in listed:
            if address not in described:
                yield FaultyRecord("dcat:dataset", address, _NOT_DESCRIBED)
        if not number:
            raise SourceFailed(
                "来源没有给出任何记录：其中没有 dcat:Dataset。空的目录不作为依据，请核对地址和采集方式。"
            )
