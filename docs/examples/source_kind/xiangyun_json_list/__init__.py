"""A source kind: a JSON list of data sets at an address, `[{"id": …, "title": …, "url": …}, …]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests

from harvesters.record import (
    Codes,
    FaultyRecord,
    HarvestedFile,
    HarvestedRecord,
    SourceFailed,
    SourceSettings,
)


class JsonListKind:
    name = "json_list"

    def __init__(self, codes: Codes) -> None:
        self._themes = {name: code for code, name in codes["themes"].items()}

    def gather(
        self, settings: SourceSettings, http: requests.Session
    ) -> Iterator[HarvestedRecord | FaultyRecord]:
        for number, item in enumerate(_fetch(settings.url, http), 1):
            place = f"第 {number} 项"
            try:
                yield self._record(item, place)
            except KeyError as error:
                yield FaultyRecord(place, str(item.get("id", "")), f"缺少 {error.args[0]}")

    def _record(self, item: dict[str, Any], place: str) -> HarvestedRecord:
        fields = {"title": item["title"], "abstract": item.get("summary", "")}
        if item.get("theme") in self._themes:
            fields["theme"] = self._themes[item["theme"]]
        file = HarvestedFile(remote_id=str(item["id"]), name=item["title"], url=item["url"])
        return HarvestedRecord(str(item["id"]), fields, place, files=(file,))


def _fetch(url: str, http: requests.Session) -> list[dict[str, Any]]:
    """Return the whole list; anything else is a failure of the source, never an empty answer."""
    try:
        answer = http.get(url)
        answer.raise_for_status()
        items = answer.json()
    except requests.RequestException as error:
        raise SourceFailed(f"{url}: {error}") from error
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise SourceFailed(f"{url}: 应为 JSON 对象的列表")
    return items
