"""`GET /data/v1/<api_code>`: what a grant gives, and what it never gives."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import func, select

from extensions.access.models import AccessKey, ApiCall, DataInterface
from extensions.access.rules import Terms
from extensions.access.services.interfaces import InterfaceOffer, InterfaceService
from portal.app import create_app
from portal.models.open_list import find_open_list_entry
from portal.platform import Platform
from portal.services.open_list import OpenListService
from tests.extensions.access.conftest import Served
from tests.factories import SetClock

GRANTED = {"stop_code", "stop_name", "duty_phone"}
WIDE = Terms(fields=tuple(sorted(GRANTED)), quota_day=10_000, per_minute=1_000, term_days=90)


@pytest.fixture
def wide(make_platform: Callable[..., Platform], serve: Callable[..., Served]) -> Served:
    """A grant with wide limits, for many calls on one table."""
    return serve(make_platform("sqlite"), WIDE)


def codes(response: Any) -> tuple[int, str]:
    return response.status_code, response.get_json()["error"]["code"]


def test_a_grant_gives_its_fields_masked(served: Served) -> None:
    response = served.get()
    body = response.get_json()
    assert response.status_code == 200
    assert body["total"] == 4
    assert body["next"] is None
    assert all(set(row) == GRANTED for row in body["data"])
    assert body["data"][0] == {
        "stop_code": "000123",
        "stop_name": "人民广场",
        "duty_phone": "139****5678",
    }
    assert [f["name"] for f in body["fields"]] == ["stop_code", "stop_name", "duty_phone"]
    assert body["licence"]["code"] == "jl-conditional-1.0"
    assert body["dataset"]["title"].startswith("吉林省")
    assert response.headers["Cache-Control"] == "private, no-cache"


def test_blanks_stay_blank_under_a_mask(served: Served) -> None:
    row = served.get("?stop_code=000125").get_json()["data"][0]
    assert row["duty_phone"] is None


def test_the_key_may_come_in_its_own_header(served: Served) -> None:
    response = served.client.get("/data/v1/bus-stops", headers={"X-API-Key": served.secret})
    assert response.status_code == 200


QUESTIONS = [
    ("stop_name=桂林路", ["000124"]),
    ("stop_name__eq=桂林路", ["000124"]),
    ("stop_name__ne=桂林路&limit=2", ["000123", "000125"]),
    ("stop_name__contains=路", ["000124"]),
    ("stop_code__gt=000124", ["000125", "000126"]),
    ("stop_code__ge=000124&stop_code__lt=000126", ["000124", "000125"]),
    ("stop_code__in=000123,000126", ["000123", "000126"]),
    ("stop_name__is_blank=true", []),
    ("stop_name__is_blank=false&limit=1", ["000123"]),
    ("sort=-stop_code&limit=2", ["000126", "000125"]),
    ("sort=-stop_code&limit=2&offset=2", ["000124", "000123"]),
    ("after_id=2", ["000125", "000126"]),
    ("limit=0", []),
]


def test_filters_sort_and_pages(wide: Served) -> None:
    for query, found in QUESTIONS:
        response = wide.get(f"?{query}")
        assert response.status_code == 200, query
        assert [row["stop_code"] for row in response.get_json()["data"]] == found, query


def test_pages_lead_through_all_rows_once(served: Served) -> None:
    for start in ("?limit=1", "?limit=3&sort=-stop_name"):
        seen, path = [], start
        while path:
            body = served.get(path).get_json()
            seen += [row["stop_code"] for row in body["data"]]
            path = body["next"] and "?" + body["next"].split("?", 1)[1]
        assert sorted(seen) == ["000123", "000124", "000125", "000126"]


OUTSIDE = [
    "fields=daily_passengers",
    "fields=stop_code,internal_flag",
    "daily_passengers__gt=1000",
    "daily_passengers=1200",
    "sort=daily_passengers",
    "sort=-keeper",
    "keeper__contains=张",
    "internal_flag__is_blank=true",
    "opened_on=2019-03-01",
    "duty_phone=13912345678",
    "duty_phone__contains=139",
    "sort=duty_phone",
    "sort=_id",
    "_id__gt=0",
    "columns=keeper",
]


def test_fields_outside_the_grant_are_not_reached(wide: Served) -> None:
    for query in OUTSIDE:
        response = wide.get(f"?{query}")
        assert codes(response) == (400, "bad_query"), query
        text = response.get_data(as_text=True)
        assert "张三丰" not in text
        for detail in response.get_json()["error"]["details"]:
            known = detail["message"].partition("可用的信息项")[2]
            assert "daily_passengers" not in known


INJECTIONS = [
    "' OR '1'='1",
    "x'; DROP TABLE rows; --",
    "1) UNION SELECT keeper FROM rows --",
    '"; SELECT 1; --',
    "\\",
    "%",
    "_",
    "\x00",
    "read_csv('/etc/passwd')",
    "\ud800",
]


def test_injections_are_values_or_unknown_names(wide: Served) -> None:
    before = wide.get("?limit=100").get_json()["data"]
    assert before
    for text in INJECTIONS:
        _try_everywhere(wide, text)
    assert wide.get("?limit=100").get_json()["data"] == before


def _try_everywhere(served: Served, text: str) -> None:
    sent = quote(text.encode("utf-8", "surrogatepass"))
    for query in (f"stop_name={sent}", f"stop_name__contains={sent}", f"stop_name__in={sent}"):
        response = served.get(f"?{query}")
        assert response.status_code == 200, query
        assert all(set(row) == GRANTED for row in response.get_json()["data"])
    for query in (f"sort={sent}", f"fields={sent}", f"{sent}=1", f"stop_name__{sent}=1"):
        assert served.get(f"?{query}").status_code in (200, 400), query
        assert "张三丰" not in served.get(f"?{query}").get_data(as_text=True)


BAD = [
    "limit=1001", "limit=-1", "limit=abc", "limit=1e3", "limit=٣", "offset=-1",
    "offset=1000000000", "after_id=-5", "after_id=99999999999999999999", "format=xml",
    "sort=-stop_code&after_id=1", "stop_name__is_blank=maybe", "stop_name__like=a", "nonsense=1",
    "stop_name__in=" + ",".join("x" * 3 for _ in range(300)), "stop_name=" + "长" * 1100,
]  # fmt: skip


def test_bad_parameters_are_named(wide: Served) -> None:
    for query in BAD:
        response = wide.get(f"?{query}")
        assert codes(response) == (400, "bad_query"), query
        details = response.get_json()["error"]["details"]
        assert details, query
        assert all(one["field"] and one["message"] for one in details), query


def test_csv_by_accept_and_by_parameter(served: Served) -> None:
    by_header = served.get("?limit=4", headers={"Accept": "text/csv"})
    by_parameter = served.get("?limit=4&format=csv")
    assert by_header.data == by_parameter.data
    rows = list(csv.reader(io.StringIO(by_header.get_data(as_text=True))))
    assert rows[0] == ["stop_code", "stop_name", "duty_phone"]
    assert rows[1] == ["000123", "人民广场", "139****5678"]
    assert rows[4][1] == "'=cmd()"
    assert by_header.headers["X-Total-Count"] == "4"


def test_etag_answers_304_until_something_changes(served: Served) -> None:
    first = served.get("?limit=1")
    tag = first.headers["ETag"]
    same = served.get("?limit=1", headers={"If-None-Match": tag})
    assert (same.status_code, same.data) == (304, b"")
    assert "RateLimit-Remaining" in same.headers
    other = served.get("?limit=2", headers={"If-None-Match": tag})
    assert other.status_code == 200


def test_credentials_decide_401(served: Served) -> None:
    bare = served.client.get("/data/v1/bus-stops")
    assert codes(bare) == (401, "key_missing")
    assert bare.headers["WWW-Authenticate"].startswith("Bearer")
    assert codes(served.get(secret="xyk_wrong")) == (401, "key_unknown")
    assert codes(served.get(secret=served.secret[:-1])) == (401, "key_unknown")
    assert codes(served.get(secret="密" * 2000)) == (401, "key_unknown")
    assert codes(served.client.get("/data/v1/no-such")) == (404, "unknown_interface")


def test_a_key_in_the_address_is_refused_with_advice(served: Served) -> None:
    for query in (f"api_key={served.secret}", "access_token=x", f"stop_name={served.secret}"):
        response = served.get(f"?{query}")
        assert codes(response) == (400, "credential_in_url")
        assert "请求头" in response.get_json()["error"]["message"]
        assert served.secret not in response.get_data(as_text=True)


def test_errors_speak_the_callers_language(served: Served) -> None:
    response = served.get(secret="x", headers={"Accept-Language": "en"})
    assert response.get_json()["error"]["message"] == "The key is not valid."
    assert served.get(secret="x").get_json()["error"]["message"].startswith("密钥无效")


def test_a_revoked_grant_is_refused_by_every_process_at_once(served: Served) -> None:
    other = create_app(served.platform).test_client()
    headers = {"Authorization": f"Bearer {served.secret}"}
    assert other.get("/data/v1/bus-stops", headers=headers).status_code == 200
    served.change(lambda s, a: s.revoke(served.reviewer, a, reason="违反协议"))
    assert codes(other.get("/data/v1/bus-stops", headers=headers)) == (403, "grant_revoked")
    assert codes(served.get()) == (403, "grant_revoked")


def test_suspended_and_resumed(served: Served) -> None:
    served.change(lambda s, a: s.suspend(served.bureau, a, reason="核查"))
    assert codes(served.get()) == (403, "grant_suspended")
    served.change(lambda s, a: s.resume(served.reviewer, a, reason="查明无碍"))
    assert served.get().status_code == 200


def test_the_last_day_counts_and_the_next_does_not(served: Served, clock: SetClock) -> None:
    clock.advance(days=90)
    assert served.get().status_code == 200
    clock.advance(days=1)
    assert codes(served.get()) == (403, "grant_expired")


def test_a_rotated_key_lives_on_for_its_overlap(served: Served, clock: SetClock) -> None:
    new = served.change(lambda s, a: s.rotate_key(served.applicant, a, overlap_hours=2))
    assert served.get().status_code == 200
    assert served.get(secret=new.secret).status_code == 200
    clock.advance(hours=2)
    assert codes(served.get()) == (403, "key_replaced")
    assert served.get(secret=new.secret).status_code == 200


def test_suspending_the_entry_stops_calls_at_once(served: Served) -> None:
    def on_list(act: Callable[[OpenListService, Any], None]) -> None:
        with served.platform.database.writing() as session:
            place = find_open_list_entry(session, served.entry_id)
            act(OpenListService(session, served.platform.clock), place)

    on_list(lambda s, p: s.suspend(served.reviewer, p, reason="质量核查"))
    assert codes(served.get()) == (403, "entry_not_open")
    on_list(lambda s, p: s.resume(served.reviewer, p, reason="核查完毕"))
    assert served.get().status_code == 200
    on_list(lambda s, p: s.remove(served.reviewer, p, reason="法律禁止", law_forbids=True))
    assert codes(served.get()) == (403, "entry_not_open")


def test_a_withdrawn_interface_stops_calls(served: Served) -> None:
    with served.platform.database.writing() as session:
        interface = session.get(DataInterface, served.interface_id)
        service = InterfaceService(session, served.platform.clock)
        service.withdraw(served.reviewer, interface, reason="系统下线")
    assert codes(served.get()) == (403, "entry_not_open")


def test_a_key_opens_its_own_interface_alone(served: Served) -> None:
    with served.platform.database.writing() as session:
        first = session.get(DataInterface, served.interface_id)
        InterfaceService(session, served.platform.clock).register(
            served.reviewer, first.entry, InterfaceOffer("other-stops", ("stop_code",))
        )
    response = served.client.get("/data/v1/other-stops", headers={"X-API-Key": served.secret})
    assert codes(response) == (403, "wrong_interface")


def test_the_secret_is_kept_nowhere(served: Served) -> None:
    with served.platform.database.reading() as session:
        key = session.scalars(select(AccessKey)).one()
        kept = json.dumps({c.key: str(getattr(key, c.key)) for c in AccessKey.__table__.c})
    assert served.secret not in kept
    assert key.prefix == served.secret[:10]
    assert len(served.secret) > 40


def test_calls_are_added_up_without_values(served: Served) -> None:
    served.get("?limit=2")
    served.get()
    served.get("?sort=keeper")
    with served.platform.database.reading() as session:
        use = session.scalars(select(ApiCall)).one()
    assert (use.calls, use.rows, use.errors) == (3, 6, 1)


def test_the_minute_limit_answers_429_and_resets(served: Served, clock: SetClock) -> None:
    remaining = [served.get().headers["RateLimit-Remaining"] for _ in range(10)]
    assert remaining == [str(n) for n in range(9, -1, -1)]
    over = served.get()
    assert codes(over) == (429, "quota_minute")
    assert over.headers["RateLimit-Remaining"] == "0"
    assert 1 <= int(over.headers["Retry-After"]) <= 60
    clock.advance(seconds=int(over.headers["Retry-After"]))
    assert served.get().status_code == 200


def test_the_day_ends_at_local_midnight(platform: Any, serve: Any, clock: SetClock) -> None:
    terms = Terms(fields=("stop_code",), quota_day=3, per_minute=100, term_days=30)
    served = serve(platform, terms)
    assert [served.get().status_code for _ in range(4)] == [200, 200, 200, 429]
    over = served.get()
    assert codes(over) == (429, "quota_day")
    assert int(over.headers["Retry-After"]) == 14 * 3600  # from 10:00 to 24:00 in Jilin
    clock.advance(hours=14)
    assert served.get().status_code == 200
    with platform.database.reading() as session:
        assert session.scalar(select(func.sum(ApiCall.calls))) == 4


def test_openapi_is_public_and_names_no_closed_field(served: Served) -> None:
    response = served.client.get("/data/v1/bus-stops/openapi.json")
    document = response.get_json()
    assert document["openapi"] == "3.1.0"
    row = document["components"]["schemas"]["Row"]["properties"]
    assert set(row) == {*GRANTED, "daily_passengers", "opened_on"}
    names = [p["name"] for p in document["paths"]["/data/v1/bus-stops"]["get"]["parameters"]]
    assert "stop_name" in names
    assert "duty_phone" not in names
    assert served.client.get("/data/v1/no-such/openapi.json").status_code == 404
