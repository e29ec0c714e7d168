"""The kind "ckan": options `apikey`, `fq`, `modified_since`, `allow_empty`, and of `Patience`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

import requests

from harvesters.ckan.client import gather_packages
from harvesters.ckan.mapping import record_from_package
from harvesters.codes import CodeBook
from harvesters.patience import Patience
from harvesters.record import Codes, FaultyRecord, HarvestedRecord, SourceSettings


class CkanKind:
    name = "ckan"

    def __init__(self, codes: Codes, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._book = CodeBook(codes)
        self._sleep = sleep

    def gather(
        self, settings: SourceSettings, http: requests.Session
    ) -> Iterator[HarvestedRecord | FaultyRecord]:
        patience = Patience.of(settings.options, self._sleep)
        for place, package in gather_packages(settings, http, patience):
            if isinstance(package, FaultyRecord):
                yield package
                continue
            try:
                yield record_from_package(package, self._book, place=place)
            except ValueError as error:
                yield FaultyRecord(place, _id_of(package), str(error))


def _id_of(package: object) -> str:
    """Return the record's id; its name would not tell which known record it is."""
    return str(package.get("id") or "") if isinstance(package, Mapping) else ""
