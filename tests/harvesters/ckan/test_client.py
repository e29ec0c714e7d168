"""Paging through a CKAN that changes while it is read."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import requests

from harvesters.ckan.client import SORTS, gather_packages
from harvesters.patience import Patience
from harvesters.record import FaultyRecord, SourceFailed, SourceSettings
from tests.harvesters.packages import package, packages
from tests.harvesters.replay import Answer, CkanCatalogue, ReplayServer, json_answer

PATH = "/api/action/package_search"
Ids = Callable[..., list[str]]


@pytest.fixture
def ids(server: ReplayServer, http: requests.Session) -> Ids:
    def run(catalogue: CkanCatalogue, page_size: int = 5, **options: Any) -> list[str]:
        server.on(PATH, catalogue)
        settings = SourceSettings(server.url, options, page_size)
        found = gather_packages(settings, http, Patience(sleep=lambda _: None))
        return [p.reason if isinstance(p, FaultyRecord) else p["id"] for _, p in found]

    return run


def expected(numbers: Any) -> set[str]:
    return {f"id-{number:04}" for number in numbers}


@pytest.mark.parametrize("count", [1, 2, 4, 5, 6, 9, 23, 60])
def test_all_packages_come_in_order(ids: Ids, count: int) -> None:
    assert ids(CkanCatalogue(packages(count))) == sorted(expected(range(count)))


def test_the_order_is_stable_and_only_gets_are_sent(ids: Ids, server: ReplayServer) -> None:
    ids(CkanCatalogue(packages(7)))
    assert {asked.query["sort"] for asked in server.asked} == {SORTS[0]}
    assert {asked.method for asked in server.asked} == {"GET"}


def test_an_edit_between_pages_loses_and_repeats_nothing(ids: Ids) -> None:
    some = packages(12)

    def edit(pages: int) -> None:
        if pages == 2:  # the first full page has been given
            some[0]["metadata_modified"] = "2026-06-01T00:00:00.000000"

    found = ids(CkanCatalogue(some, after_page=edit))
    assert sorted(found) == sorted(expected(range(12)))


def test_deleting_and_creating_at_once_loses_nothing(ids: Ids) -> None:
    """The count stays the same, so that the count alone would not show it."""
    some = packages(12)

    def change(pages: int) -> None:
        if pages == 2:
            del some[0]
            some.append(package(50))

    found = ids(CkanCatalogue(some, after_page=change))
    assert expected([*range(1, 12), 50]) <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("seed", range(20))
def test_whatever_changes_between_pages_nothing_that_stays_is_lost(ids: Ids, seed: int) -> None:
    chance = random.Random(seed)
    some = packages(30)
    stable = {p["id"] for p in some}

    def change(pages: int) -> None:
        if pages > 8 or chance.random() < 0.4:
            return
        for _ in range(chance.randint(1, 4)):
            victim = chance.choice(some)
            if chance.random() < 0.5:
                some.remove(victim)
                stable.discard(victim["id"])
            else:
                victim["metadata_modified"] = f"2026-06-01T00:{pages:02}:00.{chance.random():.6f}"

    found = ids(CkanCatalogue(some, after_page=change))
    assert stable <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("refused", range(1, len(SORTS)))
def test_a_refused_order_gives_way_to_the_next(
    ids: Ids, server: ReplayServer, refused: int
) -> None:
    found = ids(CkanCatalogue(packages(13), refused_sorts=SORTS[:refused]))
    assert sorted(found) == sorted(expected(range(13)))
    assert server.asked[-1].query.get("sort", "") == SORTS[refused]


def test_a_query_that_is_always_refused_fails(ids: Ids) -> None:
    every = (*SORTS, "metadata_modified desc")
    with pytest.raises(SourceFailed, match="不接受检索请求"):
        ids(CkanCatalogue(packages(3), refused_sorts=every))


@pytest.mark.parametrize("claimed", [3, 11, 1000])
def test_a_count_that_does_not_fit_fails(ids: Ids, claimed: int) -> None:
    with pytest.raises(SourceFailed, match=f"来源称有 {claimed} 条记录，实际取得 10 条"):
        ids(CkanCatalogue(packages(10), claimed_count=claimed), page_size=20)


def test_a_server_that_gives_smaller_pages_is_read_to_its_end(ids: Ids) -> None:
    found = ids(CkanCatalogue(packages(30), largest_page=4), page_size=100)
    assert sorted(found) == sorted(expected(range(30)))


def test_a_server_that_ignores_the_start_fails_and_ends(ids: Ids, server: ReplayServer) -> None:
    first = {"count": 50, "results": packages(5)}
    answer = json_answer({"success": True, "result": first})
    with pytest.raises(SourceFailed, match="来源称有 50 条记录，实际取得 5 条"):
        ids(lambda asked: answer)  # type: ignore[arg-type]
    assert len(server.asked) < 300


def test_two_packages_with_one_id_are_reported(ids: Ids) -> None:
    found = ids(CkanCatalogue([package(1), package(2), package(2, title="另一个")]))
    assert found == ["id-0001", "id-0002", "来源中有两条记录使用同一个 id。"]


def test_an_empty_catalogue_may_be_allowed(ids: Ids) -> None:
    assert ids(CkanCatalogue([]), allow_empty=True) == []


def test_key_filter_and_date_are_sent(ids: Ids, server: ReplayServer) -> None:
    ids(
        CkanCatalogue(packages(2)),
        apikey="secret",
        fq="organization:jl-tra",
        modified_since="2026-01-01T00:00:00Z",
    )
    asked = server.asked[0]
    assert asked.headers["Authorization"] == "secret"
    assert asked.query["fq"] == "organization:jl-tra metadata_modified:[2026-01-01T00:00:00Z TO *]"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b'{"help": "", "success": true, "result": {"count": 3, "resu'),
        json_answer({"success": True}),
        json_answer({"success": True, "result": []}),
        json_answer({"success": True, "result": {"count": "3", "results": []}}),
        json_answer([1, 2]),
        json_answer("Bad request: Action name not known", 400),
        json_answer({"success": False, "error": {"__type": "Authorization Error"}}, 403),
        json_answer({"success": False, "error": {"__type": "Not Found Error"}}, 404),
    ],
)
def test_answers_that_are_no_page_fail(ids: Ids, answer: Answer) -> None:
    with pytest.raises(SourceFailed) as failure:
        ids(lambda asked: answer)  # type: ignore[arg-type]
    assert "secret" not in str(failure.value)
