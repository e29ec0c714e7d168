"""Harvest runs: what is written, what is left alone, what waits for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from portal.errors import Conflict, Forbidden
from portal.models import AuditEvent, Notice
from portal.models.distribution import list_distributions
from portal.models.entry import find_unfinished_version, get_entry, list_versions
from portal.models.harvest import get_run
from portal.models.open_list import find_open_list_entry
from portal.platform import Platform
from portal.services.content import content_of
from portal.services.entries import EntryService
from portal.services.harvest_lease import take_lease
from portal.services.harvesting import HarvestService
from tests.factories import TRANSPORT, People, SetClock
from tests.harvesters.packages import package
from tests.harvesters.replay import ReplayServer
from tests.portal.services.harvests import (
    WRITTEN_BY_RUNS,
    Harvests,
    Writes,
    count_rows,
    file,
    open_packages,
    totals,
)


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        yield running


@pytest.fixture
def harvests(
    make_platform: Callable[..., Platform], database_kind: str, server: ReplayServer
) -> Harvests:
    platform = make_platform(database_kind, fetch_allowed_hosts=(server.address,))
    return Harvests(platform, server)


def test_a_trusted_source_is_published_and_opened(harvests: Harvests) -> None:
    harvests.add(open_packages(3))
    run = harvests.run()
    assert (run.state, totals(run)) == ("done", {"created": 3})
    entry = harvests.entries()["id-0001"]
    assert (entry.public_id, entry.slug) == ("id-0001", "name-0001")
    assert entry.code.startswith("307022220000")
    assert entry.metadata_profile == "foreign-1"
    assert entry.is_public
    assert entry.needs_second_look
    with harvests.platform.database.reading() as session:
        place = find_open_list_entry(session, entry.id)
        assert place is not None
        assert (place.state, place.open_type) == ("open", "unconditional")
        (link,) = list_distributions(session, entry.id)
        assert (link.public_id, link.remote_id) == ("file-0001-a", "file-0001-a")
        assert link.url == "https://data.example.cn/1.csv"


def test_a_source_that_is_not_trusted_makes_drafts(harvests: Harvests) -> None:
    harvests.add(open_packages(2), trusted=False)
    assert totals(harvests.run()) == {"created": 2}
    for entry in harvests.entries().values():
        assert not entry.is_public
        with harvests.platform.database.reading() as session:
            draft = find_unfinished_version(session, entry.id)
            assert draft is not None
            assert (draft.state, draft.open_type, draft.security_level) == (
                "draft",
                "conditional",
                "2",
            )
            assert find_open_list_entry(session, entry.id) is None


def test_a_second_run_writes_no_row(harvests: Harvests) -> None:
    harvests.add(open_packages(5))
    harvests.add(open_packages(5)[:2], "other", trusted=False, organisation="JL-HEA")
    harvests.run()
    harvests.platform.clock.advance(hours=1)  # type: ignore[attr-defined]
    with harvests.platform.database.reading() as session:
        before = count_rows(session)
    with Writes(harvests.platform) as writes:
        run = harvests.run()
    assert totals(run) == {"unchanged": 5}
    with harvests.platform.database.reading() as session:
        assert count_rows(session) == before
    assert set(writes.tables) <= WRITTEN_BY_RUNS


def test_what_the_server_of_the_source_computes_is_no_change(harvests: Harvests) -> None:
    catalogue = harvests.add(open_packages(2))
    harvests.run()
    for found in catalogue.packages:
        found["metadata_modified"] = "2026-05-05T00:00:00.000000"
        found["tracking_summary"] = {"total": 7, "recent": 1}
        found["resources"][0]["metadata_modified"] = "2026-05-05T00:00:00.000000"
    assert totals(harvests.run()) == {"unchanged": 2}


def test_a_changed_record_of_a_trusted_source_becomes_a_new_version(harvests: Harvests) -> None:
    catalogue = harvests.add(open_packages(2))
    harvests.run()
    catalogue.packages[1]["title"] = "改过的标题"
    assert totals(harvests.run()) == {"updated": 1, "unchanged": 1}
    entry = harvests.entries()["id-0001"]
    assert entry.published_version is not None
    assert entry.published_version.title == "改过的标题"
    with harvests.platform.database.reading() as session:
        assert [v.state for v in list_versions(session, entry.id)] == ["published", "superseded"]


def test_changed_links_are_changed_in_place(harvests: Harvests) -> None:
    catalogue = harvests.add(open_packages(1))
    harvests.run()
    catalogue.packages[0]["resources"] = [
        file(0, url="https://data.example.cn/new.csv"),
        file(7, format="XLSX"),
    ]
    assert totals(harvests.run()) == {"updated": 1}
    entry = harvests.entries()["id-0000"]
    with harvests.platform.database.reading() as session:
        first, second = list_distributions(session, entry.id)
        assert first.url == "https://data.example.cn/new.csv"
        assert (second.public_id, second.format) == ("file-0007-a", "xlsx")
        assert len(list_versions(session, entry.id)) == 2  # its formats are part of what it says
    catalogue.packages[0]["resources"] = [file(7, format="XLSX")]
    harvests.run()
    catalogue.packages[0]["resources"] = [file(0), file(7, format="XLSX")]
    harvests.run()
    with harvests.platform.database.reading() as session:
        links = list_distributions(session, entry.id)
        assert {d.public_id for d in links} == {"file-0000-a", "file-0007-a"}


def test_what_an_official_set_stays(harvests: Harvests) -> None:
    catalogue = harvests.add(open_packages(1))
    harvests.run()
    _revise(harvests, "id-0000", open_type="none", closed_ground=("privacy",), region="220100")
    catalogue.packages[0]["title"] = "来源的新标题"
    run = harvests.run()
    assert totals(run) == {"updated": 1}
    (line,) = harvests.lines(run)
    assert "保留" in line.reason
    version = harvests.entries()["id-0000"].published_version
    assert version is not None
    content = content_of(version)
    assert (content.open_type, content.closed_ground) == ("none", ("privacy",))
    assert (content.title, content.region) == ("来源的新标题", "220100")
    catalogue.packages[0]["title"] = "再改"  # the harvested version has no editor of its own
    harvests.run()
    version = harvests.entries()["id-0000"].published_version
    assert version is not None
    assert (version.title, version.open_type) == ("再改", "none")


def _revise(harvests: Harvests, remote_id: str, **changes: object) -> None:
    """An official revises a published entry, and another one approves it."""

    platform = harvests.platform
    slug = harvests.entries()[remote_id].slug
    with platform.database.writing() as session:
        people = People(platform, session)
        service = EntryService(session, platform.clock)
        version = service.revise(people.department, get_entry(session, slug))
        service.save(people.editor, version, replace(content_of(version), **changes))  # type: ignore[arg-type]
        service.submit(people.department, version)
        service.approve(people.bureau, version)


def test_an_unreviewed_draft_follows_its_source(harvests: Harvests) -> None:
    catalogue = harvests.add(open_packages(1), trusted=False)
    harvests.run()
    catalogue.packages[0]["title"] = "草稿的新标题"
    assert totals(harvests.run()) == {"updated": 1}
    entry = harvests.entries()["id-0000"]
    with harvests.platform.database.reading() as session:
        (draft,) = list_versions(session, entry.id)
        assert (draft.title, draft.open_type) == ("草稿的新标题", "conditional")


def _publish_draft(harvests: Harvests, remote_id: str) -> None:

    platform = harvests.platform
    slug = harvests.entries()[remote_id].slug
    with platform.database.writing() as session:
        people = People(platform, session)
        service = EntryService(session, platform.clock)
        version = find_unfinished_version(session, get_entry(session, slug).id)
        assert version is not None
        service.submit(people.department, version)
        service.approve(people.bureau, version)


def test_a_change_of_what_was_reviewed_is_reviewed_again(harvests: Harvests) -> None:
    catalogue = harvests.add(open_packages(1), trusted=False)
    harvests.run()
    _publish_draft(harvests, "id-0000")
    catalogue.packages[0]["title"] = "须再审的标题"
    catalogue.packages[0]["resources"] = [file(0, url="https://evil.example.cn/x.csv")]
    run = harvests.run()
    assert totals(run) == {"updated": 1}
    entry = harvests.entries()["id-0000"]
    assert entry.published_version is not None
    assert entry.published_version.title == "数据集 0"
    with harvests.platform.database.reading() as session:
        draft = find_unfinished_version(session, entry.id)
        assert draft is not None
        assert (draft.title, draft.state) == ("须再审的标题", "draft")
        (link,) = list_distributions(session, entry.id)
        assert link.url == "https://data.example.cn/0.csv"
    assert "链接有变化" in harvests.lines(run)[0].reason
    catalogue.packages[0]["title"] = "又改"
    run = harvests.run()
    assert totals(run) == {"conflict": 1}
    assert "正在修订" in harvests.lines(run)[0].reason


def test_a_record_that_is_gone_is_archived_and_comes_back(harvests: Harvests) -> None:
    catalogue = harvests.add(open_packages(10))
    harvests.run()
    gone = catalogue.packages.pop(4)
    assert totals(harvests.run()) == {"unchanged": 9, "gone": 1}
    entry = harvests.entries()["id-0004"]
    assert not entry.is_public
    assert "已没有这条记录" in entry.retired_reason
    with harvests.platform.database.reading() as session:
        assert find_open_list_entry(session, entry.id) is None
    assert totals(harvests.run()) == {"unchanged": 9}
    catalogue.packages.append({**gone, "title": "回来了"})
    assert totals(harvests.run()) == {"unchanged": 9, "back": 1}
    entry = harvests.entries()["id-0004"]
    assert entry.is_public
    assert entry.published_version is not None
    assert entry.published_version.title == "回来了"
    with harvests.platform.database.reading() as session:
        assert find_open_list_entry(session, entry.id) is not None


@pytest.mark.slow
def test_one_fifth_gone_is_archived_and_more_waits_for_a_person(harvests: Harvests) -> None:
    catalogue = harvests.add(open_packages(100))
    harvests.run()
    everything = list(catalogue.packages)
    catalogue.packages[:] = [*everything[21:], package(500, resources=[file(500)])]
    run = harvests.run()
    assert run.state == "waiting"
    assert totals(run) == {"unchanged": 79, "missing": 21, "created": 1}
    assert sum(e.is_public for e in harvests.entries().values()) == 101
    catalogue.packages[:] = [*everything[20:], catalogue.packages[-1]]
    again = harvests.run()
    assert (again.state, totals(again)) == ("done", {"unchanged": 81, "gone": 20})
    with harvests.platform.database.reading() as session:
        assert get_run(session, run.id).state == "superseded"


def test_a_person_confirms_and_the_rest_is_archived(harvests: Harvests) -> None:

    catalogue = harvests.add(open_packages(10))
    harvests.run()
    del catalogue.packages[:5]
    run = harvests.run()
    assert (run.state, totals(run)) == ("waiting", {"unchanged": 5, "missing": 5})
    platform = harvests.platform
    with platform.database.writing() as session:
        service, people = HarvestService(session, platform.clock), People(platform, session)
        with pytest.raises(Forbidden):
            service.confirm_removals(people.editor, get_run(session, run.id))
        service.confirm_removals(people.admin, get_run(session, run.id))
    done = harvests.go_on(run.id)
    assert (done.state, totals(done)) == ("done", {"unchanged": 5, "gone": 5})
    with platform.database.writing() as session:
        admin = People(platform, session).admin
        service, ended = HarvestService(session, platform.clock), get_run(session, run.id)
        with pytest.raises(Conflict):
            service.confirm_removals(admin, ended)


def test_one_notice_a_run_and_none_for_an_idle_one(harvests: Harvests) -> None:
    platform = harvests.platform
    with platform.database.writing() as session:
        editor = People(platform, session).account("agency_editor", TRANSPORT).id
    harvests.add(open_packages(12))
    harvests.run()
    harvests.run()
    with platform.database.reading() as session:
        told = session.scalars(select(Notice).where(Notice.account_id == editor)).all()
        assert len(told) == 1
        assert "新增 12" in told[0].text
        events = session.scalars(
            select(AuditEvent.event).where(AuditEvent.flow == "harvest_run").order_by(AuditEvent.id)
        ).all()
        assert events == ["start", "finish"]


def test_two_runs_of_one_source_are_impossible(harvests: Harvests, clock: SetClock) -> None:

    harvests.add(open_packages(1))
    run_id = harvests.start()
    with pytest.raises(Conflict, match="正在进行"):
        harvests.start()
    with harvests.platform.database.writing() as session:
        run = get_run(session, run_id)
        assert take_lease(session, clock, run) is not None
        assert take_lease(session, clock, run) is None
        clock.advance(seconds=31)
        assert take_lease(session, clock, run) is not None
