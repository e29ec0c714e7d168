"""Bad sources and bad records: nothing is concluded from half an answer, faults are named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from portal.cli import cli
from portal.errors import Invalid
from portal.jobs.worker import Worker
from portal.models import CatalogueEntry, HarvestRun, Job
from portal.models.harvest import find_last_run
from portal.models.open_list import find_open_list_entry
from portal.platform import Platform
from tests.factories import SetClock
from tests.harvesters.packages import package
from tests.harvesters.replay import Answer, ReplayServer, html_answer, json_answer
from tests.portal.services.harvests import Harvests, file, open_packages, totals

PATH = "/city/api/action/package_search"
LIST = "信息资源代码,数据集名称,提供单位,更新周期,开放类型,采集方式,下载地址"


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        yield running


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def harvests(
    make_platform: Callable[..., Platform], database_kind: str, server: ReplayServer
) -> Harvests:
    platform = make_platform(database_kind, fetch_allowed_hosts=(server.address,))
    return Harvests(platform, server)


EMPTY = {"success": True, "result": {"count": 0, "results": []}}
TRUNCATED = {"success": True, "result": {"count": 9, "results": []}}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(500, b"oops"), "服务器出错"),
        (Answer(429, b"", {"Retry-After": "9000"}), "稍后再来"),
        (Answer(200, b'{"success": true, "result": {"co', cut_after=10), "中断"),
        (Answer(200, b'{"success": true, "result": {"co'), "截断"),
        (html_answer(), "网页"),
        (Answer(200, b""), "空的"),
        (json_answer(EMPTY), "没有给出任何记录"),
        (json_answer(TRUNCATED), "9 条"),
    ],
)
def test_a_failing_answer_retires_nothing(harvests: Harvests, answer: Answer, words: str) -> None:
    harvests.add(open_packages(4))
    harvests.run()
    harvests.server.on(PATH, answer)
    run = harvests.run()
    assert run.state == "failed"
    assert words in run.error
    assert totals(run) == {}
    assert all(entry.is_public for entry in harvests.entries().values())


def test_a_source_that_breaks_off_in_the_middle_writes_nothing(harvests: Harvests) -> None:
    catalogue = harvests.add(open_packages(150))
    pages = iter([catalogue, catalogue, Answer(500), Answer(500)])
    harvests.server.on(PATH, *pages)
    run = harvests.run()
    assert (run.state, harvests.lines(run)) == ("failed", [])
    assert harvests.entries() == {}


def test_a_busy_source_is_asked_again(harvests: Harvests) -> None:
    catalogue = harvests.add(open_packages(4))
    harvests.server.on(PATH, Answer(429, b"", {"Retry-After": "0"}), catalogue)
    assert totals(harvests.run()) == {"created": 4}


def test_two_equal_ids_are_named_and_one_is_kept(harvests: Harvests) -> None:
    twins = [*open_packages(2), package(1, title="双胞胎", resources=[file(1)])]
    harvests.add(twins)
    run = harvests.run()
    assert totals(run) == {"created": 2, "faulty": 1}
    (fault,) = harvests.lines(run, "faulty")
    assert (fault.remote_id, fault.place) == ("id-0001", "result[2]")
    assert "同一个 id" in fault.reason
    assert totals(harvests.run()) == {"unchanged": 2, "faulty": 1}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": "", "name": ""}, "标题"),
        ({"title": "长" * 201}, "200"),
        ({"title": "空\0字符"}, "字符"),
        ({"private": True}, "不是公开"),
        ({"id": ""}, "id"),
        (
            {"extras": [{"key": "jl_security_level", "value": "3"}], "resources": [file(9)]},
            "第41条",
        ),
    ],
)
def test_a_bad_record_fails_alone_and_is_named(
    harvests: Harvests, changes: dict[str, Any], words: str
) -> None:
    harvests.add([*open_packages(2), package(2, **changes)])
    run = harvests.run()
    assert (run.state, totals(run)) == ("done", {"created": 2, "faulty": 1})
    assert words in harvests.lines(run, "faulty")[0].reason


def test_half_a_character_is_named_as_a_fault(harvests: Harvests) -> None:
    found = [*open_packages(2), package(2, title="半\ud800个", id="id-\udfff")]
    found.append(package(3, foo="\ud800"))
    result = {"success": True, "result": {"count": 4, "results": found}}
    harvests.add([])
    harvests.server.on(PATH, Answer(body=json.dumps(result).encode()))
    assert totals(harvests.run()) == {"created": 2, "faulty": 2}


def test_a_faulty_record_is_not_taken_for_a_missing_one(harvests: Harvests) -> None:
    catalogue = harvests.add(open_packages(10))
    harvests.run()
    catalogue.packages[3]["title"] = "长" * 300
    run = harvests.run()
    assert totals(run) == {"unchanged": 9, "faulty": 1}
    catalogue.packages[3] = package(3, id="")  # it may be any of them
    run = harvests.run()
    assert totals(run) == {"unchanged": 9, "faulty": 1, "absent": 1}
    assert "认不出" in harvests.lines(run, "absent")[0].reason
    assert harvests.entries()["id-0003"].is_public


def test_a_record_of_another_source_is_not_doubled(harvests: Harvests) -> None:
    harvests.add(open_packages(3))
    harvests.add(open_packages(4), "mirror", organisation="JL-HEA")
    harvests.run()
    run = harvests.run("mirror")
    assert totals(run) == {"created": 1, "conflict": 3}
    assert "来源“city”" in harvests.lines(run, "conflict")[0].reason
    assert set(harvests.entries("mirror")) == {"id-0003"}


def test_a_taken_name_gives_way_to_ours(harvests: Harvests) -> None:
    harvests.add(open_packages(1))
    harvests.run()
    other = package(1, id="id-other", name="name-0000", resources=[file(77)])
    harvests.add([other], "second")
    run = harvests.run("second")
    assert totals(run) == {"created": 1}
    assert "name-0000" in harvests.lines(run)[0].reason
    entry = harvests.entries("second")["id-other"]
    assert entry.public_id == "id-other"
    assert entry.slug.startswith("jl-3070")


def test_links_that_are_no_web_addresses_are_left_out_and_named(harvests: Harvests) -> None:
    files = [file(0), file(1, url="javascript:alert(1)"), file(2, url="ftp://example.cn/a")]
    harvests.add([package(0, resources=files)])
    run = harvests.run()
    assert totals(run) == {"created": 1}
    assert harvests.lines(run)[0].reason.count("没有登记") == 2


def test_data_got_from_others_is_published_and_not_opened(harvests: Harvests) -> None:
    got = [{"key": "jl_acquisition_method", "value": "shared"}]
    named = [{"key": "publisher_name", "value": "吉林省卫生健康委员会"}]
    harvests.add(
        [
            package(0, resources=[file(0)], extras=got),
            package(1, resources=[file(1)], extras=named),
        ]
    )
    run = harvests.run()
    assert totals(run) == {"created": 2}
    reasons = [line.reason for line in harvests.lines(run)]
    assert "第29条" in reasons[0]
    assert "卫生健康" in reasons[1]
    for entry in harvests.entries().values():
        assert entry.is_public
        with harvests.platform.database.reading() as session:
            assert find_open_list_entry(session, entry.id) is None


def test_an_open_list_at_an_address(harvests: Harvests) -> None:
    def serve(*rows: str) -> None:
        harvests.server.on("/清单.csv", Answer(body="\n".join([LIST, *rows]).encode()))
        harvests.server.on(
            "/%E6%B8%85%E5%8D%95.csv", Answer(body="\n".join([LIST, *rows]).encode())
        )

    rows = [
        f"A-{n},清单数据{n},,每月,无条件开放,履职产生,https://x.example.cn/{n}.csv"
        for n in range(6)
    ]
    serve(*rows, "A-9,坏行,,每三天半,无条件开放,履职产生,")
    harvests.add_source("list", f"{harvests.server.url}/清单.csv", kind="open_list")
    run = harvests.run("list")
    assert totals(run) == {"created": 6, "faulty": 1}
    (fault,) = harvests.lines(run, "faulty")
    assert (fault.place, "每三天半" in fault.reason) == ("第 8 行", True)
    serve(*rows[:5])
    assert totals(harvests.run("list")) == {"unchanged": 5, "gone": 1}


@pytest.mark.parametrize("kind", ["ckan", "open_list"])
def test_private_addresses_are_refused_also_after_a_redirect(
    harvests: Harvests, make_platform: Callable[..., Platform], kind: str
) -> None:
    target = "http://127.0.0.1:9/secret"
    harvests.server.on("/away*", Answer(302, b"", {"Location": target}))
    harvests.add_source("away", f"{harvests.server.url}/away", kind=kind)
    harvests.add_source("near", target, kind=kind)
    for name in ("away", "near"):
        run = harvests.run(name)
        assert run.state == "failed"
        assert "127.0.0.1" in run.error
    assert len(harvests.server.asked) == 1  # refused at once, and not asked again


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"url": "file:///etc/passwd"}, "url"),
        ({"kind": "gopher"}, "kind"),
        ({"schedule": "every day"}, "schedule"),
    ],
)
def test_a_source_with_wrong_values_is_refused(
    harvests: Harvests, values: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        harvests.add_source("new", **{"url": "https://data.example.cn", **values})
    assert [defect.field for defect in caught.value.defects] == [field]


def test_scheduled_sources_start_when_due(harvests: Harvests, clock: SetClock) -> None:
    worker = Worker(harvests.platform)
    harvests.add(open_packages(2), schedule="30 2 * * *")  # 10:00 in Jilin now
    worker.start_due_schedules()

    def runs() -> list[HarvestRun]:
        clock.advance(seconds=61)
        worker.start_due_schedules()
        worker.run_until_idle()
        with harvests.platform.database.reading() as session:
            return list(session.scalars(select(HarvestRun).order_by(HarvestRun.id)))

    assert runs() == []
    clock.advance(hours=16, minutes=30)
    assert [totals(run) for run in runs()] == [{"created": 2}]
    assert len(runs()) == 1
    clock.advance(days=3)
    assert [totals(run) for run in runs()] == [{"created": 2}, {"unchanged": 2}]


def test_a_run_whose_job_broke_down_frees_its_source(harvests: Harvests, clock: SetClock) -> None:
    harvests.add(open_packages(1))
    harvests.start()
    with harvests.platform.database.writing() as session:
        job = session.scalars(select(Job).where(Job.kind == "harvest_run")).one()
        job.state, job.error = "quarantined", "内存不足"
    worker = Worker(harvests.platform)
    worker.start_due_schedules()
    clock.now += timedelta(seconds=61)
    worker.start_due_schedules()
    worker.run_until_idle()
    with harvests.platform.database.reading() as session:
        run = find_last_run(session, harvests.source().id)
        assert run is not None
        assert (run.state, "内存不足" in run.error) == ("failed", True)
    assert totals(harvests.run()) == {"created": 1}


@pytest.fixture
def xiangyun(harvests: Harvests, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    settings = harvests.platform.settings
    monkeypatch.setenv("XIANGYUN_HOME", str(settings.home))
    monkeypatch.setenv("XIANGYUN_SECRET_KEY", settings.secret_key)
    monkeypatch.setenv("XIANGYUN_FETCH_ALLOWED_HOSTS", harvests.server.address)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["harvest", *arguments])

    return run


def test_the_command_adds_tries_runs_lists_and_reports(
    harvests: Harvests, xiangyun: Callable[..., Result]
) -> None:
    catalogue = harvests.add([*open_packages(5), package(9, title="长" * 300)])
    url = f"{harvests.server.url}/city"
    added = xiangyun("add", "mine", "--kind", "ckan", "--url", url, "--org", "JL-TRA", "--trusted",
                     "--option", "attempts=1")  # fmt: skip
    assert added.exit_code == 0, added.output
    assert harvests.source("mine").options == {"attempts": 1}
    tried = xiangyun("run", "mine", "--dry-run")
    assert "新增 5，更新 0，未变 0，有误 1" in tried.output
    assert harvests.entries("mine") == {}
    assert "新增 5" in xiangyun("run", "mine").output
    report = xiangyun("report", "mine").output
    assert report.count("新增\t") == 5
    assert "result[5]" in report
    assert "name-0003" in report
    assert "mine\tckan\t可信\tJL-TRA" in xiangyun("list").output
    del catalogue.packages[0:3]
    waiting = xiangyun("run", "mine")
    assert waiting.exit_code == 0
    assert "--confirm-removals" in waiting.output
    assert "撤下 3" in xiangyun("run", "mine", "--confirm-removals").output


def test_the_command_fails_clearly(harvests: Harvests, xiangyun: Callable[..., Result]) -> None:
    assert "没有名为“nobody”" in str(xiangyun("run", "nobody").exception)
    harvests.add(open_packages(1))
    harvests.server.on(PATH, Answer(500))
    failed = xiangyun("run", "city")
    assert failed.exit_code == 1
    assert "服务器出错" in failed.output
    assert "没有等待确认" in str(xiangyun("run", "city", "--confirm-removals").exception)


def test_the_command_edits_pauses_and_removes(
    harvests: Harvests, xiangyun: Callable[..., Result]
) -> None:
    catalogue = harvests.add(open_packages(2))
    changed = xiangyun(
        "edit", "city", "--rename", "capital", "--files", "mirror", "--schedule", "0 3 * * *",
        "--option", "apikey=hidden", "--forget-option", "backoff_seconds",
    )  # fmt: skip
    assert changed.exit_code == 0
    source = harvests.source("capital")
    assert (source.keep_files, source.schedule) == ("mirror", "0 3 * * *")
    assert source.options == {"attempts": 2}
    assert "hidden" not in source.sealed
    assert xiangyun("edit", "capital").exit_code == 2
    assert xiangyun("edit", "capital", "--schedule", "x").exit_code == 1
    assert xiangyun("pause", "capital").exit_code == 0
    assert "已暂停" in xiangyun("list").output
    assert xiangyun("run", "capital").exit_code == 1
    assert xiangyun("resume", "capital").exit_code == 0
    assert xiangyun("run", "capital").exit_code == 0
    catalogue.packages[0]["title"] = "新的名字"
    tried = xiangyun("run", "capital", "--dry-run").output
    assert re.search(r"数据集名称：.* → 新的名字", tried)
    assert xiangyun("remove", "capital").exit_code == 2
    assert xiangyun("remove", "capital", "--reason", "停用").exit_code == 0
    assert xiangyun("run", "capital").exit_code == 1
    with harvests.platform.database.reading() as session:
        assert all(entry.is_public for entry in session.scalars(select(CatalogueEntry)))
