"""A city's supplementary entries, from the draft to what the province took in."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from portal.errors import Forbidden, GuardRefused, Invalid
from portal.models import EntryVersion
from portal.platform import Platform
from portal.services.entries import EntryService
from portal.services.indexer import index_pending
from portal.services.supplementary import (
    SupplementaryService,
    find_absorption,
    find_authority,
    list_dismissals,
    list_supplementary,
)
from tests.cities import CITY_AUTHORITY, City
from tests.factories import Catalogue, People, SetClock, content

ONE_DATABASE = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def city(session: Session, clock: SetClock, people: People) -> City:
    return City(session, clock, people)


@pytest.fixture
def service(session: Session, platform: Platform, clock: SetClock) -> SupplementaryService:
    return SupplementaryService(session, clock, platform.engine)


@pytest.fixture
def submitted(service: SupplementaryService, city: City) -> EntryVersion:
    version = service.create(city.editor, city.organisation(), city.content())
    return service.submit(city.editor, version)


def test_a_city_publishes_what_no_provincial_entry_covers(
    service: SupplementaryService, session: Session, city: City, submitted: EntryVersion
) -> None:
    service.publish(city.authority, submitted, {}, seen=submitted.row_version)
    assert submitted.state == "published"
    assert submitted.entry.is_public
    assert submitted.entry.responsible_dept.code == CITY_AUTHORITY
    assert list_supplementary(session, city.authority, "published") == [submitted]


@ONE_DATABASE
def test_what_is_near_is_dismissed_with_a_reason_or_nothing_is_published(
    service: SupplementaryService,
    session: Session,
    city: City,
    catalogue: Catalogue,
) -> None:
    provincial = catalogue.published(content(title="吉林省城市公共汽电车线路站点信息"))
    given = city.content(title=content_title(provincial), duplicate_reason="市级线路更细")
    version = service.submit(city.editor, service.create(city.editor, city.organisation(), given))
    assert [near.entry_id for near in service.nearest(version)] == [provincial.id]
    with pytest.raises(GuardRefused) as refused:
        service.publish(city.authority, version, {})
    assert refused.value.defects[0].field == f"dismiss.{provincial.id}"
    service.publish(city.authority, version, {provincial.id: "省级只到站点，本条到班次"})
    kept = list_dismissals(session, version.id)
    assert [(d.provincial_id, d.reason) for d in kept] == [
        (provincial.id, "省级只到站点，本条到班次")
    ]


def content_title(entry: object) -> str:
    version = entry.published_version  # type: ignore[attr-defined]
    assert version is not None
    return str(version.title)


@ONE_DATABASE
def test_the_province_takes_an_entry_in(
    service: SupplementaryService,
    session: Session,
    city: City,
    catalogue: Catalogue,
    people: People,
    submitted: EntryVersion,
) -> None:
    service.publish(city.authority, submitted, {})
    provincial = catalogue.published()
    with pytest.raises(Forbidden):
        service.absorb(city.authority, submitted, provincial)
    with pytest.raises(GuardRefused):
        service.absorb(people.bureau, submitted, submitted.entry)
    service.absorb(people.bureau, submitted, provincial, key="absorb-once")
    service.absorb(people.bureau, submitted, provincial, key="absorb-once")
    assert submitted.state == "absorbed"
    assert not submitted.entry.is_public
    assert provincial.code in submitted.entry.retired_reason
    absorbed = find_absorption(session, submitted.entry_id)
    assert absorbed is not None
    assert absorbed.provincial_id == provincial.id


@ONE_DATABASE
def test_the_flow_of_the_province_does_not_reach_a_city_entry(
    session: Session, clock: SetClock, city: City, people: People, submitted: EntryVersion
) -> None:
    entries = EntryService(session, clock)
    for who in (people.bureau, people.admin, city.authority, city.editor):
        with pytest.raises(Forbidden):
            entries.approve(who, submitted)
    with pytest.raises(Forbidden):
        entries.withdraw(city.authority, submitted)


@ONE_DATABASE
def test_only_the_own_city_is_served(
    service: SupplementaryService, city: City, catalogue: Catalogue, people: People
) -> None:
    with pytest.raises(GuardRefused):
        service.create(city.editor, city.organisation(), city.content(region="220200"))
    with pytest.raises(Invalid):
        service.create(people.editor, catalogue.organisation(), content())
    with pytest.raises(Forbidden):
        service.create(people.editor, city.organisation(), city.content())


@ONE_DATABASE
def test_who_edited_does_not_publish(service: SupplementaryService, city: City) -> None:
    organisation = city.organisation(CITY_AUTHORITY)
    version = service.create(city.authority, organisation, city.content())
    service.submit(city.authority, version)
    with pytest.raises(GuardRefused):
        service.publish(city.authority, version, {})


@ONE_DATABASE
def test_a_returned_draft_is_saved_and_submitted_again(
    service: SupplementaryService,
    session: Session,
    clock: SetClock,
    city: City,
    submitted: EntryVersion,
) -> None:
    service.return_for_correction(city.authority, submitted, reason="请补充更新周期")
    assert submitted.state == "draft"
    entries = EntryService(session, clock)
    entries.save(city.editor, submitted, city.content(title="长春市公交班次信息"))
    assert service.submit(city.editor, submitted).state == "submitted"


@ONE_DATABASE
def test_an_old_click_brings_no_defects_back(
    service: SupplementaryService, city: City, submitted: EntryVersion
) -> None:
    reason, key = "请补充更新周期", "return-1"
    service.return_for_correction(city.authority, submitted, reason=reason, key=key)
    assert submitted.return_defects
    service.submit(city.editor, submitted)
    service.return_for_correction(city.authority, submitted, reason=reason, key=key)
    assert submitted.state == "submitted"
    assert submitted.return_defects == []


@ONE_DATABASE
def test_the_authority_above_a_district_is_found(session: Session, city: City) -> None:
    found = find_authority(session, "220102")
    assert found is not None
    assert found.code == CITY_AUTHORITY
    assert find_authority(session, "220000") is None


@ONE_DATABASE
def test_a_published_entry_is_found_by_the_public(
    platform: Platform, session: Session, service: SupplementaryService, city: City,
    submitted: EntryVersion,
) -> None:  # fmt: skip
    service.publish(city.authority, submitted, {})
    session.commit()
    index_pending(platform.database, platform.engine, platform.clock)
    with platform.database.reading() as reading:
        near = SupplementaryService(reading, platform.clock, platform.engine)
        own = reading.get(EntryVersion, submitted.id)
        assert own is not None
        assert near.nearest(own) == []  # a supplementary entry is no provincial one
