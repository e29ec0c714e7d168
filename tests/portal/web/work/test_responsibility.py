"""The Bureau names departments on a page."""

from __future__ import annotations

from sqlalchemy import select

from portal.models import CatalogueEntry
from tests.portal.web.work.conftest import Browser, Office, text_of

PAGE = "/work/duties/responsibility"


def test_a_system_is_made_filled_and_handed_over(
    admin: Browser, bureau: Browser, office: Office
) -> None:
    admin.submit(PAGE, "/responsibility", name="交通运输系统", code="transport")
    admin.submit(PAGE, "/1/members", organisation="JL-TRA")
    admin.submit(PAGE, "/1/assign", department="JL-TRA", from_on="2026-11-01", basis="吉政办函1号")
    admin.submit(PAGE, "/1/assign", 422, department="JL-HEA", from_on="2026-10-01", basis="文")
    admin.submit(PAGE, "/1/assign", department="JL-HEA", from_on="2026-12-01", basis="吉政办函2号")
    shown = text_of(bureau.get(PAGE))
    assert "吉林省交通运输厅 · 自2026年11月1日起" in shown
    assert "自2026年12月1日起移交" in shown
    assert "吉政办函2号" in shown
    admin.submit(PAGE, "/1/members/remove")
    assert "所属单位 0 个" in text_of(admin.get(PAGE))


def test_others_neither_read_nor_change(editor: Browser, bureau: Browser) -> None:
    editor.get(PAGE, 403)
    assert "建立系统" not in bureau.get(PAGE).text


def test_the_editor_shows_the_assigned_department_and_says_why(
    admin: Browser, department: Browser, office: Office
) -> None:
    admin.submit(PAGE, "/responsibility", name="交通运输系统", code="transport")
    admin.submit(PAGE, "/1/members", organisation="JL-TRA")
    admin.submit(PAGE, "/1/assign", department="JL-HEA", from_on="2026-11-01", basis="吉政办函1号")
    new = "/work/entries/new"
    page = department.get(new)
    assert "“交通运输系统”系统，该系统自 2026年11月1日 起由这个部门负责" in text_of(page)
    assert 'name="responsible_dept"' not in page.text
    other = department.submit(new, "/new", 200, show="department", provider="JL-EDU", title="草稿")
    assert 'name="responsible_dept"' in other.text
    assert "草稿" in other.text
    made = department.submit(new, "/new", title="公交站点", action="save")
    assert made.status_code == 303
    entry = office.read(lambda s: s.scalars(select(CatalogueEntry)).one())
    assert entry.responsible_dept.code == "JL-HEA"
    missing = department.submit(new, "/new", 422, title="学校名录", provider="JL-EDU")
    assert "请选择“省级责任部门”" in text_of(missing)
