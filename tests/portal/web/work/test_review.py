"""The reviewer's list and batch, what the checks say, planned days, defects beside their fields."""

from __future__ import annotations

from typing import Any

from portal.models import EntryVersion
from tests.factories import content
from tests.portal.web.work.conftest import Browser, Office, text_of


def submitted(office: Office, **changes: Any) -> EntryVersion:
    return office.made(lambda catalogue, people: catalogue.submitted(content(**changes)))


def states(office: Office, *versions: EntryVersion) -> list[str]:
    return office.read(lambda s: [s.get(EntryVersion, one.id).state for one in versions])


def item(version: EntryVersion) -> str:
    return f"{version.id}:{version.row_version}"


def test_a_batch_decides_each_by_itself(bureau: Browser, office: Office) -> None:
    first, second, third = submitted(office), submitted(office), submitted(office)
    form = bureau.form("/work/review", "/work/review")
    bureau.submit(f"/work/versions/{second.id}", "/approve")
    chosen = [item(first), item(second), item(third)]
    page = text_of(bureau.send(form, 200, item=chosen, verdict="approve"))
    assert "通过 2 条，未办理 1 条" in page
    assert "不能进行操作" in page
    assert states(office, first, second, third) == ["published"] * 3
    again = text_of(bureau.send(form, 200, item=chosen[:1], verdict="approve"))
    assert "通过 1 条，未办理 0 条" in again  # the same click: the first answer


def test_a_batch_stands_on_what_was_shown(
    bureau: Browser, department: Browser, office: Office
) -> None:
    first, second = submitted(office), submitted(office)
    form = bureau.form("/work/review", "/work/review")
    path = f"/work/versions/{first.id}"
    department.submit(path, "/withdraw")
    department.submit(f"{path}/edit", "/edit", action="submit", abstract="改过的摘要内容" * 5)
    page = text_of(bureau.send(form, 200, item=[item(first), item(second)], verdict="approve"))
    assert "内容已被他人修改" in page
    assert states(office, first, second) == ["submitted", "published"]


def test_a_batch_is_returned_with_its_defect(bureau: Browser, office: Office) -> None:
    first, second = submitted(office), submitted(office)
    form = bureau.form("/work/review", "/work/review")
    chosen = [item(first), item(second)]
    refused = bureau.send(form, 422, item=chosen, verdict="return")
    assert "退回须写明问题" in text_of(refused)
    assert states(office, first, second) == ["submitted"] * 2
    bureau.send(
        form,
        200,
        item=chosen,
        verdict="return",
        defect_field="contact_name",
        defect_message="联系单位应写到处室",
        reason="请统一修改",
    )
    assert states(office, first, second) == ["returned"] * 2
    kept = office.read(lambda s: s.get(EntryVersion, first.id).return_defects)
    assert kept == [{"field": "contact_name", "message": "联系单位应写到处室"}]


def test_nothing_ticked_and_tampered_boxes_are_refused(bureau: Browser, office: Office) -> None:
    submitted(office)
    form = bureau.form("/work/review", "/work/review")
    assert "请先勾选" in text_of(bureau.send(form, 422, verdict="approve"))
    bureau.send(form, 422, item=["1"], verdict="approve")
    bureau.send(form, 422, item=["x:y"], verdict="approve")


def test_only_the_bureau_opens_the_list(department: Browser, office: Office) -> None:
    version = submitted(office)
    department.get("/work/review", 403)
    data = {"csrf_token": department.token(), "key": "12345678-a", "item": item(version)}
    assert department.client.post("/work/review", data=data).status_code == 403
    assert states(office, version) == ["submitted"]


def test_alike_ones_are_found_together(
    bureau: Browser, department: Browser, office: Office
) -> None:
    submitted(office, title="全新的一条")
    entry = office.made(lambda catalogue, people: catalogue.published(content(title="旧的一条")))
    opened = department.submit(f"/work/versions/{entry.published_version_id}", "/revise")
    department.submit(
        opened.location, "/edit", action="submit", update_frequency="weekly", add=None
    )
    page = text_of(bureau.get("/work/review"))
    assert "修订：更新周期" in page
    assert "新编目录" in page
    alone = text_of(bureau.get("/work/review?kind=changed:update_frequency"))
    assert "旧的一条" in alone
    assert "全新的一条" not in alone


def test_the_checks_stand_on_one_page(bureau: Browser, office: Office) -> None:
    version = office.made(
        lambda catalogue, people: catalogue.submitted(
            content(
                open_type="none",
                closed_ground=("privacy",),
                security_level="3",
                share_type="unconditional",
                licence="",
            )
        )
    )
    page = text_of(bureau.get(f"/work/versions/{version.id}"))
    for name in ("编制规则", "法律依据", "一数一源", "个人信息", "敏感信息检查", "数据质量"):
        assert name in page
    assert "全省目录中没有发现疑似重复" in page


def test_a_day_is_set_and_called_off(bureau: Browser, department: Browser, office: Office) -> None:
    version = submitted(office)
    path = f"/work/versions/{version.id}"
    refused = bureau.submit(path, "/approve", 422, release_on="2026-11-01")
    assert "不能早于今天" in text_of(refused)
    bureau.submit(path, "/approve", release_on="2026-12-01")
    assert states(office, version) == ["approved"]
    assert "将于 2026年12月1日 自动发布" in text_of(department.get(path))
    form = department.form(path, "/cancel-release")
    department.send(form, 409)
    department.send(form, reason="数据还要核对")
    department.send(form, reason="数据还要核对")  # a double click
    assert states(office, version) == ["submitted"]


def test_what_was_returned_stands_beside_its_field(
    bureau: Browser, department: Browser, office: Office
) -> None:
    version = submitted(office)
    path = f"/work/versions/{version.id}"
    bureau.submit(
        path,
        "/return",
        reason="请改",
        defect_field=["abstract", "items.1", ""],
        defect_message=["摘要没有说明范围", "应改用国标名称", "整体"],
    )
    page = department.get(f"{path}/edit").text
    field = page[page.index('for="f-abstract"') :][:1500]
    assert "审核意见：摘要没有说明范围" in field
    row = page[page.index('id="f-items-1"') :][:800]
    assert "审核意见：应改用国标名称" in row
