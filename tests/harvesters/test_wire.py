"""Records come over the wire as they were sent."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from harvesters.open_list.column_mapping import HeaderChanged, SheetSample
from harvesters.record import FaultyRecord, HarvestedFile, HarvestedRecord, SourceFailed
from harvesters.wire import line_of, message_of

RECORD = HarvestedRecord(
    "id",
    {
        "title": "半\ud800个",
        "keywords": ("a", "b"),
        "issued": date(2026, 1, 2),
        "items": ({"x": 1},),
    },
    "result[0]",
    "name",
    datetime(2026, 1, 2, tzinfo=UTC),
    (HarvestedFile("f", "文件", "https://x.example/a.csv", modified=datetime(2026, 1, 1)),),
    {"extras": [{"key": "a", "value": None}], "n": 1.5},
)


@pytest.mark.parametrize("message", [RECORD, FaultyRecord("第 1 行", "", "坏", ("坏",)), None])
def test_a_message_arrives_as_it_was_sent(message: HarvestedRecord | FaultyRecord | None) -> None:
    assert message_of(line_of(message)) == message


def test_a_failure_arrives_with_its_reason_and_wait() -> None:
    with pytest.raises(SourceFailed, match="太忙") as caught:
        message_of(line_of(SourceFailed("太忙", retry_after_seconds=5)))
    assert caught.value.retry_after_seconds == 5


def test_a_changed_header_arrives_with_its_sample() -> None:
    sample = SheetSample("清单", 2, ("名称",), (("公交",),), {"名称": "title"})
    with pytest.raises(HeaderChanged) as caught:
        message_of(line_of(HeaderChanged("变了", sample)))
    assert caught.value.sample == sample
