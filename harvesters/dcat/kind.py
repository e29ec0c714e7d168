"""The kind "dcat": options `headers`, `max_pages` and of `Patience`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import requests

from harvesters.codes import CodeBook
from harvesters.dcat.mapping import record_from_node
from harvesters.dcat.pages import gather_pages
from harvesters.dcat.vocabulary import datasets_in
from harvesters.patience import Patience
from harvesters.record import Codes, FaultyRecord, HarvestedRecord, SourceFailed, SourceSettings


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
        number = 0
        for graph in gather_pages(settings, http, patience):
            here: set[str] = set()
            for node in datasets_in(graph):
                place = f"dcat:Dataset[{number}]"
                number += 1
                try:
                    record = record_from_node(graph, node, self._book, place=place)
                except ValueError as error:
                    yield FaultyRecord(place, str(node), str(error))
                    continue
                if record.remote_id in here:
                    yield FaultyRecord(place, record.remote_id, "来源中有两条记录使用同一个标识。")
                elif record.remote_id not in seen:  # pages overlap when the catalogue moves
                    yield record
                here.add(record.remote_id)
            seen |= here
        if not number:
            raise SourceFailed(
                "来源没有给出任何记录：其中没有 dcat:Dataset。空的目录不作为依据，请核对地址和采集方式。"
            )
