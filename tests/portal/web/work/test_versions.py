"""The version page and its decisions: who may, double clicks, two deciders, reasons kept."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from portal.models import AuditEvent, CatalogueEntry, EntryVersion
from portal.services.content import content_of
from tests.factories import content
from tests.portal.web.work.conftest import Browser, Office, text_of


def submitted(office: Office) -> str:
    version = office.made(lambda catalogue, people: catalogue.submitted())
    return f"/work/versions/{version.id}"


def state(office: Office, path: str) -> str:
    version_id = int(path.rsplit("/", 1)[1])
    return str(office.read(lambda s: s.get(EntryVersion, version_id).state))


def published(office: Office, **changes: Any) -> CatalogueEntry:
    return office.made(lambda catalogue, people: catalogue.published(content(**changes)))


def count(office: Office, event: str) -> int:
    query = select(func.count(AuditEvent.id)).where(AuditEvent.event == event)
    return int(office.read(lambda s: s.scalar(query)))


def test_the_bureau_approves_and_the_clock_is_shown(bureau: Browser, office: Office) -> None:
    path = submitted(office)
    text = text_of(bureau.get(path))
    assert "还剩 10 个工作日" in text
    assert "截至 2026年12月8日" in text
    response = bureau.submit(path, "/approve")
    assert state(office, path) == "published"
    assert "审核通过，目录已发布" in text_of(bureau.get(response.location))


def test_a_double_click_on_approve_approves_once(bureau: Browser, office: Office) -> None:
    path = submitted(office)
    form = bureau.form(path, "/approve")
    bureau.send(form)
    bureau.send(form)
    assert count(office, "approve") == 1


def test_of_two_deciders_the_second_gets_a_conflict(bureau: Browser, office: Office) -> None:
    path = submitted(office)
    other = office.browser("bureau_reviewer", "JL-BUR", 2)
    first, second = bureau.form(path, "/approve"), other.form(path, "/return")
    bureau.send(first)
    response = other.send(second, 409, reason="要退回", defect_message=["缺依据", "", ""])
    assert "要退回" in response.text or "当前状态" in text_of(response)
    assert state(office, path) == "published"
    assert count(office, "return") == 0


@pytest.mark.parametrize("role", ["agency_editor", "responsible_dept", "agency_security_officer"])
def test_nobody_else_approves(office: Office, role: str) -> None:
    path = submitted(office)
    person = office.browser(role)
    assert "/approve" not in person.get(path).text
    data = {"csrf_token": person.token(), "seen": "2", "key": "12345678-a"}
    assert person.client.post(f"{path}/approve", data=data).status_code == 403
    assert state(office, path) == "submitted"


def test_a_decision_on_another_version_than_shown_is_a_conflict(
    bureau: Browser, office: Office
) -> None:
    path = submitted(office)
    response = bureau.submit(path, "/approve", 409, seen="1")
    assert "内容已被他人修改" in text_of(response)
    assert state(office, path) == "submitted"


def test_a_form_without_what_was_seen_is_refused(bureau: Browser, office: Office) -> None:
    path = submitted(office)
    bureau.submit(path, "/approve", 422, seen="")
    assert state(office, path) == "submitted"


def test_returning_lists_every_defect_at_once(
    bureau: Browser, department: Browser, office: Office
) -> None:
    path = submitted(office)
    bureau.submit(
        path,
        "/return",
        reason="请补充",
        defect_field=["abstract", "items", ""],
        defect_message=["摘要没有说明范围", "缺少行政区划列", "整体排版"],
    )
    assert state(office, path) == "returned"
    text = text_of(department.get(f"{path}/edit"))
    assert "摘要没有说明范围" in text
    assert "缺少行政区划列" in text
    assert "修改后重新提交" in text_of(department.get("/work"))
    department.submit(f"{path}/edit", "/edit", action="submit", abstract="改好了的摘要" * 5)
    assert state(office, path) == "submitted"


def test_a_return_without_reason_keeps_the_listed_defects(bureau: Browser, office: Office) -> None:
    path = submitted(office)
    response = bureau.submit(
        path, "/return", 409, defect_field=["title", ""], defect_message=["名称太宽泛", ""]
    )
    assert "请写明理由" in text_of(response)
    assert "名称太宽泛" in response.text
    more = bureau.submit(path, "/return", 200, add_row="1", defect_message=["写到一半", "", ""])
    assert "写到一半" in more.text
    assert state(office, path) == "submitted"


def test_withdraw_and_discard(department: Browser, office: Office) -> None:
    path = submitted(office)
    department.submit(path, "/withdraw")
    assert state(office, path) == "draft"
    response = department.submit(path, "/discard", 409)
    assert "请写明理由" in text_of(response)
    department.submit(path, "/discard", reason="重复建立")
    assert state(office, path) == "discarded"


def test_a_revision_shows_what_differs_field_by_field(department: Browser, office: Office) -> None:
    entry = published(office, title="旧名称")
    path = f"/work/versions/{entry.published_version_id}"
    form = department.form(path, "/revise")
    first, second = department.send(form), department.send(form)
    assert first.location == second.location  # a double click opens one version
    department.submit(first.location, "/edit", title="新名称", items__0__length="30", add=None)
    text = text_of(department.get(first.location.removesuffix("/edit")))
    assert "旧名称" in text
    assert "新名称" in text
    assert "长度： 20 → 30" in text


def test_retiring_shows_the_consequences_first(bureau: Browser, office: Office) -> None:
    place = office.made(lambda catalogue, people: catalogue.opened())
    slug = place.entry.slug
    page = bureau.get(f"/work/entries/{slug}/retire")
    assert "开放清单位置（已开放）随之结束" in text_of(page)
    response = bureau.submit(f"/work/entries/{slug}/retire", "/retire", 409, reason="已废止")
    assert "请先查看撤下后受影响的授权" in text_of(response)
    assert "已废止" in response.text
    bureau.submit(f"/work/entries/{slug}/retire", "/retire", reason="已废止", consequences="yes")
    path = f"/work/versions/{place.entry.published_version_id}"
    assert state(office, path) == "retired"
    bureau.submit(path, "/restore", reason="误撤")
    assert state(office, path) == "published"


def test_the_timeline_tells_who_when_why_and_in_time(bureau: Browser, office: Office) -> None:
    path = submitted(office)
    bureau.submit(path, "/return", reason="理由在此", defect_message=["问题一", "", ""])
    text = text_of(bureau.get(path))
    assert "退回修改 按时" in text
    assert "理由在此" in text
    assert "问题一" in text


def test_markup_in_content_is_shown_as_text(bureau: Browser, office: Office) -> None:
    bad = "<img src=x onerror=alert(1)>"
    version = office.made(
        lambda catalogue, people: catalogue.submitted(content(title=bad, contact_name=bad))
    )
    for path in (f"/work/versions/{version.id}", "/work", "/notices", "/work/audit"):
        assert bad not in bureau.get(path).text


def test_the_bureau_confirms_value_with_a_reason(bureau: Browser, office: Office) -> None:
    entry = published(office)
    path = f"/work/versions/{entry.published_version_id}"
    response = bureau.submit(path, "/value", 422, livelihood="yes")
    assert "请写明确认或取消的理由" in text_of(response)
    form = bureau.form(path, "/value")
    bureau.send(form, livelihood="yes", high_value="yes", value_reason="公众出行")
    bureau.send(form, livelihood="yes", high_value="yes", value_reason="公众出行")
    after = office.read(lambda s: s.get(CatalogueEntry, entry.id))
    assert (after.livelihood_confirmed, after.hvd_tagged) == (True, True)
    assert after.value_score > entry.value_score
    assert count(office, "confirm") == 1
    bureau.send(form, 409, livelihood=None, high_value="yes", value_reason="旧页面")


def test_an_agency_may_not_confirm_its_own_value(editor: Browser, office: Office) -> None:
    entry = published(office)
    data = {"csrf_token": editor.token(), "livelihood": "yes", "value_reason": "自评"}
    response = editor.client.post(f"/work/entries/{entry.slug}/value", data=data)
    assert response.status_code == 403


def test_an_imported_entry_gets_a_second_look_by_another(
    admin: Browser, bureau: Browser, office: Office
) -> None:
    def bring_in(catalogue: Any, people: Any) -> CatalogueEntry:
        given = content()
        entry = catalogue.entries.new_entry(
            catalogue.organisation(), catalogue.organisation(), given, "foreign-1"
        )
        catalogue.entries.publish_directly(
            people.admin, entry, given, "import", reason="试", source="文件"
        )
        return entry

    admin_name = office.username("bureau_admin", "JL-BUR")
    entry = office.made(bring_in)
    path = f"/work/versions/{entry.published_version_id}"
    assert "导入采集待复核" in text_of(bureau.get("/work"))
    importer = office.read(
        lambda s: s.scalar(select(AuditEvent.actor_id).where(AuditEvent.event == "import"))
    )
    assert importer is not None
    assert admin_name
    bureau.submit(path, "/second-look", finding="核对无误")
    assert "导入采集待复核" not in text_of(bureau.get("/work"))
    assert content_of(office.read(lambda s: s.get(EntryVersion, entry.published_version_id)))
