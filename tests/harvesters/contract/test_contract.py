"""What every source kind must do, whatever the source does."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate

import pytest
import requests

from harvesters.kinds import kind_names
from harvesters.record import (
    BESIDE_CONTENT,
    Codes,
    FaultyRecord,
    HarvestedRecord,
    SourceFailed,
    SourceSettings,
)
from portal.net import guarded_session
from portal.services.content import parse_content
from tests.harvesters.conftest import Naps
from tests.harvesters.contract.cases import CASES, Case
from tests.harvesters.replay import Answer, Asked, ReplayServer, Step, html_answer

Gather = Callable[..., list[HarvestedRecord | FaultyRecord]]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def gather(
    case: Case, server: ReplayServer, http: requests.Session, codes: Codes, naps: Naps
) -> Gather:
    def run(*steps: Step, **options: object) -> list[HarvestedRecord | FaultyRecord]:
        server.on(case.asked_path, *steps)
        settings = SourceSettings(server.url + case.url_path, options, page_size=4)
        return list(case.kind(codes, naps).gather(settings, http))

    return run


def cut(step: Step) -> Step:
    """The same answer, cut off in its middle."""

    def answer(asked: Asked) -> Answer:
        whole = step(asked) if callable(step) else step
        assert isinstance(whole.body, bytes)
        return Answer(whole.status, whole.body, whole.headers, cut_after=len(whole.body) // 2)

    return answer


def test_every_built_in_kind_is_under_this_suite() -> None:
    assert {case.name for case in CASES} == {"ckan", "datajson", "dcat", "open_list"}
    assert {case.name for case in CASES} <= set(kind_names())


def test_every_record_comes_once(case: Case, gather: Gather) -> None:
    records = gather(case.good(11))
    assert len({record.remote_id for record in records}) == len(records) == 11
    assert all(isinstance(record, HarvestedRecord) and record.place for record in records)


def test_the_ids_are_the_same_next_time(case: Case, gather: Gather) -> None:
    first, second = gather(case.good(5)), gather(case.good(5))
    assert first == second


def test_the_fields_are_those_of_an_entry(case: Case, gather: Gather) -> None:
    for record in gather(case.good(3)):
        assert isinstance(record, HarvestedRecord)
        content = {k: v for k, v in record.fields.items() if k not in BESIDE_CONTENT}
        assert parse_content(content).title == record.fields["title"]


def test_one_faulty_record_does_not_stop_the_others(case: Case, gather: Gather) -> None:
    records = gather(case.with_one_bad(4))
    (faulty,) = [r for r in records if isinstance(r, FaultyRecord)]
    assert len(records) == 4
    assert faulty.place
    assert faulty.reason


def test_a_busy_source_is_asked_again_when_it_says(case: Case, gather: Gather, naps: Naps) -> None:
    busy = Answer(429, headers={"Retry-After": "7"})
    assert len(gather(busy, busy, case.good(3))) == 3
    assert naps.seconds == [7, 7]


def test_a_busy_source_may_name_a_date(case: Case, gather: Gather, naps: Naps) -> None:
    later = formatdate(time.time() + 30, usegmt=True)
    assert len(gather(Answer(503, headers={"Retry-After": later}), case.good(3))) == 3
    assert 20 < naps.seconds[0] <= 31


def test_a_wait_that_is_too_long_ends_the_run(case: Case, gather: Gather, naps: Naps) -> None:
    with pytest.raises(SourceFailed, match="稍后再来") as failure:
        gather(Answer(503, headers={"Retry-After": "86400"}), case.good(3))
    assert failure.value.retry_after_seconds == 86400
    assert naps.seconds == []


def test_a_stumbling_source_is_asked_again(case: Case, gather: Gather, naps: Naps) -> None:
    assert len(gather(Answer(500), Answer(502), case.good(3))) == 3
    assert naps.seconds == [1.0, 2.0]


def test_a_broken_source_fails_after_some_attempts(
    gather: Gather, naps: Naps, server: ReplayServer
) -> None:
    with pytest.raises(SourceFailed, match="HTTP 500"):
        gather(Answer(500), attempts=3)
    assert len(server.asked) == 3
    assert len(naps.seconds) == 2


def test_a_cut_body_is_asked_for_again(case: Case, gather: Gather) -> None:
    good = case.good(3)
    assert len(gather(cut(good), good)) == 3


def test_a_body_that_is_always_cut_fails(case: Case, gather: Gather) -> None:
    with pytest.raises(SourceFailed, match="不完整"):
        gather(cut(case.good(3)))


@pytest.mark.parametrize(
    "answer",
    [html_answer(), html_answer(404), Answer(200, b""), Answer(404, b""), Answer(403, b"{}")],
    ids=["web page", "web page 404", "empty body", "404", "403"],
)
def test_what_is_no_data_fails(gather: Gather, answer: Answer) -> None:
    with pytest.raises(SourceFailed):
        gather(answer)


def test_an_empty_catalogue_proves_nothing(case: Case, gather: Gather) -> None:
    with pytest.raises(SourceFailed):
        gather(case.good(0))


def test_a_refused_address_fails_at_once(
    case: Case, server: ReplayServer, codes: Codes, naps: Naps
) -> None:
    server.on(case.asked_path, case.good(3))
    settings = SourceSettings(server.url + case.url_path)
    with pytest.raises(SourceFailed, match="内部或保留网络"):
        list(case.kind(codes, naps).gather(settings, guarded_session()))
    assert naps.seconds == []
    assert not server.asked


def test_a_plain_session_serves_as_well(
    case: Case, server: ReplayServer, codes: Codes, naps: Naps
) -> None:
    server.on(case.asked_path, cut(case.good(3)), case.good(3))
    settings = SourceSettings(server.url + case.url_path)
    with requests.Session() as plain:
        assert len(list(case.kind(codes, naps).gather(settings, plain))) == 3
