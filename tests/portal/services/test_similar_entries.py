"""One datum, one source (art. 16): what is alike is found, and going on needs a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portal.errors import GuardRefused
from portal.models import AuditEvent
from portal.platform import Platform
from portal.rules.entry_content import InformationItem
from portal.services.content import content_of
from portal.services.indexer import index_pending
from portal.services.similar_entries import find_similar
from tests.factories import HEALTH, Catalogue, People, content

ITEMS = tuple(
    InformationItem(n, name, f"field_{n}", "string", 50)
    for n, name in enumerate(("机构名称", "机构地址", "床位数", "机构等级", "法定代表人"), 1)
)


def _indexed(platform: Platform) -> tuple[int, int]:
    """Make a hospital list and something else, findable; return the ids of both."""
    with platform.database.writing() as session:
        people = People(platform, session)
        catalogue = Catalogue(platform, session, people)
        hospitals = catalogue.published(content(title="全省医疗卫生机构名录", items=ITEMS))
        other = catalogue.published(content(title="吉林省降水量观测"))
        ids = hospitals.id, other.id
    index_pending(platform.database, platform.engine, platform.clock)
    return ids


@pytest.mark.parametrize(
    "given",
    [
        {"title": "吉林省医疗卫生机构信息"},
        {"title": "医院床位数据", "items": ITEMS},
    ],
    ids=["by title", "by items"],
)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_the_engine_brings_what_is_alike(platform: Platform, given: dict[str, object]) -> None:
    hospitals, _other = _indexed(platform)
    with platform.database.reading() as session:
        found = find_similar(
            session, platform.engine, content(**given), entry_id=None, provider_id=0
        )
    assert [one.entry_id for one in found] == [hospitals]
    assert found[0].share_type == "unconditional"
    assert found[0].contact == "省交通运输厅科技处"


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_submission_beside_a_similar_entry_needs_a_reason(platform: Platform) -> None:
    _indexed(platform)
    engine = platform.engine
    with platform.database.writing_session() as session:
        people = People(platform, session)
        catalogue = Catalogue(platform, session, people)
        draft = catalogue.entries.create(
            people.actor("agency_editor", HEALTH),
            catalogue.organisation(HEALTH),
            content(title="吉林省医疗卫生机构信息", items=ITEMS),
        )
        department = people.actor("responsible_dept", HEALTH)
        with pytest.raises(GuardRefused) as refusal:
            catalogue.entries.submit(department, draft, engine=engine)
        assert refusal.value.defects[0].field == "duplicate_reason"
        reason = "该目录另含社会办医机构，来源系统不同。"
        catalogue.entries.save(
            department, draft, replace(content_of(draft), duplicate_reason=reason)
        )
        catalogue.entries.submit(department, draft, engine=engine)
        assert draft.state == "submitted"
        assert [one["title"] for one in draft.similar_entries] == ["全省医疗卫生机构名录"]
        event = session.query(AuditEvent).filter_by(event="submit", subject_id=draft.id).one()
        assert event.details is not None
        assert event.details["duplicate_reason"] == reason
        session.rollback()


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_the_same_title_is_found_without_the_engine(platform: Platform) -> None:
    hospitals, _other = _indexed(platform)
    with platform.database.reading() as session:
        same = content(title="全省医疗卫生机构名录")
        found = find_similar(session, None, same, entry_id=None, provider_id=0)
        assert [one.entry_id for one in found] == [hospitals]
        assert find_similar(session, None, same, entry_id=hospitals, provider_id=0) == []
