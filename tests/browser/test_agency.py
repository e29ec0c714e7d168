"""Journey 2: an agency publishes, from an empty form to the public page, in a real browser.

The pages on the way that people meet daily are looked at in test_working_days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.jobs.worker import Worker
from portal.platform import Platform
from tests.browser.live import look, served, sign_in
from tests.factories import Catalogue, People, content

pytestmark = pytest.mark.browser
TITLE = "全省公共充电桩位置与运行状态"
ROLES = {
    "editor": ("agency_editor", "JL-TRA"),
    "department": ("responsible_dept", "JL-TRA"),
    "reviewer": ("agency_reviewer", "JL-TRA"),
    "officer": ("agency_security_officer", "JL-TRA"),
    "bureau": ("bureau_reviewer", "JL-BUR"),
}


class Staff:
    """Each person in a browser context of their own, signed in once."""

    def __init__(self, browser: Browser, url: str, usernames: dict[str, str]) -> None:
        self._browser, self.url, self.usernames = browser, url, usernames
        self._pages: dict[str, Page] = {}
        self.complaints: list[str] = []

    def page(self, role: str) -> Page:
        if role not in self._pages:
            page = self._browser.new_context(locale="zh-CN").new_page()
            page.on("console", self._note)
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
            if role in self.usernames:
                sign_in(page, self.url, self.usernames[role])
            self._pages[role] = page
        return self._pages[role]

    def _note(self, message: object) -> None:
        kind, text = getattr(message, "type", ""), getattr(message, "text", "")
        if kind == "error" and "status of 4" not in text:
            self.complaints.append(text)

    def close(self) -> None:
        for page in self._pages.values():
            page.context.close()


@pytest.fixture
def portal(make_platform: Callable[..., Platform]) -> Platform:
    return make_platform("sqlite")


@pytest.fixture
def staff(portal: Platform, browser: Browser) -> Iterator[Staff]:
    with portal.database.writing() as session:
        people = People(portal, session)
        usernames = {name: people.account(*role).username for name, role in ROLES.items()}
        catalogue = Catalogue(portal, session, people)
        catalogue.submitted(content(title="等待审核的目录"))
        catalogue.planned(content(title="计划开放的数据"))
        catalogue.draft(content(title="未完成的草稿", items=(), abstract="短"))
    with served(portal) as url:
        people_at_work = Staff(browser, url, usernames)
        yield people_at_work
        people_at_work.close()


def open_page(staff: Staff, role: str, path: str) -> Page:
    page = staff.page(role)
    page.goto(staff.url + path)
    return page


def test_an_agency_publishes(staff: Staff, portal: Platform, tmp_path: Path) -> None:
    draft = _editor_drafts(staff)
    version = _department_submits(staff, draft)
    _bureau_approves(staff, version)
    place = _agency_proposes(staff, version)
    _officer_reviews(staff, place)
    _editor_uploads(staff, portal, tmp_path)
    _agency_opens(staff, place)
    _the_public_sees_it(staff, portal)
    assert staff.complaints == []


def _editor_drafts(staff: Staff) -> str:
    page = open_page(staff, "editor", "/work")
    page.get_by_role("link", name="目录", exact=True).click()
    page.get_by_role("link", name="新建目录").click()
    page.get_by_label("信息资源名称").fill(TITLE)
    page.get_by_role("button", name="保存草稿").last.click()
    expect(page.get_by_text("草稿已保存")).to_be_visible()
    expect(page.get_by_text("处需要完善")).to_be_visible()
    page.get_by_text("处需要完善").click()
    page.get_by_role("link", name="摘要应为20至2000个字").click()
    page.get_by_label("信息资源摘要").fill(
        "全省公共充电桩的位置、数量、接口类型和运行状态，供公众出行查询和企业开发。"
    )
    page.get_by_label("关键词").fill("充电桩、新能源汽车")
    page.get_by_label("CSV", exact=True).check()
    _fill_items(page)
    _fill_codes(page)
    page.get_by_role("button", name="保存草稿").last.click()
    expect(page.get_by_text("必填内容已齐全，请省级责任部门提交审核")).to_be_visible()
    look(page, "agency-editor")
    return page.url


def _fill_items(page: Page) -> None:
    page.get_by_role("button", name="添加信息项").click()
    for number, (name, field, kind, length) in enumerate(
        [("充电桩编号", "pile_id", "字符型", "20"), ("充电桩名称", "pile_name", "字符型", "100")]
    ):
        page.locator(f"#f-items-{number}-name").fill(name)
        page.locator(f"#f-items-{number}-field_name").fill(field)
        page.locator(f"#f-items-{number}-data_type").select_option(label=kind)
        page.locator(f"#f-items-{number}-length").fill(length)
        if number == 0:
            page.get_by_role("button", name="添加信息项").click()


def _fill_codes(page: Page) -> None:
    for name, option in {
        "theme": "交通运输",
        "share_type": "无条件共享",
        "open_type": "无条件开放",
        "security_level": "1级",
        "licence": "知识共享 署名 4.0 国际",
        "acquisition_method": "履职产生",
        "update_frequency": "每月",
    }.items():
        page.locator(f"#f-{name}").select_option(label=option)
    page.get_by_label("接口", exact=True).check()
    page.locator("button[name=add][value=collection_basis]").click()
    page.locator("#f-collection_basis-0-title").fill("中华人民共和国公路法")
    page.locator("#f-collection_basis-0-article").fill("第八条")
    page.locator("#f-contact_name").fill("省交通运输厅科技处")


def _department_submits(staff: Staff, draft: str) -> str:
    page = staff.page("department")
    page.goto(draft)
    page.get_by_role("button", name="保存并提交审核").click()
    expect(page.get_by_text("已提交省政务服务和数字化局审核")).to_be_visible()
    return page.url


def _bureau_approves(staff: Staff, version: str) -> None:
    page = open_page(staff, "bureau", "/work")
    expect(page.get_by_text("还剩 10 个工作日").first).to_be_visible()
    page.get_by_role("link", name=TITLE, exact=True).click()
    page.wait_for_url(lambda address: address.split("#")[0] == version)
    page.get_by_text("退回修改（一次性列明全部问题）").click()
    page.get_by_role("button", name="审核通过并发布").click()
    expect(page.get_by_text("审核通过，目录已发布")).to_be_visible()


def _agency_proposes(staff: Staff, version: str) -> str:
    page = staff.page("reviewer")
    page.goto(version)
    page.get_by_role("link", name="提出开放", exact=True).click()
    page.get_by_label("计划开放日期").fill("2026-12-01")
    page.get_by_role("button", name="提出开放").click()
    expect(page.get_by_text("等待安全管理责任人做保密审查")).to_be_visible()
    return page.url


def _officer_reviews(staff: Staff, place: str) -> None:
    page = open_page(staff, "officer", "/work")
    page.get_by_role("link", name=TITLE, exact=True).click()
    page.wait_for_url(lambda address: address.split("#")[0] == place)
    page.get_by_role("button", name="审查通过", exact=True).click()
    expect(page.get_by_text("请填写审查意见").first).to_be_visible()
    for group in page.get_by_role("group").filter(has=page.get_by_label("是", exact=True)).all():
        group.get_by_label("是", exact=True).check()
    page.get_by_label("审查意见").fill("同意开放")
    page.get_by_role("button", name="审查通过", exact=True).click()
    expect(page.get_by_text("保密审查通过，已列入计划开放")).to_be_visible()


def _editor_uploads(staff: Staff, portal: Platform, folder: Path) -> None:
    table = folder / "充电桩.csv"
    rows = "".join(f"{n:06d},第{n}号充电桩\n" for n in range(1, 41))
    table.write_bytes(f"充电桩编号,充电桩名称\n{rows}一行,太,宽\n".encode("gb18030"))
    page = open_page(staff, "editor", "/work")
    page.get_by_role("link", name=TITLE, exact=True).click()
    expect(page.get_by_text("无条件开放的数据至少要有一个数据文件")).to_be_visible()
    look(page, "agency-place-missing")
    page.get_by_role("link", name="去上传文件").click()
    page.get_by_label("选择文件").set_input_files(table)
    page.get_by_role("button", name="上传", exact=True).click()
    expect(page.get_by_text("文件已保存")).to_be_visible()
    Worker(portal).run_until_idle()
    # The page looks again by itself while a file is read; a reload of ours would run into its own.
    expect(page.get_by_text("40 行，2 列")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("1 行未作为数据")).to_be_visible()
    look(page, "agency-files")


def _agency_opens(staff: Staff, place: str) -> None:
    page = staff.page("reviewer")
    page.goto(place)
    page.get_by_role("button", name="向社会开放").click()
    expect(page.get_by_text("数据已向社会开放")).to_be_visible()
    look(page, "agency-place-open")


def _the_public_sees_it(staff: Staff, portal: Platform) -> None:
    Worker(portal).run_until_idle()
    page = open_page(staff, "visitor", "/dataset?q=充电桩")
    page.get_by_role("link", name=TITLE).first.click()
    expect(page.get_by_role("heading", name=TITLE, level=1)).to_be_visible()
    expect(page.get_by_text("无条件开放").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="下载").first.click()
    assert download.value.suggested_filename.endswith(".csv")


def test_unsaved_input_survives_a_conflict_in_the_browser(staff: Staff) -> None:
    mine = open_page(staff, "editor", "/work?kind=draft")
    mine.get_by_role("link", name="未完成的草稿", exact=True).click()
    theirs = staff.page("department")
    theirs.goto(mine.url)
    theirs.get_by_label("信息资源摘要").fill("责任部门先保存的摘要" * 3)
    theirs.get_by_role("button", name="保存草稿").last.click()
    expect(theirs.get_by_text("草稿已保存")).to_be_visible()
    mine.get_by_label("信息资源摘要").fill("编目员后保存的摘要" * 3)
    mine.get_by_role("button", name="保存草稿").last.click()
    expect(mine.get_by_role("alert")).to_contain_text("内容已被他人修改")
    expect(mine.get_by_label("信息资源摘要")).to_have_value("编目员后保存的摘要" * 3)
    look(mine, "agency-conflict")
    mine.get_by_role("button", name="保存草稿").last.click()
    expect(mine.get_by_text("草稿已保存")).to_be_visible()


def test_the_editor_works_without_script(staff: Staff, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    sign_in(page, staff.url, staff.usernames["editor"])
    page.goto(f"{staff.url}/work/entries/new")
    page.locator("#f-title").fill("无脚本新建")
    page.locator("#f-title").press("Enter")
    assert page.url.endswith("/edit")
    page.get_by_role("button", name="添加信息项").click()
    page.locator("#f-items-0-name").fill("第一项")
    page.get_by_role("button", name="添加信息项").click()
    assert page.locator("#f-items-0-name").input_value() == "第一项"
    assert page.locator("#f-items-1-name").count() == 1
    context.close()
