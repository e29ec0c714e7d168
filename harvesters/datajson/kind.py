"""The kind "datajson": options `headers` and of `Patience`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import requests

from harvesters.codes import CodeBook
from harvesters.datajson.document import datasets_of, read_document
from harvesters.datajson.mapping import identifier_of, record_from_dataset
from harvesters.patience import Patience
from harvesters.record import Codes, FaultyRecord, HarvestedRecord, SourceSettings
from harvesters.whole_answer import fetch_whole


class DataJsonKind:
    name = "datajson"

    def __init__(self, codes: Codes, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._book = CodeBook(codes)
        self._sleep = sleep

    def gather(
        self, settings: SourceSettings, http: requests.Session
    ) -> Iterator[HarvestedRecord | FaultyRecord]:
        patience = Patience.of(settings.options, self._sleep)
        answer = fetch_whole(settings, http, patience, accept="application/json")
        seen: set[str] = set()
        for place, dataset in datasets_of(read_document(answer)):
            try:
                record = record_from_dataset(dataset, self._book, place=place)
            except ValueError as error:
                yield FaultyRecord(place, identifier_of(dataset), str(error))
                continue
            if record.remote_id in seen:
                yield FaultyRecord(
                    place, record.remote_id, "来源中有两条记录使用同一个 identifier。"
                )
                continue
            seen.add(record.remote_id)
            yield record
