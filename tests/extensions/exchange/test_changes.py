"""Nothing is missed: imports with old stamps, late commits, many writers; and nothing is told twice."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from extensions.exchange import changes
from extensions.exchange.changes import note_changes
from extensions.exchange.models.change import CatalogueChange
from portal.actor import SYSTEM
from portal.app import create_app
from portal.jobs.worker import Worker
from portal.models.entry import CatalogueEntry, get_entry
from portal.models.former_slug import FormerSlug
from portal.platform import Platform
from portal.services.index_requests import request_index
from tests.factories import Catalogue, People, SetClock, content
from tests.portal.web.conftest import Site

LONG_AGO = datetime(2019, 5, 1, tzinfo=UTC)


def published(platform: Platform, session: Session, **changed: Any) -> str:
    catalogue = Catalogue(platform, session, People(platform, session))
    return str(catalogue.published(content(**changed)).slug)


def touched(platform: Platform, session: Session, slug: str, number: int = 0) -> None:
    """Change an entry: what two agencies do at the same time."""
    catalogue = Catalogue(platform, session, People(platform, session))
    url = f"https://a.example/{number}.csv"
    catalogue.distributions.add_link(SYSTEM, get_entry(session, slug), url)
    session.flush()


def names(found: dict[str, Any]) -> list[str]:
    return [one["name"] for one in found["changes"]]


def test_what_is_imported_with_an_old_stamp_is_told(site: Site, visitor: FlaskClient) -> None:
    site.opened()
    known = visitor.get("/api/changes").get_json()
    slug = site.opened(title="多年前的数据")

    def age(session: Session, _catalogue: Catalogue, _people: People) -> None:
        entry = get_entry(session, slug)
        entry.metadata_modified_at = LONG_AGO
        request_index(session, site.platform.clock, entry)

    site.change(age)
    for address in (
        f"/api/changes?cursor={known['next_cursor']}",
        f"/api/changes?since={known['settled_until'].replace('+', '%2B')}",
    ):
        found = visitor.get(address).get_json()["changes"]
        (new,) = [one for one in found if one["name"] == slug]
        assert new["changed"].startswith("2019-05-01")
        assert new["noted"] > new["changed"]
        assert new["sequence"] > known["changes"][-1]["sequence"]


def test_indexing_again_without_a_change_tells_nothing(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    cursor = visitor.get("/api/changes").get_json()["next_cursor"]
    platform = site.platform

    def again(session: Session, _catalogue: Catalogue, _people: People) -> None:
        request_index(session, platform.clock, get_entry(session, slug))

    site.change(again)
    answer = visitor.get(f"/api/changes?cursor={cursor}").get_json()
    assert answer["changes"] == []
    assert answer["next_cursor"] == cursor


def test_the_indexer_is_waited_for_but_not_for_ever(site: Site, clock: SetClock) -> None:
    platform = site.platform
    slug = site.change(lambda _s, catalogue, _p: catalogue.published(content()).slug, settle=False)
    with platform.database.reading() as session:
        assert session.scalars(select(CatalogueChange)).all() == []
    clock.advance(minutes=6)
    assert note_changes(platform.database, platform.clock) == 1
    found = site.visitor().get("/api/changes").get_json()
    assert names(found) == [slug]


def test_a_cursor_of_former_releases_goes_on(site: Site, visitor: FlaskClient) -> None:
    first = site.opened()
    with site.platform.database.reading() as session:
        entry = get_entry(session, first)
        text = f"{entry.metadata_modified_at.isoformat()}|{entry.id}"
    former = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    site.platform.clock.advance(minutes=1)  # type: ignore[attr-defined]
    second = site.opened(title="后来的")
    site.platform.clock.advance(minutes=1)  # type: ignore[attr-defined]
    found = visitor.get(f"/api/changes?cursor={former}").get_json()
    assert second in names(found)
    following = visitor.get(f"/api/changes?cursor={found['next_cursor']}").get_json()
    assert following["changes"] == []


def test_a_former_name_leads_to_the_description_of_today(site: Site) -> None:
    slug = site.opened()

    def rename(session: Session, _catalogue: Catalogue, _people: People) -> None:
        entry = get_entry(session, slug)
        session.add(FormerSlug(slug="old-name", entry_id=entry.id, since=site.platform.clock()))

    site.change(rename)
    found = site.visitor().get("/dataset/old-name.ttl")
    assert (found.status_code, found.headers["Location"]) == (301, f"/dataset/{slug}.ttl")


def test_a_former_name_of_a_draft_names_nothing(site: Site) -> None:
    def rename(session: Session, catalogue: Catalogue, _people: People) -> None:
        draft = catalogue.draft().entry
        session.add(FormerSlug(slug="old-draft", entry_id=draft.id, since=site.platform.clock()))

    site.change(rename)
    found = site.visitor().get("/dataset/old-draft.ttl")
    assert (found.status_code, found.location) == (404, None)


@pytest.mark.postgresql
def test_a_change_that_is_committed_late_is_not_walked_past(
    make_platform: Callable[..., Platform],
) -> None:
    platform = make_platform("postgresql")
    client = create_app(platform).test_client()
    with platform.database.writing() as session:
        slugs = [published(platform, session) for _ in range(2)]
    settle(platform)
    known = client.get("/api/changes").get_json()
    assert sorted(names(known)) == sorted(slugs)
    address = f"/api/changes?cursor={known['next_cursor']}"
    with platform.database.writing_session() as late:
        touched(platform, late, slugs[0])  # stamped, not committed
        with platform.database.writing() as early:
            touched(platform, early, slugs[1])
        settle(platform)
        between = client.get(address).get_json()
        assert names(between) == [slugs[1]]
        late.commit()
    settle(platform)
    after = client.get(f"/api/changes?cursor={between['next_cursor']}").get_json()
    assert names(after) == [slugs[0]]


def settle(platform: Platform) -> None:
    Worker(platform).run_until_idle()
    note_changes(platform.database, platform.clock)


def test_many_writers_and_two_noters_leave_nothing_out(
    make_platform: Callable[..., Platform], database_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader who only ever goes on from its cursor ends with every data set as it stands."""
    monkeypatch.setattr(changes, "AT_ONCE", 3)
    platform = make_platform(database_kind)
    client = create_app(platform).test_client()
    with platform.database.writing() as session:
        slugs = [published(platform, session, title=f"数据{n}") for n in range(4)]
    settle(platform)
    failures: list[BaseException] = []
    writing = threading.Event()

    def guarded(do: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                do()
            except BaseException as error:
                failures.append(error)

        return run

    def writer(own: list[str]) -> Callable[[], None]:
        def write() -> None:
            for number in range(3):
                for slug in own:
                    with platform.database.writing() as session:
                        touched(platform, session, slug, number)

        return guarded(write)

    def note(index: bool) -> None:
        while not writing.is_set():
            if index:
                Worker(platform).run_until_idle()
            note_changes(platform.database, platform.clock)

    writers = [threading.Thread(target=writer(slugs[n::2])) for n in range(2)]
    noters = [threading.Thread(target=guarded(partial(note, one))) for one in (True, False)]
    copy: dict[str, int] = {}
    cursor = ""

    def read() -> None:
        nonlocal cursor
        while True:
            found = client.get(f"/api/changes?limit=2&cursor={cursor}").get_json()
            if not found["changes"]:
                return
            copy.update({one["name"]: one["package"]["num_resources"] for one in found["changes"]})
            cursor = found["next_cursor"]

    for thread in (*writers, *noters):
        thread.start()
    while any(thread.is_alive() for thread in writers):
        read()
    writing.set()
    for thread in noters:
        thread.join(timeout=60)
    settle(platform)
    read()
    assert failures == []
    assert copy == dict.fromkeys(slugs, 3)
    with platform.database.reading() as session:
        numbers = session.scalars(select(CatalogueChange.sequence)).all()
    assert len(set(numbers)) == len(slugs)


def test_the_upgrade_notes_what_was_public_in_the_order_of_its_stamps(
    make_platform: Callable[..., Platform], database_kind: str, clock: SetClock
) -> None:
    from importlib import import_module

    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    migration = import_module("extensions.exchange.migrations.0002_series_and_changes")
    platform = make_platform(database_kind)
    with platform.database.writing() as session:
        slugs = [published(platform, session, title=f"数据{n}") for n in range(3)]
        old = update(CatalogueEntry).where(CatalogueEntry.slug == slugs[2])
        session.execute(old.values(metadata_modified_at=LONG_AGO))
        connection = session.connection()
        with Operations.context(MigrationContext.configure(connection)):
            migration.downgrade()
            migration.upgrade()
        rows = session.execute(
            select(CatalogueEntry.slug, CatalogueChange.changed_at)
            .join(CatalogueChange, CatalogueChange.entry_id == CatalogueEntry.id)
            .order_by(CatalogueChange.sequence)
        ).all()
        assert [row.slug for row in rows] == [slugs[2], slugs[0], slugs[1]]
        assert rows[0].changed_at == LONG_AGO
