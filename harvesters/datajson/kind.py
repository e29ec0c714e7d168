"""The kind "datajson": options `headers` and of `Patience`."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import requests

from harvesters.codes import CodeBook
from harvesters.datajson.document import as_utf8, check_start, datasets_of, read_document
from harvesters.datajson.mapping import identifier_of, record_from_dataset
from harvesters.datajson.streaming import stream_datasets
from harvesters.patience import Patience
from harvesters.record import Codes, FaultyRecord, HarvestedRecord, SourceSettings
from harvesters.whole_answer import fetch_whole

MAX_BYTES = 200_000_000
WHOLE_BYTES = 4_000_000
"""A document up to this size is read at once, a larger one piece by piece."""


class DataJsonKind:
    name = "datajson"

    def __init__(self, codes: Codes, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._book = CodeBook(codes)
        self._sleep = sleep

    def gather(
        self, settings: SourceSettings, http: requests.Session
    ) -> Iterator[HarvestedRecord | FaultyRecord]:
        patience = Patience.of(settings.options, self._sleep)
        seen: set[str] = set()
        for place, dataset in _datasets(settings, http, patience):
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


def _datasets(
    settings: SourceSettings, http: requests.Session, patience: Patience
) -> Iterator[tuple[str, Any]]:
    """Yield (place, data set); a large document lies in a file and is read piece by piece."""
    with tempfile.TemporaryFile() as file:
        answer = fetch_whole(
            settings, http, patience, accept="application/json", into=file, max_bytes=MAX_BYTES
        )
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if size <= WHOLE_BYTES:
            yield from datasets_of(read_document(replace(answer, content=file.read())))
            return
        check_start(answer)
        with as_utf8(file) as text:
            yield from stream_datasets(text)
