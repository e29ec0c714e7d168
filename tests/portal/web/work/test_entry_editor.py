"""The entry editor: drafts however incomplete, nothing typed is lost, conflicts show both texts."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from portal.models import CatalogueEntry, EntryVersion
from portal.services.content import content_of
from tests.factories import content
from tests.portal.web.work.conftest import Browser, Office, forms_of, text_of

NEW = "/work/entries/new"
SCRIPT = "<script>alert(1)</script>"


def count_entries(office: Office) -> int:
    return office.read(lambda session: session.scalar(select(func.count(CatalogueEntry.id))))


def edit_path(office: Office) -> str:
    version_id = office.read(lambda s: s.scalar(select(func.max(EntryVersion.id))))
    return f"/work/versions/{version_id}/edit"


def newest(office: Office) -> EntryVersion:
    return office.read(
        lambda s: s.scalars(select(EntryVersion).order_by(EntryVersion.id.desc())).first()
    )


def test_a_draft_needs_only_a_title(editor: Browser, office: Office) -> None:
    response = editor.submit(NEW, NEW, title="全省公共厕所位置")
    assert response.location == edit_path(office)
    page = editor.get(response.location)
    assert "提交前还有" in text_of(page)
    assert 'href="#f-abstract"' in page.text


def test_a_draft_without_a_title_keeps_what_was_typed(editor: Browser, office: Office) -> None:
    response = editor.submit(NEW, NEW, 422, title="", abstract="只写了摘要")
    assert "请先填写信息资源名称" in text_of(response)
    assert "只写了摘要" in response.text
    assert count_entries(office) == 0


def test_a_double_click_makes_one_entry(editor: Browser, office: Office) -> None:
    form = editor.form(NEW, NEW)
    editor.send(form, title="双击")
    editor.send(form, title="双击")
    assert count_entries(office) == 1


def test_rows_are_added_and_removed_without_script_and_without_saving(
    editor: Browser, office: Office
) -> None:
    form = editor.form(NEW, NEW)
    response = editor.send(form, 200, add="items", title="未保存", items__0__name="站点")
    again = next(f for f in forms_of(response) if f.action == NEW)
    assert "items.1.name" in again.values()
    assert again.values()["title"] == ["未保存"]
    response = editor.send(again, 200, remove="items.0", items__1__name="留下")
    again = next(f for f in forms_of(response) if f.action == NEW)
    assert again.values()["items.0.name"] == ["留下"]
    assert count_entries(office) == 0


def test_every_field_survives_the_form(editor: Browser, office: Office) -> None:
    complete = content(
        title_en="Bus stops",
        more_themes=("living",),
        keywords=("公交", "站点"),
        temporal_start=None,
        related_codes=("307022220000015/000001", "307022220000015/000002"),
        open_condition="条件\n第二行",
    )
    office.made(lambda catalogue, people: catalogue.draft(complete))
    path = edit_path(office)
    before = newest(office)
    editor.submit(path, "/edit")
    after = newest(office)
    assert content_of(after) == complete
    assert after.row_version == before.row_version  # nothing changed, nothing written


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("temporal_start", "去年", "应为日期"),
        ("items__0__length", "很长", "整数"),
        ("items__0__length", "9" * 40, "整数"),
        ("title", "长" * 501, "不能超过500个字"),
        ("theme", "x" * 31, "不能超过30个字"),
    ],
)
def test_a_wrong_shape_is_named_and_kept(
    editor: Browser, office: Office, name: str, value: str, message: str
) -> None:
    office.made(lambda catalogue, people: catalogue.draft())
    response = editor.submit(edit_path(office), "/edit", 422, abstract="新的摘要", **{name: value})
    assert message in text_of(response)
    assert value in response.text
    assert "新的摘要" in response.text
    assert newest(office).row_version == 1


def test_a_conflict_shows_both_texts_and_goes_on(editor: Browser, office: Office) -> None:
    office.made(lambda catalogue, people: catalogue.draft())
    path = edit_path(office)
    mine, theirs = editor.form(path, "/edit"), editor.form(path, "/edit")
    editor.send(theirs, abstract="别人写的摘要" * 5)
    response = editor.send(mine, 409, abstract="我写的摘要" * 5)
    assert "别人写的摘要" in response.text
    assert "我写的摘要" in response.text
    again = next(f for f in forms_of(response) if f.action.endswith("/edit"))
    editor.send(again)
    assert content_of(newest(office)).abstract == "我写的摘要" * 5


def test_a_double_click_on_save_saves_once(editor: Browser, office: Office) -> None:
    office.made(lambda catalogue, people: catalogue.draft())
    form = editor.form(edit_path(office), "/edit")
    editor.send(form, abstract="同一次修改" * 5)
    editor.send(form, abstract="同一次修改" * 5)
    assert newest(office).row_version == 2


def test_saving_a_submitted_version_keeps_the_text_on_the_page(
    editor: Browser, office: Office
) -> None:
    version = office.made(lambda catalogue, people: catalogue.draft())
    form = editor.form(edit_path(office), "/edit")
    office.made(
        lambda catalogue, people: catalogue.entries.submit(
            people.department, catalogue._session.get(EntryVersion, version.id)
        )
    )
    response = editor.send(form, 409, abstract="来晚了的修改" * 4)
    assert "来晚了的修改" in response.text
    assert "待审核" in text_of(response)


def test_the_department_submits_from_the_editor(department: Browser, office: Office) -> None:
    office.made(lambda catalogue, people: catalogue.draft())
    response = department.submit(edit_path(office), "/edit", action="submit")
    assert newest(office).state == "submitted"
    assert "已提交" in text_of(department.get(response.location))


def test_a_refused_submission_keeps_the_draft_and_names_every_gap(
    department: Browser, office: Office
) -> None:
    office.made(lambda catalogue, people: catalogue.draft())
    response = department.submit(
        edit_path(office), "/edit", 409, action="submit", abstract="太短", contact_name=""
    )
    text = text_of(response)
    assert "摘要应为20至2000个字" in text
    assert "联系单位" in text
    assert newest(office).state == "draft"
    assert content_of(newest(office)).abstract == "太短"


def test_a_submission_clicked_twice_submits_once(department: Browser, office: Office) -> None:
    office.made(lambda catalogue, people: catalogue.draft())
    form = department.form(edit_path(office), "/edit")
    department.send(form, action="submit", title_en="Stops")
    department.send(form, action="submit", title_en="Stops")
    assert newest(office).state == "submitted"


@pytest.mark.parametrize("method", ["shared", "negotiated"])
def test_data_got_from_others_is_told_at_once(editor: Browser, office: Office, method: str) -> None:
    office.made(lambda catalogue, people: catalogue.draft())
    response = editor.submit(edit_path(office), "/edit", acquisition_method=method)
    assert "不能列入本单位开放清单（第29条）" in text_of(editor.get(response.location))


def test_markup_in_every_text_field_is_shown_as_text(editor: Browser, office: Office) -> None:
    form = editor.form(NEW, NEW)
    typed = {
        name.replace(".", "__"): SCRIPT
        for name, _ in form.fields
        if name not in ("csrf_token", "seen", "key", "provider", "responsible_dept")
        and not re.search(
            r"^(theme|region|resource_class|base_library|share_type|open_type)$", name
        )
        and name not in ("items.0.length", "items.0.precision")
    }
    for name in ("temporal_start", "temporal_end", "verified_at", "provider_uscc"):
        typed[name] = ""
    for name in (
        "security_level",
        "licence",
        "acquisition_method",
        "update_frequency",
        "pooling_state",
    ):
        typed[name] = ""
    response = editor.send(form, **typed)
    for path in (
        response.location,
        response.location.removesuffix("/edit"),
        "/work",
        "/work/entries",
    ):
        page = editor.get(path)
        assert SCRIPT not in page.text
        assert "&lt;script&gt;" in page.text


def test_people_of_other_organisations_see_nothing(office: Office) -> None:
    office.made(lambda catalogue, people: catalogue.draft())
    stranger = office.browser("agency_editor", "JL-HEA")
    path = edit_path(office)
    stranger.get(path, 403)
    stranger.get(path.removesuffix("/edit"), 403)
    token = stranger.token()
    data = {"csrf_token": token, "title": "盗改", "seen": "1", "key": "12345678-a"}
    assert stranger.client.post(path, data=data).status_code == 403
    assert newest(office).row_version == 1


def test_a_form_without_its_token_is_refused(editor: Browser, office: Office) -> None:
    form = editor.form(NEW, NEW)
    editor.send(form, 400, csrf_token="wrong", title="伪造")
    assert count_entries(office) == 0


def test_the_department_drafts_for_an_agency_of_its_system(
    department: Browser, office: Office
) -> None:
    department.submit(NEW, NEW, title="代拟", provider="JL-HEA", responsible_dept="JL-TRA")
    assert newest(office).entry.provider.code == "JL-HEA"
    editor = office.browser("agency_editor")
    response = editor.submit(NEW, NEW, 422, title="越权", provider="JL-HEA")
    assert "请选择“提供单位”" in text_of(response)


def test_unsaved_content_of_a_foreign_record_is_kept(editor: Browser, office: Office) -> None:
    given = content(foreign={"extras": [{"key": "x", "value": "y"}]})
    office.made(lambda catalogue, people: catalogue.draft(given))
    editor.submit(edit_path(office), "/edit", title_en="Changed")
    assert content_of(newest(office)).foreign == given.foreign


def test_the_list_filters(editor: Browser, office: Office) -> None:
    office.made(lambda catalogue, people: (catalogue.draft(), catalogue.published()))
    assert "草稿" in text_of(editor.get("/work/entries?state=draft"))
    assert "没有符合条件的目录" in text_of(editor.get("/work/entries?q=不存在的名称%25"))
    editor.get("/work/entries?page=-1", 422)
    editor.get("/work/entries?page=1000000000", 422)


def test_version_numbers_beyond_any_row_are_not_found(editor: Browser) -> None:
    for path in (f"/work/versions/{10**30}", f"/work/open-list/{10**12}"):
        assert "没有" in text_of(editor.get(path, 404)), path
