"""Compiling faster: drafts that save themselves, items from files, copies, templates, bulk edit."""

from __future__ import annotations

import io
from typing import Any

from sqlalchemy import func, select

from portal.models import AuditEvent, CatalogueEntry, EntryTemplate, EntryVersion
from portal.services.content import content_of
from tests.factories import content
from tests.portal.web.work.conftest import Browser, Office, text_of

COLUMNS = b"""table_name,column_name,data_type,character_maximum_length,is_nullable,column_comment
stop,stop_code,varchar,30,NO,code
stop,district,varchar,20,YES,district
line,id,int,,NO,
"""


def draft(office: Office, **changes: Any) -> EntryVersion:
    return office.made(lambda catalogue, people: catalogue.draft(content(**changes)))


def published(office: Office, **changes: Any) -> CatalogueEntry:
    return office.made(lambda catalogue, people: catalogue.published(content(**changes)))


def version_of(office: Office, version_id: int) -> EntryVersion:
    return office.read(lambda s: s.get(EntryVersion, version_id))


def count(office: Office, model: Any) -> int:
    return int(office.read(lambda s: s.scalar(select(func.count()).select_from(model))))


def test_a_draft_saves_itself_and_the_form_goes_on(editor: Browser, office: Office) -> None:
    version = draft(office)
    form = editor.form(f"/work/versions/{version.id}/edit", "/edit")
    answer = editor.send(form, 200, autosave="1", abstract="自动保存的摘要内容" * 4).json
    assert answer is not None
    assert "自动保存" in answer["text"]
    assert answer["filled"] == answer["needed"]
    assert content_of(version_of(office, version.id)).abstract.startswith("自动保存")
    later = {"seen": answer["seen"], "key": answer["key"]}
    editor.send(form, abstract="接着写的摘要内容，二十个字以上才行呢", **later)
    stale = editor.send(form, 409, autosave="1", abstract="旧页面的摘要内容" * 4).json
    assert stale is not None
    assert "他人修改" in stale["message"]
    wrong = editor.send(form, 422, autosave="1", title="", **later).json
    assert wrong is not None
    assert wrong["defects"][0]["field"] == "title"


def test_similar_entries_are_shown_and_need_a_reason(
    department: Browser, bureau: Browser, office: Office
) -> None:
    published(office, title="全省公交站点数据")
    version = draft(office, title="全省公交站点数据")
    path = f"/work/versions/{version.id}"
    page = text_of(department.get(f"{path}/edit"))
    assert "发现 1 条疑似重复的目录" in page
    assert "通过共享获取" in page
    refused = department.submit(f"{path}/edit", "/edit", 409, action="submit")
    assert "一数一源" in text_of(refused)
    reason = "口径不同：含农村客运站点。"
    department.submit(f"{path}/edit", "/edit", action="submit", duplicate_reason=reason)
    review = text_of(bureau.get(path))
    assert reason in review
    assert "疑似与 1 条目录重复" in review


def test_items_from_a_list_of_columns(editor: Browser, office: Office) -> None:
    version = draft(office)
    path = f"/work/versions/{version.id}/items"
    form = editor.form(path, "/items")
    with office.platform.database.writing() as session:
        session.execute(select(1))  # somebody writes: reading a file waits for nobody
        preview = editor.send(form, 200, file=(io.BytesIO(COLUMNS), "columns.csv"))
    assert "从数据库列清单读出 2 个信息项" in text_of(preview)
    assert len(content_of(version_of(office, version.id)).items) == 3  # nothing is written yet
    from tests.portal.web.work.conftest import forms_of

    confirm = next(f for f in forms_of(preview) if f.action.endswith("/confirm"))
    editor.send(confirm)
    editor.send(confirm)  # a double click
    items = content_of(version_of(office, version.id)).items
    assert [i.field_name for i in items] == [
        "stop_code",
        "stop_name",
        "daily_passengers",
        "district",
    ]
    assert items[0].name == "站点编码"  # what people wrote stays


def test_a_file_that_tells_no_columns_is_refused(editor: Browser, office: Office) -> None:
    version = draft(office)
    form = editor.form(f"/work/versions/{version.id}/items", "/items")
    editor.send(form, 422, file=(io.BytesIO(b""), "empty.csv"))
    editor.send(form, 422)


def test_others_import_no_items(office: Office) -> None:
    version = draft(office)
    stranger = office.browser("agency_editor", "JL-HEA")
    stranger.get(f"/work/versions/{version.id}/items", 403)


def test_a_copy_begins_a_new_entry(editor: Browser, office: Office) -> None:
    entry = published(office, title="可以复制的目录")
    form = editor.form(f"/work/entries/new?from={entry.slug}", "/work/entries/new")
    values = form.values()
    assert values["title"] == ["可以复制的目录（副本）"]
    assert values["items.1.name"] == ["站点名称"]
    before = count(office, CatalogueEntry)
    editor.send(form, title="由副本改成的目录", responsible_dept="JL-TRA")
    assert count(office, CatalogueEntry) == before + 1


def test_a_template_is_kept_used_and_forgotten(editor: Browser, office: Office) -> None:
    version = draft(office, contact_name="模板里的处室")
    path = f"/work/versions/{version.id}"
    editor.submit(path, "/template", template="月报")
    editor.submit(path, "/template", template="月报")
    assert count(office, EntryTemplate) == 1
    page = editor.get("/work/entries/new")
    assert "月报" in text_of(page)
    number = office.read(lambda s: s.scalar(select(EntryTemplate.id)))
    form = editor.form(f"/work/entries/new?template={number}", "/work/entries/new")
    assert form.values()["contact_name"] == ["模板里的处室"]
    stranger = office.browser("agency_editor", "JL-HEA")
    stranger.get(f"/work/entries/new?template={number}", 404)
    editor.submit("/work/entries/new", f"/work/templates/{number}/delete")
    assert count(office, EntryTemplate) == 0


def test_bulk_edit_shows_the_difference_then_writes_all(
    department: Browser, office: Office
) -> None:
    first, second = draft(office), published(office)
    page = f"/work/bulk-edit?item={first.entry_id}&item={second.id}"
    form = department.form(page, "/work/bulk-edit")
    values = {"update_frequency": "weekly", "contact_name": "统一的处室"}
    preview = department.send(form, 200, action="preview", **values)
    text = text_of(preview)
    assert "打开新版本" in text
    assert "统一的处室" in text
    assert content_of(version_of(office, first.id)).contact_name != "统一的处室"
    assert count(office, EntryVersion) == 2
    department.send(form, action="apply", **values)
    assert count(office, EntryVersion) == 3
    assert content_of(version_of(office, first.id)).contact_name == "统一的处室"
    department.send(form, action="apply", **values)  # a double click
    assert count(office, EntryVersion) == 3
    shown = office.read(lambda s: s.get(CatalogueEntry, second.id).published_version_id)
    assert shown == second.published_version_id  # what is public stays as it was reviewed


def test_one_entry_that_cannot_change_leaves_all(department: Browser, office: Office) -> None:
    first = draft(office)
    waiting = office.made(lambda catalogue, people: catalogue.submitted())
    page = f"/work/bulk-edit?item={first.entry_id}&item={waiting.entry_id}"
    form = department.form(page, "/work/bulk-edit")
    refused = department.send(form, 422, action="apply", contact_name="统一的处室")
    assert "正在审核" in text_of(refused)
    assert content_of(version_of(office, first.id)).contact_name != "统一的处室"
    department.send(form, 422, action="apply", theme="no-such-theme")
    department.send(form, 422, action="apply")


def test_bulk_edit_is_pinned_and_own(editor: Browser, department: Browser, office: Office) -> None:
    first = draft(office)
    page = f"/work/bulk-edit?item={first.entry_id}"
    form = department.form(page, "/work/bulk-edit")
    editor.submit(f"/work/versions/{first.id}/edit", "/edit", contact_name="他人刚改的处室")
    refused = department.send(form, 422, action="apply", contact_name="统一的处室")
    assert "他人修改" in text_of(refused)
    stranger = office.browser("responsible_dept", "JL-HEA")
    assert first.title not in stranger.get(page).text
    data = {**form.values(), "csrf_token": stranger.token()}
    data |= {"action": "apply", "contact_name": "别家的处室"}
    assert stranger.client.post("/work/bulk-edit", data=data).status_code == 422
    assert content_of(version_of(office, first.id)).contact_name == "他人刚改的处室"


def test_the_department_of_a_draft_moves(department: Browser, office: Office) -> None:
    first, second = draft(office), published(office)
    form = department.form(f"/work/bulk-edit?item={first.entry_id}", "/work/bulk-edit")
    department.send(form, action="apply", responsible_dept="JL-HEA")
    entry = office.read(lambda s: s.get(CatalogueEntry, first.entry_id))
    assert entry.responsible_dept.code == "JL-HEA"
    events = select(AuditEvent.details).where(AuditEvent.event == "move_department")
    assert office.read(lambda s: s.scalar(events))["to"].endswith("卫生健康委员会")
    form = department.form(f"/work/bulk-edit?item={second.id}", "/work/bulk-edit")
    refused = department.send(form, 422, action="apply", responsible_dept="JL-HEA")
    assert "由数字化局" in text_of(refused)
