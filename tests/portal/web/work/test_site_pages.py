"""The Bureau writes pages, the public reads them in its language."""

from __future__ import annotations

from portal.app import create_app
from tests.portal.web.work.conftest import Browser, Office, text_of

PAGE = "/work/duties/pages"


def test_terms_are_written_shown_revised_and_stand_in_the_foot(
    office: Office, admin: Browser
) -> None:
    anyone = office.app.test_client()
    assert anyone.get("/terms").status_code == 404
    made = admin.submit(
        f"{PAGE}/new", "/pages/new", kind="terms", title="使用条款", title_en="Terms of use",
        body="请注明来源。\n\n<script>alert(1)</script>", body_en="Please name the source.",
    )  # fmt: skip
    edit = str(made.headers["Location"])
    assert anyone.get("/terms").status_code == 404
    admin.submit(edit, "/show")
    shown = anyone.get("/terms")
    assert "请注明来源" in text_of(shown)
    assert "<script>alert" not in shown.text
    assert "Please name" in anyone.get("/terms", headers={"Accept-Language": "en"}).text
    fresh = create_app(office.platform).test_client()  # keeps no foot from before
    assert '<a href="/terms">使用条款</a>' in fresh.get("/about").text
    form = admin.form(edit, edit)
    admin.send(form, body="请注明来源和日期。", note="补充日期", show="1")
    assert "来源和日期" in text_of(anyone.get("/terms"))
    assert "以前的版本" in text_of(anyone.get("/pages/terms/versions/1"))
    admin.send(form, 409, body="另一份")  # written on a version that is no longer the newest
    admin.submit(edit, "/hide")
    assert anyone.get("/terms").status_code == 404
    assert anyone.get("/pages/terms/versions/1").status_code == 404


def test_news_are_listed_and_a_draft_is_not(office: Office, admin: Browser) -> None:
    given = {"kind": "news", "slug": "opening", "title": "平台上线", "body": "今天上线。"}
    preview = admin.submit(f"{PAGE}/new", "/pages/new", 200, **given, preview="1")
    assert "还没有保存" in text_of(preview)
    edit = str(admin.submit(f"{PAGE}/new", "/pages/new", **given).headers["Location"])
    anyone = office.app.test_client()
    assert "平台上线" not in anyone.get("/news").text
    admin.submit(edit, "/show")
    assert "平台上线" in anyone.get("/news").text
    assert "今天上线" in anyone.get("/pages/opening").text
    assert "平台上线" not in anyone.get("/policies").text
    refused = admin.submit(f"{PAGE}/new", "/pages/new", 422, **given)
    assert "已被使用" in text_of(refused)
    assert "今天上线。" in refused.text


def test_only_administrators_write(bureau: Browser, editor: Browser) -> None:
    for one in (bureau, editor):
        one.get(PAGE, 403)
        one.get(f"{PAGE}/new", 403)


def test_code_lists_are_read_with_their_version(office: Office) -> None:
    anyone = office.app.test_client()
    assert "主题" in text_of(anyone.get("/standards"))
    assert "交通运输" in text_of(anyone.get("/standards/themes"))
    csv = anyone.get("/standards/themes/versions/1.csv")
    assert csv.text.startswith("code,")
    assert anyone.get("/standards/nothing").status_code == 404
    assert anyone.get("/standards/themes/versions/7").status_code == 404
