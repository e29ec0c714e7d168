"""A random inspection from its announcement to the published result."""

from __future__ import annotations

import re
from hashlib import sha256

from portal.models import SpotCheck, SpotCheckItem
from tests.factories import content
from tests.portal.web.work.conftest import Browser, Office, text_of

PAGE = "/work/duties/inspections"
GIVEN = {"title": "四季度抽查", "size": "2", "public_rule": "双色球2026年12月1日一期红球号码"}


def announced(office: Office, bureau: Browser) -> str:
    def make(catalogue: object, _people: object) -> None:
        for n in range(4):
            catalogue.published(content(title=f"站点信息{n}"))  # type: ignore[attr-defined]

    office.made(make)
    return str(bureau.submit(PAGE, "/inspections", **GIVEN).headers["Location"])


def test_a_double_click_announces_once(office: Office, bureau: Browser) -> None:
    office.made(lambda catalogue, people: [catalogue.published() for _ in range(2)])
    form = bureau.form(PAGE, "/inspections")
    first = bureau.send(form, **GIVEN)
    assert bureau.send(form, **GIVEN).location == first.location
    assert office.read(lambda s: s.query(SpotCheck).count()) == 1


def test_the_sample_is_what_the_public_page_lets_anyone_compute(
    office: Office, bureau: Browser, editor: Browser
) -> None:
    page = announced(office, bureau)
    check_id = int(page.rsplit("/", 1)[1])
    before = office.app.test_client().get(f"/inspections/{check_id}").text
    check = office.read(lambda s: s.get(SpotCheck, check_id))
    assert check.secret not in before
    assert sha256(check.secret.encode()).hexdigest() in before
    bureau.submit(page, "/draw", 422)
    bureau.submit(page, "/draw", public_value="02 08 17 20 31 33")
    assert "/draw" not in bureau.get(page).text
    shown = office.app.test_client().get(f"/inspections/{check_id}").text
    codes = office.app.test_client().get(f"/inspections/{check_id}/population.txt").text.split("\n")
    assert len(codes) == 4
    assert sha256("\n".join(codes).encode()).hexdigest() in shown
    seed = f"{check.secret}:02 08 17 20 31 33"
    sample = sorted(codes, key=lambda c: sha256(f"{seed}\n{c}".encode()).hexdigest())[:2]
    assert re.findall(r'class="small muted num">([^<]+)<', shown) == sample
    assert "抽中贵单位 2 项数据" in text_of(editor.get("/notices"))
    assert "四季度抽查" in text_of(bureau.get("/work"))


def test_findings_are_told_and_published_at_the_end(
    office: Office, bureau: Browser, editor: Browser
) -> None:
    page = announced(office, bureau)
    bureau.submit(page, "/draw", public_value="1")
    items = office.read(lambda s: [i.id for i in s.query(SpotCheckItem).order_by("place")])
    bureau.submit(page, f"/items/{items[0]}", 422, finding="problem")
    bureau.submit(page, f"/items/{items[0]}", finding="problem", note="首末班时间缺失，请补齐")
    assert "首末班时间缺失" in text_of(editor.get("/notices"))
    public_page = page.replace("/work/duties", "")
    anyone = office.app.test_client()
    assert "首末班时间缺失" not in anyone.get(public_page).text
    assert "/conclude" not in bureau.get(page).text
    bureau.submit(page, f"/items/{items[1]}", finding="passed")
    late = bureau.submit(page, "/conclude", 409, conclusion="一项须整改", due_on="2020-01-01")
    assert "整改期限应在今天之后" in text_of(late)
    bureau.submit(page, "/conclude", conclusion="总体良好，一项须整改。", due_on="2026-12-15")
    assert "人工发现的问题" in text_of(editor.get("/work"))
    assert "整改中" in text_of(bureau.get(page))
    shown = text_of(anyone.get(public_page))
    assert "总体良好" in shown
    assert "首末班时间缺失" in shown
    assert "整改中，截至 2026年12月15日" in shown
    assert "四季度抽查" in text_of(anyone.get("/inspections"))


def test_what_is_refused(office: Office, bureau: Browser, editor: Browser) -> None:
    page = announced(office, bureau)
    bureau.submit(PAGE, "/inspections", 422, **{**GIVEN, "size": "5"})
    bureau.submit(PAGE, "/inspections", 422, **{**GIVEN, "size": "viele"})
    bureau.submit(PAGE, "/inspections", 422, **{**GIVEN, "public_rule": " "})
    editor.get(page, 403)
    form = bureau.form(page, "/draw")
    form.fields = [(n, v) for n, v in form.fields if n != "csrf_token"]
    editor.send(form, 403, csrf_token=editor.token(), public_value="1")
    first = bureau.form(page, "/draw")
    bureau.send(first, public_value="1")
    bureau.send(first, 409, public_value="2")
    assert office.app.test_client().get("/inspections/99").status_code == 404
