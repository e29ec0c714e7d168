"""An agency's own service called through the platform: checked, cut to the grant, kept secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extensions.access.breaker import FAILURES, OPEN_SECONDS, Breaker
from extensions.access.errors import CallRefused
from extensions.access.models import DataInterface
from extensions.access.services.upstreams import UpstreamForm, UpstreamSetup
from extensions.access.upstream import BREAKER, Target, call_upstream, rows_of
from portal.errors import Conflict, Forbidden, Invalid
from portal.platform import Platform
from tests.extensions.access import upstream_server
from tests.extensions.access.conftest import Served
from tests.extensions.access.test_pages import Site, make_site
from tests.extensions.access.test_terms import LIMITED, WIDE
from tests.extensions.access.upstream_server import ROWS, Service
from tests.factories import People

CANARY = "canary-9f8e7d6c5b4a-upstream"
FORM = UpstreamForm(
    url="",
    rows_path="/data/items",
    parameters="stop_code!=stationId\nday=date",
    seconds=2,
    secret_header="X-App-Key",
    secret=CANARY,
)


@pytest.fixture
def service() -> Iterator[Service]:
    with upstream_server.running() as service:
        yield service


@pytest.fixture(autouse=True)
def _closed_breaker() -> None:
    """Each test meets a breaker that remembers nothing (interfaces share their ids)."""
    for key in range(1, 5):
        BREAKER.succeeded(key)


Make = Callable[..., Served]


@pytest.fixture
def through(
    make_platform: Callable[..., Platform], serve: Callable[..., Served], service: Service
) -> Make:
    """Return a maker of a grant whose interface answers from the service."""

    def make(terms: Any = WIDE, *, allowed: bool = True, **form: Any) -> Served:
        hosts = (service.host,) if allowed else ()
        platform = make_platform("sqlite", fetch_allowed_hosts=hosts)
        served = serve(platform, terms, table_distribution=None)
        set_up(served, replace(FORM, url=service.url, **form))
        return served

    return make


def set_up(served: Served, form: UpstreamForm, seen: int = 0) -> None:
    with served.platform.database.writing() as session:
        interface = session.get(DataInterface, served.interface_id)
        editor = People(served.platform, session).editor
        secret_key = served.platform.settings.secret_key
        UpstreamSetup(session, served.platform.clock, secret_key).save(
            editor, interface, form, seen=seen
        )


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json(force=True)["code"]


def test_a_call_is_sent_on_and_its_answer_cut_to_the_grant(through: Make, service: Service) -> None:
    served = through()
    answer = served.get("/rows?stop_code=000123&fields=stop_code,duty_phone,daily_passengers")
    assert answer.status_code == 200, answer.text
    assert answer.get_json(force=True)["data"] == [
        {"stop_code": "000123", "duty_phone": "139****5678", "daily_passengers": 1200},
        {"stop_code": "000124", "duty_phone": None, "daily_passengers": 900},
    ]
    asked = service.asked[-1]
    assert asked["query"] == [("stationId", "000123")]
    assert asked["headers"]["X-App-Key"] == CANARY
    assert not {"Authorization", "X-Api-Key", "Cookie"} & set(asked["headers"])
    assert "keeper" not in served.get("/rows?stop_code=1").text
    assert served.get("?stop_code=1").get_json(force=True)["total"] == 2
    lines = served.get("/rows?stop_code=1&format=ndjson").data.splitlines()
    assert [json.loads(line)["stop_code"] for line in lines] == ["000123", "000124"]
    assert "139****5678" in served.get("/rows?stop_code=1&format=csv").text
    assert served.get("/schema").get_json(force=True)["row_count"] == 0


def test_row_filters_and_masking_of_the_grant_hold_for_upstream_rows(through: Make) -> None:
    rows = through(LIMITED).get("/rows?stop_code=1").get_json(force=True)["data"]
    assert rows == [{"stop_code": "000123", "stop_name": "人***"}]


def test_only_declared_parameters_are_sent_on(through: Make, service: Service) -> None:
    served = through()
    for query in ("", "day=2026-11-24", "stop_code=1&host=x", "stop_code=1&stop_code=2",
                  "stop_code=1&fields=keeper", "stop_code=1&format=xml"):  # fmt: skip
        assert code(served.get(f"/rows?{query}")) == (400, "bad_query"), query
    assert service.asked == []
    injected = "1&stationId=2#/../admin"
    served.get("/rows", query_string={"stop_code": injected})
    assert service.asked[-1]["query"] == [("stationId", injected)]
    assert service.asked[-1]["path"] == "/stops"
    for operation in ("count", "aggregate"):
        assert code(served.get(f"/{operation}?stop_code=1")) == (404, "not_offered")


@pytest.mark.parametrize(
    "body",
    [
        b"<html>", b"", [1, 2], {"data": {}}, {"data": {"items": "x"}},
        {"data": {"items": [{**ROWS[0], "daily_passengers": "1200"}]}},
        {"data": {"items": [{**ROWS[0], "daily_passengers": True}]}},
        {"data": {"items": [{**ROWS[0], "opened_on": "gestern"}]}},
        {"data": {"items": [{**ROWS[0], "stop_code": None}]}},
        {"data": {"items": [{**ROWS[0], "stop_name": {"zh": "站"}}]}},
        {"data": {"items": [dict(ROWS[0])] * 1001}},
    ],
)  # fmt: skip
def test_an_answer_that_does_not_fit_is_withheld(
    through: Make, service: Service, body: Any
) -> None:
    service.body = body
    answer = through().get("/rows?stop_code=1")
    assert code(answer) == (502, "upstream_bad_answer")
    assert "13912345678" not in answer.text


def test_statuses_redirects_and_delays_are_told_apart(through: Make, service: Service) -> None:
    served = through(seconds=1)
    service.status = 404
    assert code(served.get("/rows?stop_code=1")) == (502, "upstream_failed")
    service.status, service.headers = 302, {"Location": "http://169.254.169.254/latest"}
    assert code(served.get("/rows?stop_code=1")) == (502, "upstream_failed")
    assert len(service.asked) == 2  # nothing followed
    service.status, service.headers = 503, {"Retry-After": "7"}
    busy = served.get("/rows?stop_code=1")
    assert code(busy) == (503, "upstream_unavailable")
    assert busy.headers["Retry-After"] == "7"
    service.status, service.headers, service.delay = 200, {}, 1.6
    assert code(served.get("/rows?stop_code=1")) == (504, "upstream_timeout")


def test_an_address_inside_is_refused_unless_it_is_allowed(through: Make, service: Service) -> None:
    assert code(through(allowed=False).get("/rows?stop_code=1")) == (502, "upstream_failed")
    assert service.asked == []


def test_the_breaker_leaves_a_sick_service_alone(through: Make, service: Service) -> None:
    served = through()
    service.status = 500
    for _ in range(FAILURES):
        assert code(served.get("/rows?stop_code=1")) == (502, "upstream_failed")
    service.status = 200
    refused = served.get("/rows?stop_code=1")
    assert code(refused) == (503, "upstream_unavailable")
    assert 1 <= int(refused.headers["Retry-After"]) <= OPEN_SECONDS
    assert len(service.asked) == FAILURES


def test_a_breaker_lets_one_try_after_its_time() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(FAILURES):
        assert breaker.seconds_closed(1) == 0
        breaker.failed(1)
    assert breaker.seconds_closed(1) == OPEN_SECONDS
    assert breaker.seconds_closed(2) == 0
    now[0] = OPEN_SECONDS + 1
    assert breaker.seconds_closed(1) == 0  # the one that tries
    assert breaker.seconds_closed(1) > 0
    breaker.failed(1)
    assert breaker.seconds_closed(1) == OPEN_SECONDS
    now[0] += OPEN_SECONDS + 1
    assert breaker.seconds_closed(1) == 0
    breaker.succeeded(1)
    assert breaker.seconds_closed(1) == breaker.seconds_closed(1) == 0


def test_a_pointer_leads_to_the_rows() -> None:
    assert rows_of([{"a": 1}], "") == [{"a": 1}]
    assert rows_of({"a/b": [{"x": 1}]}, "/a~1b") == [{"x": 1}]
    assert rows_of({"one": {"x": 1}}, "/one") == [{"x": 1}]
    for document, path in (([], "/0"), ({"a": 1}, "/a"), ({"a": 1}, "/b")):
        with pytest.raises(CallRefused):
            rows_of(document, path)


def test_the_secret_is_sealed_and_leaks_nowhere(
    through: Make, service: Service, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    served = through()
    answers = [served.get("/rows?stop_code=1"), served.get("/schema"), served.get("/openapi.json")]
    service.status, service.body = 500, {"error": CANARY}
    answers.append(served.get("/rows?stop_code=1"))
    service.status, service.body = 200, b"not json " + CANARY.encode()
    answers.append(served.get("/rows?stop_code=1"))
    assert all(CANARY not in answer.text for answer in answers)
    captured = capfd.readouterr()
    assert CANARY not in captured.out + captured.err
    home = served.platform.settings.home
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert kept
    assert not any(CANARY.encode() in path.read_bytes() for path in kept)
    target = Target(1, service.url, "", (), 1, "X-App-Key", CANARY)
    assert CANARY not in repr(target)
    with pytest.raises(CallRefused) as caught:
        call_upstream(target, {}, CANARY, frozenset({service.host}))
    assert CANARY not in str(caught.value)


def test_a_secret_goes_to_the_address_that_it_was_entered_for(
    through: Make, service: Service
) -> None:
    served = through()
    set_up(served, replace(FORM, url=f"{service.url}/other", secret="", secret_header=""), seen=1)
    served.get("/rows?stop_code=1")
    assert "X-App-Key" not in service.asked[-1]["headers"]
    with pytest.raises(Conflict):
        set_up(served, FORM, seen=1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "ftp://example.org/x"), ("url", "https://user:pw@example.org/"), ("url", "/etc"),
        ("url", "https://例子.cn/"), ("rows_path", "data/items"), ("seconds", 0), ("seconds", 11),
        ("parameters", "stop code=x"), ("parameters", "fields=x"), ("parameters", "a=x\na=y"),
        ("secret_header", "Host"), ("secret_header", "X:Y"), ("secret", "a\tb"),
    ],
)  # fmt: skip
def test_a_wrong_set_up_is_refused_by_name(
    make_platform: Callable[..., Platform], serve: Callable[..., Served], field: str, value: Any
) -> None:
    served = serve(make_platform("sqlite"), table_distribution=None)
    with pytest.raises(Invalid) as caught:
        set_up(served, replace(FORM, **{"url": "https://example.org/x", field: value}))
    assert [defect.field for defect in caught.value.defects] == [field]


def test_only_the_provider_sets_it_up(
    make_platform: Callable[..., Platform], serve: Callable[..., Served]
) -> None:
    served = serve(make_platform("sqlite"), table_distribution=None)
    with served.platform.database.writing() as session:
        people = People(served.platform, session)
        interface = session.get(DataInterface, served.interface_id)
        setup = UpstreamSetup(session, served.platform.clock, "k" * 32)
        for actor in (people.stranger, people.applicant, people.bureau):
            with pytest.raises(Forbidden):
                setup.save(actor, interface, replace(FORM, url="https://example.org"), seen=0)


@pytest.fixture
def site(make_platform: Callable[..., Platform], service: Service) -> Site:
    return make_site(make_platform("sqlite", fetch_allowed_hosts=(service.host,)))


def test_the_agency_sets_it_up_tests_it_and_switches_it_off(site: Site, service: Service) -> None:
    editor = site.signed_in("editor")
    path = "/work/interfaces/bus-stops/upstream"
    values = {
        "url": service.url, "rows_path": "/data/items", "parameters": "stop_code!=stationId",
        "seconds": "2", "secret_header": "X-App-Key", "secret": CANARY,
    }  # fmt: skip
    wrong = editor.send(editor.page(path), path, **{**values, "url": "nowhere"})
    assert wrong.status_code == 422
    assert CANARY not in wrong.text
    assert editor.send(editor.page(path), path, **values).status_code == 303
    shown = editor.page(path)
    assert CANARY not in shown
    tested = editor.send(shown, f"{path}/test", **{"value.stop_code": "000123"})
    assert tested.status_code == 303
    assert "返回 2 行" in editor.page(path)
    service.status = 500
    editor.send(editor.page(path), f"{path}/test", **{"value.stop_code": "1"})
    page = editor.page(path)
    assert "测试调用没有成功" in page
    assert CANARY not in page
    assert editor.send(page, f"{path}/disable").status_code == 303
    assert "已停用" in editor.page(path)
    site.signed_in("stranger").page(path, 403)
