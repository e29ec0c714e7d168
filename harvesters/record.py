"""What every source kind turns a foreign record into, and how a source is read.

A kind is a folder with a client (reads the source through an HTTP session that is handed to it)
and a pure mapping (foreign record -> HarvestedRecord). Neither knows the portal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import requests

Codes = Mapping[str, Mapping[str, str]]
"""List name ("themes", "update_frequency", …) -> code -> Chinese name; handed in by the portal."""

BESIDE_CONTENT = frozenset(
    {"code", "provider_name", "responsible_dept", "issued", "data_modified", "supplementary"}
)
"""Keys of `HarvestedRecord.fields` that are no part of an entry's content but stand beside it."""


class SourceFailed(Exception):
    """The source did not give a complete answer; nothing may be concluded from what is missing.

    `retry_after_seconds` is what the source asked for (HTTP 429/503), if it did.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class HarvestedFile:
    """One downloadable file or interface of a foreign record; codes as in formats.csv where known."""

    remote_id: str
    name: str
    url: str
    format: str = ""
    description: str = ""
    media_type: str = ""
    size_bytes: int | None = None
    sha256: str = ""
    modified: datetime | None = None
    foreign: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class HarvestedRecord:
    """A foreign record in our words.

    `remote_id` is stable within the source. `fields` holds keyword arguments of the catalogue
    entry's content (title, abstract, theme, keywords, items, open_type, ...) as plain values,
    only those that the source states. `foreign` keeps everything else, untouched.
    `place` names where in the source it stands ("第 7 行", "result[3]").
    """

    remote_id: str
    fields: Mapping[str, Any]
    place: str = ""
    name: str = ""
    modified: datetime | None = None
    files: tuple[HarvestedFile, ...] = ()
    foreign: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FaultyRecord:
    """A record that cannot be read; the others go on. `faults` has each of several by itself."""

    place: str
    remote_id: str
    reason: str
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceSettings:
    """Where and how to read. `options` are the kind's own."""

    url: str
    options: Mapping[str, Any] = field(default_factory=dict)
    page_size: int = 100


class SourceKind(Protocol):
    """One way of reading a foreign catalogue, found by name in `harvesters.kinds`."""

    name: str

    def gather(
        self, settings: SourceSettings, http: requests.Session
    ) -> Iterator[HarvestedRecord | FaultyRecord]:
        """Yield every record of the source; ending normally means the answer was complete.

        Raises:
            SourceFailed: an error, a cut or empty answer, HTML in place of data.
        """
        ...
