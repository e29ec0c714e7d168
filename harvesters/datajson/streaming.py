"""Walking the data sets of a large `data.json` with one of them in memory at a time.

Events come without paths (`ijson.basic_parse`): a text of nothing but opening brackets would make
paths longer than memory. Depth, the size of one data set and the number of all are bounded here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import ijson
from ijson.common import ObjectBuilder

from harvesters.record import SourceFailed

MAX_DEPTH = 100
MAX_EVENTS = 100_000
"""Of one data set."""
_LISTS = frozenset({"dataset", "seriesMember"})
_HOLDERS = frozenset({"catalog", "datasetSeries"})
_OPENING, _CLOSING = frozenset({"start_map", "start_array"}), frozenset({"end_map", "end_array"})


def stream_datasets(file: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """Yield (place, data set) as `document.datasets_of` does, in the order of the document.

    Args:
        file: JSON in UTF-8, at its beginning.

    Raises:
        SourceFailed: no whole JSON, no catalogue, no data set, or one beyond the bounds.
    """
    walk = _Walk()
    found = False
    try:
        for event, value in ijson.basic_parse(file, use_float=True):
            for place, dataset in walk.take(event, value):
                found = True
                yield place, dataset
    except (ijson.JSONError, UnicodeDecodeError) as error:
        place = f"，在 {walk.place} 附近" if walk.place else ""
        raise SourceFailed(
            f"来源的应答不是有效的 JSON，可能被截断{place}：{_in_words(error)}。请来源改正后重新采集。"
        ) from error
    if not walk.is_catalogue:
        raise SourceFailed("来源的应答不是 data.json：缺少 dataset 列表。")
    if not found:
        raise SourceFailed("来源没有给出任何记录；空的目录不作为依据。")


def _in_words(error: Exception) -> str:
    """The parser's own words come with the bytes around the place, over several lines."""
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return " ".join(text.split("(right here)")[0].replace("\ufffd", "").split())[:200]


class _Level:
    """One open object or list: the key under which its next value stands, or the number of it."""

    def __init__(self, key: str, path: str, *, is_list: bool, is_followed: bool) -> None:
        self.key = key
        self.path = path
        self.is_list = is_list
        self.is_followed = is_followed
        self.next_key = ""
        self.number = 0


class _Walk:
    """Follows the catalogue down to its data sets, and builds each of those."""

    def __init__(self) -> None:
        self.is_catalogue = False
        self._levels: list[_Level] = []
        self._builder: ObjectBuilder | None = None
        self._place = ""
        self._inside = 0
        self._events = 0

    @property
    def place(self) -> str:
        """Return where the data set stands that was begun last."""
        return self._place

    def take(self, event: str, value: Any) -> Iterator[tuple[str, Any]]:
        if self._builder is not None:
            yield from self._build(event, value)
            return
        if event == "map_key":
            self._levels[-1].next_key = value
            return
        if event in _CLOSING:
            self._levels.pop()
            self._step()
            return
        top = self._levels[-1] if self._levels else None
        if top is not None and top.is_list and top.is_followed and top.key in _LISTS:
            self._begin(top)
            yield from self._build(event, value)
        elif event in _OPENING:
            self._open(event, top)
        else:
            self._step()

    def _open(self, event: str, top: _Level | None) -> None:
        if len(self._levels) >= MAX_DEPTH:
            raise SourceFailed("来源的 JSON 嵌套过深，没有读取。")
        is_list = event == "start_array"
        if top is None:  # schema 1.0 was a bare list of data sets
            key, path, is_followed = "dataset" if is_list else "", "", True
        elif top.is_list:  # a catalogue or a series in its list
            key, path = top.key, f"{top.path}[{top.number}]."
            is_followed = top.is_followed and not is_list
        else:
            key = top.next_key
            path = top.path + key
            is_followed = top.is_followed and is_list and key in _LISTS | _HOLDERS
        self.is_catalogue |= is_list and is_followed
        if top is None and is_list:
            path = "dataset"
        self._levels.append(_Level(key, path, is_list=is_list, is_followed=is_followed))

    def _begin(self, top: _Level) -> None:
        self._builder, self._inside, self._events = ObjectBuilder(), 0, 0
        self._place = f"{top.path}[{top.number}]"

    def _build(self, event: str, value: Any) -> Iterator[tuple[str, Any]]:
        assert self._builder is not None  # begun
        self._events += 1
        self._inside += (event in _OPENING) - (event in _CLOSING)
        if self._events > MAX_EVENTS or self._inside > MAX_DEPTH:
            raise SourceFailed(f"来源的一条记录过大或嵌套过深（{self._place}），没有读取。")
        self._builder.event(event, value)
        if self._inside == 0:
            dataset, self._builder = self._builder.value, None
            self._step()
            yield self._place, dataset

    def _step(self) -> None:
        if self._levels and self._levels[-1].is_list:
            self._levels[-1].number += 1
