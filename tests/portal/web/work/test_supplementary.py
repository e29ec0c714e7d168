"""The supplementary catalogue on the pages of a city and of the Bureau."""

from __future__ import annotations

from typing import Any

from portal.models import EntryVersion
from portal.services.supplementary import SupplementaryService
from tests.cities import CITY_AGENCY, CITY_AUTHORITY, City
from tests.factories import Catalogue, People
from tests.portal.web.work.conftest import Browser, Office, text_of

PAGE = "/work/supplementary"


def made_city(office: Office) -> None:
    office.made(lambda _catalogue, people: City(people._session, office.platform.clock, people))


def submitted(office: Office) -> int:
    def make(_catalogue: Catalogue, people: People) -> int:
        city = City(people._session, office.platform.clock, people)
        service = SupplementaryService(
            people._session, office.platform.clock, office.platform.engine
        )
        version = service.create(city.editor, city.organisation(), city.content())
        service.submit(city.editor, version)
        return version.id

    found: int = office.made(make)
    return found


def state_of(office: Office, version_id: int) -> Any:
    return office.read(lambda s: s.get(EntryVersion, version_id).state)


def test_a_city_clerk_starts_an_entry_and_goes_on_in_the_editor(office: Office) -> None:
    made_city(office)
    clerk = office.browser("agency_editor", CITY_AGENCY)
    answer = clerk.submit(PAGE, "/supplementary/new", title="长春市公交班次")
    edit = answer.headers["Location"]
    assert edit.endswith("/edit")
    form = clerk.form(edit, "/edit")
    clerk.send(form, abstract="全市公交线路的班次和首末班时间。")
    asked = clerk.send(clerk.form(edit, "/edit"), action="submit")
    page = clerk.get(asked.headers["Location"].split("#")[0])
    assert "提交前还有" in text_of(page)
    refused = clerk.submit(asked.headers["Location"].split("#")[0], "/submit", 409)
    assert "草稿" in text_of(refused)
    assert "长春市公交班次" in text_of(clerk.get(PAGE))


def test_the_authority_publishes_from_its_work_list_and_the_bureau_absorbs(
    office: Office, bureau: Browser
) -> None:
    version_id = submitted(office)
    provincial = office.made(lambda catalogue, _people: catalogue.published().code)
    authority = office.browser("city_authority", CITY_AUTHORITY)
    assert f"{PAGE}/{version_id}#decide" in authority.get("/work").text
    assert f"{PAGE}/{version_id}" not in bureau.get("/work").text
    authority.submit(f"{PAGE}/{version_id}", "/return", 409)
    authority.submit(f"{PAGE}/{version_id}", "/publish")
    assert state_of(office, version_id) == "published"
    bureau.submit(f"{PAGE}/{version_id}", "/absorb", 409, provincial="NONE")
    bureau.submit(f"{PAGE}/{version_id}", "/absorb", provincial=provincial)
    assert state_of(office, version_id) == "absorbed"
    assert provincial in text_of(bureau.get(f"{PAGE}/{version_id}"))


def test_the_city_retires_with_a_reason_and_strangers_see_nothing(
    office: Office, editor: Browser
) -> None:
    version_id = submitted(office)
    editor.get(f"{PAGE}/{version_id}", 403)
    authority = office.browser("city_authority", CITY_AUTHORITY)
    authority.submit(f"{PAGE}/{version_id}", "/publish")
    authority.submit(f"{PAGE}/{version_id}", "/retire", 409)
    authority.submit(f"{PAGE}/{version_id}", "/retire", retire_reason="数据停止采集")
    assert state_of(office, version_id) == "retired"
