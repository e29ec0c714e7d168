"""`/data/v1/<code>/{rows,count,aggregate,schema}`: what a grant gives, and what it never gives."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from extensions.access.api import aggregate, row_answers
from extensions.access.rules import Terms
from portal.platform import Platform
from tests.extensions.access.conftest import ITEMS, Served

GRANTED = ("stop_code", "stop_name", "daily_passengers", "opened_on", "duty_phone")
SECRETS = ("张三丰", "李四", "13912345678", "keeper", "甲")
FIELDS = (*GRANTED, "keeper", "internal_flag")
ROWS = [
    ("000123", "人民广场", "1200", "2019-03-01", "13912345678", "张三丰", "甲"),
    ("000124", "人民广场", "900.5", "2020-05-06", "13987654321", "李四", "乙"),
    ("000125", "人民广场", "1500", "2021-07-08", "", "王五", "丙"),
    ("000126", "人民广场", "", "2022-09-10", "13700001111", "赵六", "丁"),
    ("000127", "人民广场", "10", "", "13700001112", "钱七", "丁"),
    ("000128", "桂林路", "20", "2020-01-01", "13700001113", "孙八", "丁"),
    ("000129", "桂林街", "30", "2020-01-02", "13700001114", "周九", "丁"),
    ("000130", "=cmd()", "40", "2020-01-03", "13700001115", "吴十", "丁"),
]
NAMES = "站点编码,站点名称,日客流量,启用日期,值班电话,负责人,内部标记\n"
DATA = NAMES + "".join(",".join(row) + "\n" for row in ROWS)
ALL_CODES = [row[0] for row in ROWS]
PASSENGERS = replace(ITEMS[2], data_type="number")
WIDE = Terms(fields=GRANTED, quota_day=100_000, per_minute=6_000, term_days=90)


@pytest.fixture
def wide(make_platform: Callable[..., Platform], grants_all: None, serve: Any) -> Served:
    return serve(make_platform("sqlite"), WIDE, data=DATA)


@pytest.fixture
def grants_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the application ask for every offered field, so that all may be granted."""
    import tests.extensions.access.conftest as conftest

    monkeypatch.setattr(
        conftest.Grants,
        "draft",
        lambda self: self.applications.create(
            self.applicant, self.interface(), replace(conftest.REQUEST, fields=GRANTED)
        ),
    )


def codes_of(response: Any) -> list[str]:
    assert response.status_code == 200, response.get_data(as_text=True)
    return [row["stop_code"] for row in response.get_json()["data"]]


QUESTIONS = [
    ("stop_name=桂林路", ["000128"]),
    ("stop_name__ne=人民广场", ["000128", "000129", "000130"]),
    ("stop_name__begins=桂林", ["000128", "000129"]),
    ("stop_name__begins=", ALL_CODES),
    ("stop_name__begins=桂林路路", []),
    ("stop_name__contains=林", ["000128", "000129"]),
    ("daily_passengers__ge=1200", ["000123", "000125"]),
    ("daily_passengers__lt=20&daily_passengers__gt=5.5", ["000127"]),
    ("daily_passengers__le=20", ["000127", "000128"]),
    ("daily_passengers__is_blank=true", ["000126"]),
    ("opened_on__ge=2021-01-01", ["000125", "000126"]),
    ("stop_code__in=000123,000130", ["000123", "000130"]),
    ("sort=-daily_passengers&limit=2", ["000125", "000123"]),
    ("limit=0", []),
]


def test_typed_filters_and_masking(wide: Served) -> None:
    for query, found in QUESTIONS:
        assert codes_of(wide.get(f"/rows?{query}")) == found, query
    body = wide.get("/rows?limit=1&fields=stop_code,duty_phone").get_json()
    assert body["data"] == [{"stop_code": "000123", "duty_phone": "139****5678"}]
    assert body["total"] == 8
    assert wide.get("/count?stop_name__begins=桂林").get_json() == {"count": 2}
    assert wide.get("/count").get_json() == {"count": 8}


def test_cursors_lead_through_all_rows_once_and_belong_to_their_question(wide: Served) -> None:
    for start in ("?limit=3", "?limit=3&sort=stop_name", "?limit=2&sort=-daily_passengers"):
        seen, path, requests = [], start, 0
        while path:
            body = wide.get(f"/rows{path}").get_json()
            seen += [row["stop_code"] for row in body["data"]]
            path = body["next"] and "?" + body["next"].split("?", 1)[1]
            requests += 1
        assert sorted(seen) == ALL_CODES, start
        assert requests <= 5
    following = wide.get("/rows?limit=3").get_json()["next"].split("cursor=")[1]
    for query in (
        f"cursor={following}&sort=stop_name",
        f"cursor={following}&stop_name=桂林路",
        "cursor=x", "cursor=%00", "cursor=W10", f"cursor={'A' * 300}", "cursor=WzEsMiwtM10",
        f"cursor={following}&format=ndjson", "after_id=1", "offset=1",
    ):  # fmt: skip
        assert problem_of(wide.get(f"/rows?{query}"), 400) == "bad_query", query


def test_a_cursor_of_older_data_is_refused(wide: Served) -> None:
    following = wide.get("/rows?limit=3").get_json()["next"].split("cursor=")[1]
    wide.change(lambda _s, a: setattr(a, "granted_fields", ["stop_code", "stop_name"]))
    query = f"limit=3&fields={','.join(GRANTED[:2])}&cursor={following}"
    assert wide.get(f"/rows?{query}").status_code in (400, 409)
    assert "daily_passengers" not in wide.get("/rows").get_data(as_text=True)


def problem_of(response: Any, status: int) -> str:
    """Return the code of a problem document, which must be whole."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.content_type == "application/problem+json"
    body = json.loads(response.data)
    assert body["type"] == f"urn:xiangyun:problem:{body['code']}"
    assert (body["status"], bool(body["title"]), bool(body["detail"])) == (status, True, True)
    if body["code"] == "bad_query":
        assert all(one["field"] and one["message"] for one in body["errors"])
    return body["code"]


def test_csv_and_ndjson_give_the_same_rows(wide: Served) -> None:
    rows = wide.get("/rows").get_json()["data"]
    as_csv = wide.get("/rows", headers={"Accept": "text/csv"})
    lines = list(csv.reader(io.StringIO(as_csv.get_data(as_text=True))))
    assert tuple(lines[0]) == GRANTED
    assert lines[8][1] == "'=cmd()"
    assert lines[2][2] == "900.5"
    streamed = wide.get("/rows?format=ndjson")
    assert streamed.headers["X-Total-Count"] == "8"
    assert [json.loads(line) for line in streamed.data.splitlines()] == rows
    unmasked = wide.get(
        "/rows?fields=stop_code,daily_passengers", headers={"Accept": "application/x-ndjson"}
    )
    kept = [{k: row[k] for k in ("stop_code", "daily_passengers")} for row in rows]
    assert [json.loads(line) for line in unmasked.data.splitlines()] == kept
    assert len(wide.get("/rows?format=ndjson&limit=2").data.splitlines()) == 2


def test_caps_are_refused_by_name(wide: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_answers, "MAX_STREAM_ROWS", 7)
    monkeypatch.setattr(aggregate, "MAX_GROUPS", 3)
    assert problem_of(wide.get("/rows?format=ndjson"), 422) == "too_many_rows"
    assert wide.get("/rows?format=ndjson&stop_name__begins=桂").status_code == 200
    assert problem_of(wide.get("/aggregate?group_by=stop_code"), 422) == "too_many_groups"
    assert problem_of(wide.get("/rows?limit=1001"), 400) == "bad_query"
    monkeypatch.setattr(aggregate, "AGGREGATE_SECONDS", 0.0)
    assert wide.get("/aggregate").status_code in (200, 503)


def test_small_groups_are_merged_where_personal_items_are_about(wide: Served) -> None:
    query = "group_by=stop_name&measure=count,sum:daily_passengers,mean:daily_passengers"
    body = wide.get(f"/aggregate?{query},min:daily_passengers,max:opened_on").get_json()
    assert body["groups"] == []  # 5 and 1 + 1 + 1: the three alone could be told by subtraction
    assert body["merged"]["groups"] == 4
    values = body["merged"]["values"]
    assert values["count"] == 8
    assert values["sum:daily_passengers"] == 3700.5
    assert values["mean:daily_passengers"] == pytest.approx(3700.5 / 7)
    assert (values["min:daily_passengers"], values["max:opened_on"]) == (10, "2022-09-10")
    few = wide.get("/aggregate?group_by=stop_name&stop_name__begins=桂林").get_json()
    assert (few["groups"], few["merged"]) == ([], None)
    one = wide.get("/aggregate?stop_name=人民广场").get_json()
    assert one["groups"] == [{"group": {}, "values": {"count": 5}}]


def test_groups_of_a_table_without_personal_items_are_given_whole(
    make_platform: Callable[..., Platform], serve: Any, grants_all: None
) -> None:
    open_items = tuple(replace(item, masking="") for item in ITEMS)
    plain = NAMES + "".join(",".join((*row[:4], "", "", "")) + "\n" for row in ROWS)
    served = serve(make_platform("sqlite"), WIDE, data=plain, items=open_items)
    body = served.get(
        "/aggregate?group_by=stop_name&measure=count,mean:daily_passengers"
    ).get_json()
    assert {g["group"]["stop_name"]: g["values"]["count"] for g in body["groups"]} == {
        "=cmd()": 1, "人民广场": 5, "桂林街": 1, "桂林路": 1,
    }  # fmt: skip
    assert (body["merged"], body["smallest_group"]) == (None, 1)
    lines = served.get("/aggregate?group_by=stop_name&format=csv").get_data(as_text=True)
    assert lines.splitlines()[:2] == ["stop_name,count", "'=cmd(),1"]
    streamed = served.get("/aggregate?group_by=stop_name&format=ndjson").data.splitlines()
    assert len(streamed) == 4


def test_conditional_answers(wide: Served) -> None:
    for path in ("/rows", "/count", "/aggregate?group_by=stop_name", "/schema"):
        first = wide.get(path)
        tag, since = first.headers["ETag"], first.headers["Last-Modified"]
        same = wide.get(path, headers={"If-None-Match": tag})
        assert (same.status_code, same.data) == (304, b""), path
        assert wide.get(path, headers={"If-Modified-Since": since}).status_code == 304
        old = {"If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}
        assert wide.get(path, headers=old).status_code == 200
        both = {"If-None-Match": '"other"', "If-Modified-Since": since}
        assert wide.get(path, headers=both).status_code == 200
    assert wide.get("/rows?limit=2", headers={"If-None-Match": tag}).status_code == 200


def test_the_schema_tells_what_may_be_asked(wide: Served) -> None:
    body = wide.get("/schema").get_json()
    fields = {field["name"]: field for field in body["fields"]}
    assert tuple(fields) == GRANTED
    assert "begins" in fields["stop_name"]["operators"]
    assert "begins" not in fields["daily_passengers"]["operators"]
    assert fields["duty_phone"]["operators"] == fields["duty_phone"]["measures"] == []
    assert fields["daily_passengers"]["measures"] == ["sum", "mean", "min", "max"]
    assert body["quota"] == {"minute": 6_000, "day": 100_000}
    assert body["caps"]["smallest_group"] == 5


OUTSIDE = [
    "/rows?fields=keeper", "/rows?sort=keeper", "/rows?keeper__begins=张", "/rows?sort=duty_phone",
    "/rows?duty_phone__begins=139", "/rows?internal_flag=甲", "/rows?sort=_id", "/rows?_id__gt=0",
    "/count?keeper=张三丰", "/count?duty_phone=13912345678", "/count?limit=1",
    "/aggregate?group_by=keeper", "/aggregate?group_by=duty_phone",
    "/aggregate?measure=max:duty_phone", "/aggregate?measure=min:keeper",
    "/aggregate?measure=sum:stop_name", "/aggregate?measure=median:daily_passengers",
    "/aggregate?measure=count:stop_name", "/aggregate?measure=sum", "/aggregate?sort=stop_name",
    "/aggregate?group_by=stop_code,stop_name,opened_on,daily_passengers",
    "/aggregate?keeper__contains=张", "/schema?x=1", "/rows?daily_passengers__begins=1",
]  # fmt: skip


def test_fields_outside_the_grant_are_not_reached(wide: Served) -> None:
    for path in OUTSIDE:
        response = wide.get(path)
        assert problem_of(response, 400) == "bad_query", path
        assert not any(s in response.get_data(as_text=True) for s in SECRETS[:3]), path


INJECTIONS = [
    "' OR '1'='1", "x'; DROP TABLE rows; --", "1) UNION SELECT keeper FROM rows --",
    '"; SELECT 1; --', '" FROM rows; --', "\\", "%", "\x00", "read_csv('/etc/passwd')", "\ud800",
    "stop_name) FILTER (WHERE keeper='x'", "{keeper}", "\U0010ffff", "\ud7ff", "_id", "*",
]  # fmt: skip
PLACES = [
    "/rows?stop_name={}", "/rows?stop_name__begins={}", "/rows?stop_name__in={},{}",
    "/rows?stop_name__contains={}", "/rows?daily_passengers__ge={}", "/rows?sort={}",
    "/rows?sort=-{}", "/rows?fields={}", "/rows?{}=1", "/rows?stop_name__{}=1", "/rows?cursor={}",
    "/rows?limit={}", "/rows?format={}", "/rows?format=ndjson&stop_name__begins={}",
    "/rows?limit=1&stop_name__ne={}", "/aggregate?group_by={}", "/aggregate?measure=sum:{}",
    "/aggregate?measure={}", "/aggregate?stop_name__begins={}", "/count?stop_name={}",
    "/count?{}__is_blank=true", "/count?opened_on={}",
]  # fmt: skip


def test_injections_are_values_or_unknown_names(wide: Served) -> None:
    for text in INJECTIONS:
        sent = quote(text.encode("utf-8", "surrogatepass"))
        for place in PLACES:
            response = wide.get(place.replace("{}", sent))
            assert response.status_code in (200, 400), (place, text, response.status_code)
            answer = response.get_data(as_text=True)
            assert not any(secret in answer for secret in SECRETS[:3]), (place, text)
    assert wide.get("/count").get_json() == {"count": 8}


def test_refusals_are_problems(wide: Served) -> None:
    client = wide.client
    bare = client.get("/data/v1/bus-stops/rows")
    assert problem_of(bare, 401) == "key_missing"
    assert bare.headers["WWW-Authenticate"].startswith("Bearer")
    assert problem_of(wide.get("/count", secret="xyk_wrong"), 401) == "key_unknown"
    assert problem_of(client.get("/data/v1/none/schema"), 404) == "unknown_interface"
    asked = client.get(f"/data/v1/bus-stops/rows?stop_name={wide.secret}")
    assert problem_of(asked, 400) == "credential_in_url"
    english = wide.get("/rows?sort=keeper", headers={"Accept-Language": "en"}).get_json(force=True)
    assert english["title"] == "Bad request"
    wide.change(lambda s, a: s.revoke(wide.reviewer, a, reason="违反协议"))
    assert problem_of(wide.get("/aggregate"), 403) == "grant_revoked"
