"""Harvest sources in the browser: made, changed, tried, run, paused, removed; columns; conflicts."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from portal.app import create_app
from portal.jobs.worker import Worker
from portal.models.entry import CatalogueEntry
from portal.models.harvest import HarvestRun, HarvestSource
from portal.platform import Platform
from portal.services.source_secrets import SourceSecrets
from tests.factories import TRANSPORT
from tests.harvesters.packages import package
from tests.harvesters.replay import Answer, CkanCatalogue, ReplayServer
from tests.portal.services.harvests import open_packages
from tests.portal.web.work.conftest import Browser, Office, text_of

LIST = "填表单位,名称,多久更新一次,开放情况\n省交通运输厅,公交站点,每日,无条件开放\n"
HEADERS = "序号,目录标题,简介"


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        yield running


@pytest.fixture
def office(make_platform: Callable[..., Platform], server: ReplayServer) -> Office:
    platform = make_platform("sqlite", fetch_allowed_hosts=(server.address,))
    return Office(platform, create_app(platform))


@pytest.fixture
def admin(office: Office) -> Browser:
    return office.browser("bureau_admin", "JL-BUR")


def work(office: Office) -> None:
    Worker(office.platform).run_until_idle()


def source_of(office: Office, name: str = "city") -> HarvestSource:
    query = select(HarvestSource).where(HarvestSource.name == name)
    return office.read(lambda session: session.scalars(query).one())


def add(admin: Browser, url: str, **values: Any) -> None:
    given = {
        "name": "city",
        "organisation": TRANSPORT,
        "kind": "ckan",
        "url": url,
        "trusted": "yes",
        **values,
    }
    admin.submit("/work/sources/new", "/work/sources", **given)


def serve_list(server: ReplayServer, text: str) -> str:
    server.on("/list.csv", Answer(body=text.encode("gb18030")))
    return f"{server.url}/list.csv"


def test_a_source_is_made_tried_and_run(
    admin: Browser, office: Office, server: ReplayServer
) -> None:
    catalogue = CkanCatalogue(open_packages(3))
    server.on("/api/action/package_search", catalogue)
    add(admin, server.url, schedule="30 2 * * *", options="attempts=2\nbackoff_seconds=0.01")
    source = source_of(office)
    assert (source.schedule, source.options) == (
        "30 2 * * *",
        {"attempts": 2, "backoff_seconds": 0.01},
    )
    runs = f"/work/sources/{source.id}/runs"
    page = admin.submit("/work/sources", runs, trial="yes").location
    assert 'http-equiv="refresh"' in admin.get(page).text
    work(office)
    shown = text_of(admin.get(page))
    assert "没有写入任何内容" in shown
    assert "新增 3" in shown
    assert office.read(lambda session: session.scalars(select(CatalogueEntry)).all()) == []
    page = admin.submit("/work/sources", runs, trial=None).location
    work(office)
    shown = admin.get(page)
    assert 'http-equiv="refresh"' not in shown.text
    assert "新增 3" in text_of(shown)
    catalogue.packages[1]["title"] = "改了名字的数据"
    page = admin.submit("/work/sources", runs, trial="yes").location
    work(office)
    shown = text_of(admin.get(page + "?state=updated"))
    assert re.search(r"数据集名称 .* → 改了名字的数据", shown)


def test_what_is_wrong_with_a_source_is_said_beside_the_fields(admin: Browser) -> None:
    answer = admin.submit(
        "/work/sources/new",
        "/work/sources",
        422,
        name="a b",
        organisation=TRANSPORT,
        kind="ckan",
        url="ftp://x",
        schedule_own="每天",
    )
    shown = text_of(answer)
    for words in ("名称只能含", "完整网址", "不是有效的时间表"):
        assert words in shown
    assert 'value="ftp://x"' in answer.text


def test_a_key_is_sealed_and_never_shown_again(
    admin: Browser, office: Office, server: ReplayServer
) -> None:
    server.on("/api/action/package_search", CkanCatalogue(open_packages(1)))
    add(admin, server.url, secret="very-secret-key")
    source = source_of(office)
    assert "very-secret-key" not in f"{source.options}{source.sealed}"
    page = f"/work/sources/{source.id}"
    assert "very-secret-key" not in admin.get(page).text
    assert "已保存访问密钥" in admin.get(page).text
    admin.submit(page, page, url=server.url, trusted=None)
    admin.submit("/work/sources", f"{page}/runs", trial=None)
    work(office)
    assert server.asked[-1].headers["Authorization"] == "very-secret-key"
    admin.submit(page, page, forget_secret="yes")
    assert source_of(office).sealed == ""


def test_keys_sealed_under_another_secret_key_end_the_run_with_what_to_do(
    admin: Browser, office: Office, server: ReplayServer
) -> None:
    add(admin, server.url)
    with office.platform.database.writing() as session:
        source = session.scalars(select(HarvestSource)).one()
        SourceSecrets("another-secret-key" * 3).put(source, {"apikey": "x"})
        page = f"/work/sources/{source.id}"
    report = admin.submit("/work/sources", f"{page}/runs", trial=None).location
    work(office)
    assert "SECRET_KEY 已更换" in text_of(admin.get(report))
    admin.submit(page, page, secret="anew")
    assert source_of(office).sealed


def test_a_key_among_the_other_parameters_is_refused(admin: Browser) -> None:
    answer = admin.submit(
        "/work/sources/new",
        "/work/sources",
        422,
        name="city",
        organisation=TRANSPORT,
        kind="ckan",
        url="https://data.example.cn",
        options="apikey=abc",
    )
    assert "像是密钥" in text_of(answer)


def test_two_people_who_edit_one_source_do_not_overwrite_each_other(
    admin: Browser, office: Office, server: ReplayServer
) -> None:
    add(admin, server.url)
    page = f"/work/sources/{source_of(office).id}"
    first, second = (admin.form(page, page) for _ in range(2))
    admin.send(first, name="renamed")
    assert "已被他人修改" in text_of(admin.send(second, 409, name="other"))


def test_a_paused_source_is_not_started(
    admin: Browser, office: Office, server: ReplayServer
) -> None:
    add(admin, server.url, schedule="30 2 * * *")
    page = f"/work/sources/{source_of(office).id}"
    form = admin.form("/work/sources", f"{page}/runs")
    admin.submit("/work/sources", f"{page}/pause")
    assert "请先恢复" in text_of(admin.send(form, 409))
    assert "已暂停" in text_of(admin.get("/work/sources"))
    admin.submit("/work/sources", f"{page}/pause")
    admin.send(form)


def test_the_entries_of_a_removed_source_are_taken_over_not_doubled(
    admin: Browser, office: Office, server: ReplayServer
) -> None:
    server.on("/api/action/package_search", CkanCatalogue(open_packages(3)))
    add(admin, server.url)
    page = f"/work/sources/{source_of(office).id}"
    admin.submit("/work/sources", f"{page}/runs", trial=None)
    work(office)
    assert "请写明" in text_of(admin.submit(page, "/remove", 422))
    admin.submit(page, "/remove", reason="换了地址")
    admin.get(page, 404)
    assert "还没有采集源" in text_of(admin.get("/work/sources"))
    add(admin, server.url)
    again = source_of(office)
    report = admin.submit("/work/sources", f"/work/sources/{again.id}/runs", trial=None).location
    work(office)
    assert "更新 3" in text_of(admin.get(report))
    entries = office.read(lambda session: session.scalars(select(CatalogueEntry)).all())
    assert [entry.source_id for entry in entries] == [again.id] * 3
    report = admin.submit("/work/sources", f"/work/sources/{again.id}/runs", trial=None).location
    work(office)
    assert "未变 3" in text_of(admin.get(report))


def test_faulty_records_are_named_with_what_to_do(
    admin: Browser, office: Office, server: ReplayServer
) -> None:
    some = [*open_packages(2), *(package(n, title="长" * 300) for n in (2, 3))]
    server.on("/api/action/package_search", CkanCatalogue(some))
    add(admin, server.url)
    runs = f"/work/sources/{source_of(office).id}/runs"
    report = admin.submit("/work/sources", runs, trial=None).location
    work(office)
    shown = text_of(admin.get(f"{report}?state=faulty"))
    assert "result[2]" in shown
    assert "id-0003" in shown
    assert "最常见的问题" in shown
    assert "转告来源单位" in shown
    assert "无条件" not in shown
    whole = text_of(admin.get(report))
    assert whole.index("id-0003") < whole.index("id-0000")  # what is at fault comes first
    rows = list(csv.reader(io.StringIO(admin.get(f"{report}/report.csv").data.decode("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == ["有误", "有误", "新增", "新增"]
    assert rows[1][1:3] == ["result[2]", "id-0002"]
    rows = admin.get(f"{report}/report.csv?state=created").data.decode().splitlines()
    assert len(rows) == 3
    office.browser("agency_editor", "JL-HEA").get(f"{report}/report.csv", 404)


def test_removals_are_confirmed_on_the_report(
    admin: Browser, office: Office, server: ReplayServer
) -> None:
    catalogue = CkanCatalogue(open_packages(5))
    server.on("/api/action/package_search", catalogue)
    add(admin, server.url)
    runs = f"/work/sources/{source_of(office).id}/runs"
    admin.submit("/work/sources", runs, trial=None)
    work(office)
    del catalogue.packages[2:]
    report = admin.submit("/work/sources", runs, trial=None).location
    work(office)
    assert "没有撤下任何数据" in text_of(admin.get(report))
    admin.submit(report, "/confirm")
    work(office)
    assert "撤下 3" in text_of(admin.get(report))


def test_columns_are_guessed_confirmed_and_a_changed_header_stops_the_run(
    admin: Browser, office: Office, server: ReplayServer
) -> None:
    add(admin, serve_list(server, LIST), kind="open_list")
    source = source_of(office)
    page = f"/work/sources/{source.id}/columns"
    admin.submit(page, "/sample")
    assert 'http-equiv="refresh"' in admin.get(page).text
    work(office)
    assert "公交站点" in admin.get(page).text
    form = admin.form(page, "/columns")
    assert form.values()["field"] == ["", "title", "", ""]
    refused = admin.send(form, 422, field=["title", "title", "", ""])
    assert "每个字段只能对应一列" in text_of(refused)
    admin.send(form, field=["provider_name", "title", "update_frequency", "open_type"])
    runs = f"/work/sources/{source.id}/runs"
    report = admin.submit("/work/sources", runs, trial=None).location
    work(office)
    assert "新增 1" in text_of(admin.get(report))
    serve_list(server, LIST.replace("多久更新一次", "频度"))
    report = admin.submit("/work/sources", runs, trial=None).location
    work(office)
    shown = text_of(admin.get(report))
    assert "新增“频度”，缺少“多久更新一次”" in shown
    shown = text_of(admin.get(page))
    assert "新增的列" in shown
    assert "缺少的列：多久更新一次" in shown
    admin.submit(
        page, "/columns", field=["provider_name", "title", "update_frequency", "open_type"]
    )
    report = admin.submit("/work/sources", runs, trial=None).location
    work(office)
    assert "未变 1" in text_of(admin.get(report))


def test_a_header_that_no_vocabulary_knows_is_mapped_by_hand(
    admin: Browser, office: Office, server: ReplayServer
) -> None:
    text = "2026年清单,,\nDataset,What,Freq\n公交站点,全部公交站点的位置,每日\n"
    add(admin, serve_list(server, text), kind="open_list")
    source = source_of(office)
    page = f"/work/sources/{source.id}/columns"
    admin.submit(page, "/sample")
    work(office)
    assert "表头在第 2 行" in text_of(admin.get(page))
    admin.submit(page, "/columns", field=["title", "abstract", "update_frequency"])
    report = admin.submit("/work/sources", f"/work/sources/{source.id}/runs", trial=None).location
    work(office)
    assert "新增 1" in text_of(admin.get(report))
    admin.submit(page, "/forget")
    assert source_of(office).columns is None


def test_a_list_without_a_header_is_mapped_by_position(
    admin: Browser, office: Office, server: ReplayServer
) -> None:
    add(admin, serve_list(server, LIST.partition("\n")[2]), kind="open_list")
    source = source_of(office)
    runs, page = f"/work/sources/{source.id}/runs", f"/work/sources/{source.id}/columns"
    report = admin.submit("/work/sources", runs, trial=None).location
    work(office)
    assert "没有表头，按位置对应" in text_of(admin.get(report))
    assert "核对列对应" in text_of(admin.get(report))
    admin.submit(page, "/sample", header="without")
    work(office)
    shown = admin.get(page)
    assert "没有表头，数据从第 1 行开始" in text_of(shown)
    form = admin.form(page, "/columns")
    assert form.values()["heading"] == ["第 1 列", "第 2 列", "第 3 列", "第 4 列"]
    assert form.values()["field"][2:] == ["update_frequency", "open_type"]
    admin.send(form, field=["provider_name", "title", "update_frequency", "open_type"])
    report = admin.submit("/work/sources", runs, trial=None).location
    work(office)
    assert "新增 1" in text_of(admin.get(report))
    serve_list(server, LIST.replace("填表单位,名称", "提供单位,数据集名称"))
    report = admin.submit("/work/sources", runs, trial=None).location
    work(office)
    assert "第 1 行现在是表头" in text_of(admin.get(report))
    assert "表头行出现了或消失了" in text_of(admin.get(page))


def test_a_list_that_cannot_be_read_says_why(
    admin: Browser, office: Office, server: ReplayServer
) -> None:
    add(admin, f"{server.url}/none.csv", kind="open_list", options="attempts=1")
    page = f"/work/sources/{source_of(office).id}/columns"
    admin.submit(page, "/sample")
    work(office)
    assert "HTTP 404" in text_of(admin.get(page))


def test_both_agencies_see_a_record_that_both_claim(
    admin: Browser, office: Office, server: ReplayServer
) -> None:
    server.on("/a/api/action/package_search", CkanCatalogue(open_packages(2)))
    server.on("/b/api/action/package_search", CkanCatalogue(open_packages(2)))
    here, there = office.browser("agency_editor"), office.browser("agency_editor", "JL-HEA")
    add(admin, f"{server.url}/a")
    add(admin, f"{server.url}/b", name="copy", organisation="JL-HEA")
    for name in ("city", "copy"):
        admin.submit(
            "/work/sources", f"/work/sources/{source_of(office, name).id}/runs", trial=None
        )
        work(office)
    for browser in (here, there):
        shown = text_of(browser.get("/work/harvest"))
        assert "来源“copy”" in shown
        assert "result[0]" in shown
        assert "与对方商定由谁维护" in shown
    assert "2 条记录与本单位维护的目录重复" in text_of(here.get("/notices"))
    runs = office.read(lambda session: session.scalars(select(HarvestRun.id)).all())
    here.get(f"/work/sources/runs/{runs[0]}")
    here.get(f"/work/sources/runs/{runs[1]}", 404)
    there.get(f"/work/sources/runs/{runs[1]}")
    office.browser("agency_editor", "JL-EDU").get(f"/work/sources/runs/{runs[0]}", 404)
