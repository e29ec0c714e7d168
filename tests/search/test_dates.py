"""When a record changed and when its data did are two dates, to filter and to sort by."""

from __future__ import annotations

from datetime import timedelta

from search.engine import SearchEngine
from search.request import DateRange, SearchRequest, Sort
from tests.search.documents import PUBLIC, START, entry


def test_data_and_record_have_dates_of_their_own(engine: SearchEngine) -> None:
    days = {1: 5, 2: None, 3: 1}  # entry → day of its data; records changed on day 3
    engine.write(
        [
            entry(n, "题", day=3, updated=None if day is None else START + timedelta(days=day))
            for n, day in days.items()
        ],
        [],
    )

    def ids(**asked: object) -> list[int]:
        result = engine.search(SearchRequest(**asked), PUBLIC)  # type: ignore[arg-type]
        return [hit.id for hit in result.hits]

    assert ids(sort=Sort.UPDATED) == [1, 2, 3]
    assert ids(sort=Sort.UPDATED, descending=False) == [3, 2, 1]
    since = DateRange("updated", START + timedelta(days=2))
    until = DateRange("updated", None, START + timedelta(days=4))
    assert set(ids(ranges=(since,))) == {1, 2}
    assert ids(ranges=(since, until)) == [2]
    assert set(ids(ranges=(DateRange("modified", START + timedelta(days=3)),))) == {1, 2, 3}
