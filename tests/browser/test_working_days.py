"""The working day of everybody who feeds the portal: in Chinese at a desk, in English on a telephone.

One portal for all of them, served once; each day makes what waits for its person, goes from the work
list to what was decided, and lets axe look at every page on the way with all its rules.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from portal.errors import Defect
from portal.jobs.kinds import watch_freshness
from portal.jobs.worker import Worker
from portal.models.entry import EntryVersion, get_entry
from portal.models.open_list import OpenListEntry
from portal.platform import Platform, open_platform
from portal.rules.entry_content import EntryContent, InformationItem
from portal.rules.security_review import CHECKS
from portal.services.freshness import find_freshness
from portal.services.supplementary import SupplementaryService
from portal.settings import Settings
from tests.browser.live import served
from tests.browser.working_day import DESK, PHONE, Day, Manner, day_of
from tests.cities import CITY_AUTHORITY, City
from tests.factories import BUREAU, NOW, TRANSPORT, Catalogue, People, SetClock, content
from tests.platforms import SECRET

pytestmark = pytest.mark.browser
MONTHS_AGO = timedelta(days=75)


@dataclass
class Town:
    """The portal of all these days. `overdue`: slugs of data that its agency forgot."""

    platform: Platform
    url: str
    overdue: dict[str, str]

    def make(self, make: Callable[[Catalogue, People], Any]) -> Any:
        """Make something through the real services and commit it; return what `make` returns."""
        with self.platform.database.writing() as session:
            people = People(self.platform, session)
            return make(Catalogue(self.platform, session, people), people)

    def account(self, role: str, organisation: str) -> str:
        return str(self.make(lambda _c, people: people.account(role, organisation).username))

    def state_of(self, model: type[Any], row_id: int) -> str:
        with self.platform.database.reading() as session:
            return str(session.get_one(model, row_id).state)


@pytest.fixture(scope="module")
def town(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home = tmp_path_factory.mktemp("working-days")
    shutil.copy(_sqlite_template, home / "xiangyun.db")
    clock = SetClock()
    settings = Settings(home=home, secret_key=SECRET, anonymous_rate=0)
    platform = open_platform(settings, clock=clock)
    with served(platform) as url:
        town = Town(platform, url, {})
        clock.now = NOW - MONTHS_AGO
        for manner in (DESK, PHONE):
            title = overdue_title(manner)
            town.overdue[manner.language] = town.make(
                lambda catalogue, _p, title=title: catalogue.opened(content(title=title)).entry.slug
            )
        town.make(
            lambda c, _p: c.published(content(title="全省公共自行车租赁点位置", items=BICYCLES))
        )
        clock.now = NOW
        watch_freshness(platform, {})
        watch_freshness(platform, {})
        Worker(platform).run_until_idle()
        yield town
    platform.close()


@pytest.fixture(params=[DESK, PHONE], ids=["chinese-desk", "english-phone"])
def manner(request: pytest.FixtureRequest) -> Manner:
    found: Manner = request.param
    return found


@pytest.fixture
def day(town: Town, browser: Browser, manner: Manner) -> Iterator[Day]:
    with day_of(browser, town.url, manner) as day:
        yield day


def overdue_title(manner: Manner) -> str:
    return f"全省长途客运班次（{manner.width}）"


def items(*names: str) -> tuple[InformationItem, ...]:
    return tuple(
        InformationItem(n, name, f"field_{n}", "string", 60) for n, name in enumerate(names, 1)
    )


BICYCLES = items("租赁点编号", "租赁点名称", "车位数")


def own(title: str, manner: Manner, **changes: Any) -> EntryContent:
    """Return a content that is like no other, of a title that stands once."""
    name = f"{title}（{manner.width}）"
    return content(title=name, items=items(f"{name}编号", f"{name}名称"), **changes)


def test_the_clerk_mends_what_came_back_and_renews_what_is_overdue(
    town: Town, day: Day, manner: Manner, tmp_path: Path
) -> None:
    given = own("全省客运站候车室", manner)

    def returned(catalogue: Catalogue, people: People) -> int:
        version = catalogue.submitted(given)
        defect = Defect("abstract", "returned", "请写明多久更新一次")
        catalogue.entries.return_for_correction(
            people.bureau, version, reason="请补充摘要", defects=[defect]
        )
        return version.id

    version_id = town.make(returned)
    day.begin(town.account("agency_editor", TRANSPORT))
    day.sees("已逾期")
    day.follows(given.title)
    day.reads("请写明多久更新一次")
    day.fills(
        "abstract", "全省客运站候车室的座位、开放时间和无障碍设施，每月更新一次，供旅客查询。"
    )
    day.presses("保存草稿")
    day.sees("草稿已保存。")
    assert town.state_of(EntryVersion, version_id) in ("draft", "returned")
    day.turns_to("更新日历")
    day.turns_to("待办")
    day.follows(overdue_title(manner))
    renew(town, day, manner, tmp_path)


def renew(town: Town, day: Day, manner: Manner, folder: Path) -> None:
    """Upload a new version of the overdue file; the portal no longer calls it overdue."""
    table = folder / "站点（新）.csv"
    table.write_text("站点编码,站点名称,日客流量\n000123,人民广场,1300\n", encoding="utf-8")
    day.unfolds("替换为新版本")
    day.page.locator("#replace-1").set_input_files(table)
    with day.page.expect_navigation():
        day.page.get_by_role("button", name=day.say("上传新版本"), exact=True).click()
    expect(day.page.locator(".card.file")).to_contain_text(table.name)
    with town.platform.database.reading() as session:
        freshness = find_freshness(session, get_entry(session, town.overdue[manner.language]).id)
        assert freshness is not None
        assert freshness.state == "current"


def test_the_department_submits_and_looks_after_its_people(
    town: Town, day: Day, manner: Manner
) -> None:
    given = own("全省公路服务区充电位", manner)
    version_id = town.make(lambda catalogue, _people: catalogue.draft(given).id)
    leaver = town.make(lambda _c, people: people.account("agency_editor", TRANSPORT).id)
    day.begin(town.account("responsible_dept", TRANSPORT))
    day.follows(given.title)
    day.presses("保存并提交审核")
    day.sees("已提交省政务服务和数字化局审核。")
    assert town.state_of(EntryVersion, version_id) == "submitted"
    day.turns_to("目录")
    day.sees_link(given.title)
    day.turns_to("人员")
    for path in (f"/work/members/{leaver}/leave", "/work/absence", "/account/data"):
        day.opens(path)


def test_the_security_officer_passes_one_and_refuses_another(
    town: Town, day: Day, manner: Manner
) -> None:
    good, bad = own("全省码头泊位", manner), own("全省渡口位置", manner)
    passed, refused = town.make(lambda c, _p: (c.proposed(good).id, c.proposed(bad).id))
    day.begin(town.account("agency_security_officer", TRANSPORT))
    day.follows(good.title)
    day.presses("审查通过")
    expect(day.page.get_by_role("alert")).to_be_focused()
    for name in CHECKS:
        day.page.locator(f"input[name={name}][value=是]").check()
    day.fills("opinion", "同意开放")
    day.presses("审查通过")
    day.sees("保密审查通过，已列入计划开放。")
    assert town.state_of(OpenListEntry, passed) == "planned"
    day.turns_to("待办")
    day.sees_no_link(good.title)
    day.follows(bad.title)
    day.fills("opinion", "渡口位置涉及水上安全保卫，不宜公开")
    day.presses("审查不通过")
    assert town.state_of(OpenListEntry, refused) == "rejected"


def test_the_city_publishes_what_the_province_does_not_hold(
    town: Town, day: Day, manner: Manner
) -> None:
    title = f"长春市公共自行车租赁点位置（{manner.width}）"

    def submitted(catalogue: Catalogue, people: People) -> int:
        session, platform = people._session, town.platform
        city = City(session, platform.clock, people)
        service = SupplementaryService(session, platform.clock, platform.engine)
        given = city.content(title=title, items=BICYCLES, duplicate_reason="省级目录没有实时车位")
        version = service.create(city.editor, city.organisation(), given)
        return service.submit(city.editor, version).id

    version_id = town.make(submitted)
    day.begin(town.account("city_authority", CITY_AUTHORITY))
    day.follows(title)
    day.reads("全省公共自行车租赁点位置")
    for near in day.page.locator("textarea[name^='dismiss.']").all():
        near.fill("省级条目没有每个租赁点的实时车位")
    day.presses("审核通过并发布")
    day.sees("已发布，公众随即可以检索到。")
    assert town.state_of(EntryVersion, version_id) == "published"
    day.turns_to("补充目录")
    day.sees_link(title)
    day.fills("title", f"长春市停车泊位（{manner.width}）")
    day.presses("开始编制")
    day.turns_to("待办")
    day.sees_link(f"长春市停车泊位（{manner.width}）")


def test_the_reviewer_decides_on_a_batch_and_returns_one_with_every_defect(
    town: Town, day: Day, manner: Manner
) -> None:
    alike = [own("全省公交专用道", manner), own("全省出租车候客点", manner)]
    first = own("全省道路养护计划", manner)
    changed = own(
        "全省道路养护计划",
        manner,
        abstract="全省国道和省道的养护计划，含路段、起止时间和绕行办法。",
    )

    def waiting(catalogue: Catalogue, people: People) -> tuple[list[int], int]:
        batch = [catalogue.submitted(one).id for one in alike]
        revision = catalogue.entries.revise(people.department, catalogue.published(first))
        catalogue.entries.save(people.editor, revision, changed)
        return batch, catalogue.entries.submit(people.department, revision).id

    batch, revision = town.make(waiting)
    day.begin(town.account("bureau_reviewer", BUREAU))
    day.turns_to("目录审核")
    for one in alike:
        day.page.get_by_label(day.say("选择：") + one.title, exact=True).check()
    day.presses("全部通过")
    day.sees("通过 %(n)s 条，未办理 %(m)s 条。", n=2, m=0)
    assert {town.state_of(EntryVersion, one) for one in batch} == {"published"}
    day.follows(day.say("继续审核"))
    day.follows(first.title)
    expect(day.page.locator("table.changes")).to_contain_text("绕行办法")
    day.unfolds("退回修改（一次性列明全部问题）")
    day.page.locator("#d-field-1").select_option("abstract")
    day.page.locator("#d-message-1").fill("请写明养护计划的年度")
    day.page.locator("#d-message-2").fill("请补充路段的桩号")
    day.fills("reason", "两处需要补充")
    day.presses("退回修改")
    day.sees("已退回修改，责任部门会收到全部问题。")
    day.reads("请补充路段的桩号")
    assert town.state_of(EntryVersion, revision) == "returned"


def test_the_auditor_reads_everything_and_changes_nothing(
    town: Town, day: Day, manner: Manner
) -> None:
    day.begin(town.account("auditor", BUREAU))
    day.turns_to("总览")
    expect(day.page.locator(".chart canvas")).to_have_count(2)
    expect(day.page.get_by_role("table").first).to_contain_text(day.say("合计"))
    day.leaves_by(day.page.locator(".numbers a").first)
    day.sees("来自总览：")
    day.leaves_by(day.page.locator("tbody th a").first)
    expect(day.page.locator("main form[method=post]")).to_have_count(0)
    day.turns_to("监督管理")
    day.follows(day.say("办理期限"))
    day.turns_to("审计")
    day.page.locator("#f-event").select_option("submit")
    day.presses("筛选")
    day.presses("立即校验整条链")
    day.sees("校验完成，记录完整")
