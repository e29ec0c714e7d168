"""The administrator makes and renames organisations in the browser; the audit names every change."""

from __future__ import annotations

from sqlalchemy import select

from portal.jobs.worker import Worker
from portal.models import AuditEvent, Organisation
from portal.models.organisation import find_organisation, get_organisation
from tests.factories import TRANSPORT
from tests.portal.web.work.conftest import Browser, Office, text_of

HOME = "/work/organisations"
CITY = {
    "code": "cc-dig2",
    "name": "长春市数据局",
    "short_name": "长春数据局",
    "kind": "city_authority",
    "region_code": "220100",
}


def test_a_city_gets_its_authority_and_an_agency_below_it(office: Office, admin: Browser) -> None:
    admin.submit(HOME, HOME, **CITY)
    agency = {"code": "CC-CUL", "name": "长春市文化广播和旅游局", "parent": "CC-DIG2"}
    page = admin.submit(HOME, HOME, **agency, kind="agency", region_code="220100").location
    made = office.read(lambda s: get_organisation(s, "CC-CUL"))
    above = office.read(lambda s: get_organisation(s, "CC-DIG2"))
    assert (made.parent_id, made.kind, made.region_code) == (above.id, "agency", "220100")
    assert "长春数据局" in text_of(admin.get(f"{HOME}?q=CC-CUL&region=220100"))
    assert "新建机构" in text_of(admin.get(page))
    assert "长春市文化广播和旅游局" in office.app.test_client().get("/organisation").text


def test_every_defect_is_said_at_once_and_what_was_typed_stays(
    office: Office, admin: Browser
) -> None:
    admin.submit(HOME, HOME, **CITY)
    wrong = {"code": "长春", "name": CITY["name"], "kind": "bureau", "region_code": "999999"}
    page = admin.submit(HOME, HOME, 422, **wrong, parent="NO-ONE", short_name="留着")
    text = text_of(page)
    for words in ("代码应为", "已有名为", "请选择机构类别", "请选择所在地区", "上级机构应为"):
        assert words in text
    assert "留着" in page.text
    second = CITY | {"code": "CC-TWO", "name": "另一个主管部门"}
    assert "一个地区只有一个" in text_of(admin.submit(HOME, HOME, 422, **second))
    assert office.read(lambda s: find_organisation(s, "CC-TWO")) is None


def test_a_new_name_shows_with_its_data_and_in_the_audit(office: Office, admin: Browser) -> None:
    slug = office.made(lambda catalogue, _p: catalogue.published().slug)
    place = office.read(lambda s: get_organisation(s, TRANSPORT))
    page = f"{HOME}/{place.id}"
    stale = admin.form(page, page)
    admin.submit(page, page, name="吉林省交通厅（新）")
    Worker(office.platform).run_until_idle()
    assert "吉林省交通厅（新）" in office.app.test_client().get(f"/dataset/{slug}").text
    shown = text_of(admin.get(page))
    assert f"{place.name} → 吉林省交通厅（新）" in shown
    admin.send(stale, 409, name="第三个名称")  # it was shown under the name before
    admin.submit(page, page, 422, name=" ")
    admin.submit(page, page, 422, kind="agency")  # roles were given by the kind
    admin.submit(page, page)  # nothing changed, nothing recorded
    events = office.read(
        lambda s: s.scalars(select(AuditEvent).where(AuditEvent.flow == "organisation")).all()
    )
    assert [(e.event, list(e.details["changed"])) for e in events] == [("change", ["name"])]
    assert "修改机构" in text_of(admin.get("/work/audit?flow=organisation"))


def test_an_old_page_overwrites_nothing_that_changed_since(office: Office, admin: Browser) -> None:
    place = office.read(lambda s: get_organisation(s, TRANSPORT))
    page = f"{HOME}/{place.id}"
    stale = admin.form(page, page)
    admin.submit(page, page, short_name="新简称")
    admin.send(stale, 409, name_en="Another name")
    kept = office.read(lambda s: get_organisation(s, TRANSPORT))
    assert (kept.short_name, kept.name_en) == ("新简称", place.name_en)


def test_nothing_stands_above_itself(office: Office, admin: Browser) -> None:
    admin.submit(HOME, HOME, **CITY)
    below = CITY | {"code": "CC-SUB", "name": "净月数据局", "region_code": "220102"}
    admin.submit(HOME, HOME, **below, parent="CC-DIG2")
    ids = office.read(
        lambda s: {o.code: o.id for o in s.scalars(select(Organisation)) if "CC-" in o.code}
    )
    page = f"{HOME}/{ids['CC-DIG2']}"
    assert "它的下级" in text_of(admin.submit(page, page, 422, parent="CC-SUB"))


def test_only_the_systems_administrator_may(bureau: Browser, department: Browser) -> None:
    for browser in (bureau, department):
        browser.get(HOME, 403)
        assert HOME not in browser.get("/work").text
