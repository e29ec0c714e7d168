"""The page of an interface, its console on the sandbox, and the keys that anybody signed in makes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest

from extensions.access.api.code_samples import samples_of
from extensions.access.models.call import CallRecord
from extensions.access.services.availability import add_up_days
from portal.platform import Platform
from portal.storage.base import StorageUnavailable
from tests.extensions.access.sandbox_fixtures import Box, make_sandboxes
from tests.extensions.access.test_call_log import log_of
from tests.extensions.access.test_pages import Visitor, make_site
from tests.extensions.access.test_use import site_of

PAGE = "/interfaces/bus-stops"


def test_anybody_reads_what_it_gives_and_tries_it_on_the_sandbox(
    make_platform: Callable[..., Platform],
) -> None:
    site = make_site(make_platform("sqlite"))
    visitor = Visitor(site.app.test_client())
    before = visitor.page(PAGE)
    assert "数据尚未就绪" in before
    make_sandboxes(site.platform)
    page = visitor.page(PAGE)
    for words in ("日客流量", "电话遮盖", "开放条件", "承诺", "沙箱", "openapi.json", "没有调用"):
        assert words in page, words
    for hidden in ("负责人", "keeper", "internal_flag", "张三丰", "13912345678"):
        assert hidden not in page, hidden
    for language in ("curl", "Python", "JavaScript", "Java"):
        assert f"<summary>{language}</summary>" in page
    tried = unescape(
        visitor.page(f"{PAGE}?call=rows&limit=3&sort=-stop_code&field0=stop_name&op0=ne&value0=x")
    )
    assert "/data/v1/bus-stops/rows?stop_name__ne=x&limit=3&sort=-stop_code" in tried
    assert "Xiangyun-Sandbox: synthetic" in tried
    assert "回答 200" in tried
    refused = unescape(visitor.page(f"{PAGE}?call=count&field0=duty_phone&op0=eq&value0=1"))
    assert "回答 400" in refused
    assert "masked_field" in refused
    for query in ("call=schema", "call=aggregate&measure=count", "call=rows&format=csv", "call=%00",
                  "call=rows&format=ndjson&limit=x", "call=rows&sort=%27%3B--"):  # fmt: skip
        assert "try-answer" in visitor.page(f"{PAGE}?{query}")
    visitor.page("/interfaces/nothing", 404)


def test_availability_and_totals_come_from_the_log(
    make_platform: Callable[..., Platform],
    open_box: Callable[..., Box],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    box = open_box(make_platform("sqlite"))
    platform, served = box.served.platform, box.served
    for path in ("/rows?limit=3", "/rows?limit=1", "/count?nothing=1"):
        served.get(path)
    box.get("/rows")  # the sandbox tells nothing of the interface's use
    with monkeypatch.context() as broken:
        broken.setattr(type(platform.tables), "run", _storage_is_away)
        assert served.get("/rows?stop_name=x").status_code == 503  # fails before it is counted
    log_of(served).flush()
    with platform.database.writing() as session:
        row = session.query(CallRecord).first()
        for status, days in ((503, 0), (200, 1)):
            session.add(CallRecord(
                application_id=row.application_id, key_id=row.key_id, operation="rows", fields=[],
                called_at=platform.clock() - timedelta(days=days), credential="key", rows=5,
                milliseconds=4, status=status, code="",
            ))  # fmt: skip
    add_up_days(platform, {})
    add_up_days(platform, {})
    page = served.client.get(PAGE).get_data(as_text=True)
    assert "近 30 天可用率 66.66%，共调用 6 次" in page
    assert "服务原因失败 2 次" in page
    assert "现有 1 个有效授权" in page
    lines = served.client.get(f"{PAGE}/calls.csv").get_data(as_text=True).splitlines()
    assert lines[-2:] == ["2026-11-23,1,5,0", "2026-11-24,5,9,2"]


def _storage_is_away(*_arguments: object, **_options: object) -> None:
    raise StorageUnavailable


def test_programs_are_made_from_the_openapi_document(box_document: dict[str, object]) -> None:
    found = {one.language: one.code for one in samples_of(box_document)}
    assert list(found) == ["curl", "Python", "JavaScript", "Java"]
    for code in found.values():
        assert "https://data.example.cn/data/v1/wells/rows?limit=40" in code
    assert 'page["items"]' in found["Python"]
    assert "page.following" in found["JavaScript"]
    compile(found["Python"], "sample", "exec")


def test_an_account_makes_and_ends_sandbox_keys(
    make_platform: Callable[..., Platform], open_box: Callable[..., Box]
) -> None:
    box = open_box(make_platform("sqlite"))
    site = site_of(box.served)
    other = site.signed_in("other")
    shown = other.page("/developer/sandbox")
    answer = other.send(shown, "/developer/sandbox/keys")
    assert answer.headers["Cache-Control"] == "no-store"
    text = answer.get_data(as_text=True)
    secret = re.search(r"xys_[\w-]{43}", text).group()
    assert box.get("/rows", secret=secret).status_code == 200
    page = other.page("/developer/sandbox")
    assert secret not in page
    assert "今天已用 1 次" in page
    path = re.search(r"/developer/sandbox/keys/\d+/revoke", page).group()
    stranger = site.signed_in("clerk")
    refused = stranger.send(stranger.page("/developer/sandbox"), path)
    assert refused.status_code == 404
    assert box.get("/rows", secret=secret).status_code == 200
    assert other.send(page, path).status_code == 303
    assert box.get("/rows", secret=secret).status_code == 401
    visitor = Visitor(box.served.client.application.test_client())
    assert "/login" in visitor.client.get("/developer/sandbox").headers["Location"]
