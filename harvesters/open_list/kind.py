"""The kind "open_list": a spreadsheet at an address.

Options: those of `Patience`, `headers`, and `columns` (see `ColumnMapping.of`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import requests

from harvesters.open_list.client import fetch_list
from harvesters.open_list.column_mapping import ColumnMapping
from harvesters.open_list.reader import iter_open_list
from harvesters.patience import Patience
from harvesters.record import Codes, FaultyRecord, HarvestedRecord, SourceSettings


class OpenListKind:
    name = "open_list"

    def __init__(self, codes: Codes, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._codes = codes
        self._sleep = sleep

    def gather(
        self, settings: SourceSettings, http: requests.Session
    ) -> Iterator[HarvestedRecord | FaultyRecord]:
        data, filename = fetch_list(settings, http, Patience.of(settings.options, self._sleep))
        columns = ColumnMapping.of(settings.options.get("columns"))
        yield from iter_open_list(data, filename, self._codes, columns)
