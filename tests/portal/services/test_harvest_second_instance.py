"""One Xiangyun harvests another over HTTP, through its Action API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from portal.jobs.worker import Worker
from portal.models.distribution import list_distributions
from portal.models.entry import get_entry
from portal.models.open_list import find_open_list_entry
from portal.platform import Platform
from portal.services.content import content_of
from portal.services.entries import EntryService
from tests.factories import Catalogue, People, SetClock, conditional_content, content
from tests.harvesters.replay import ReplayServer
from tests.live import LiveServer
from tests.portal.services.harvests import WRITTEN_BY_RUNS, Harvests, Writes, totals

COUNT = 12


class Second:
    """The other instance, served, with open entries of its own."""

    def __init__(self, platform: Platform, server: LiveServer) -> None:
        self.platform = platform
        self.url = server.url
        self.slugs = self._fill()

    def _fill(self) -> list[str]:
        with self.platform.database.writing() as session:
            catalogue = Catalogue(self.platform, session, People(self.platform, session))
            slugs = [
                catalogue.opened(content(title=f"外站数据{number}")).entry.slug
                for number in range(COUNT - 1)
            ]
            slugs.append(catalogue.opened(conditional_content(title="外站有条件数据")).entry.slug)
        self.bring_up()
        return slugs

    def bring_up(self) -> None:
        """Parse its tables and index what changed, as its worker does."""
        Worker(self.platform).run_until_idle()

    def rename(self, slug: str, title: str) -> None:
        with self.platform.database.writing() as session:
            people = People(self.platform, session)
            service = EntryService(session, self.platform.clock)
            version = service.revise(people.department, get_entry(session, slug))
            service.save(people.editor, version, replace(content_of(version), title=title))
            service.submit(people.department, version)
            service.approve(people.bureau, version)
        self.bring_up()

    def retire(self, slug: str) -> None:
        with self.platform.database.writing() as session:
            bureau = People(self.platform, session).bureau
            entry = get_entry(session, slug)
            service = EntryService(session, self.platform.clock)
            service.retire(bureau, entry, reason="依据已失效", consequences_shown=True)
        self.bring_up()


@pytest.fixture
def second(
    make_platform: Callable[..., Platform], live_server: Callable[[Platform], LiveServer]
) -> Second:
    platform = make_platform("sqlite", name="second")
    return Second(platform, live_server(platform))


@pytest.fixture
def harvests(
    make_platform: Callable[..., Platform], database_kind: str, second: Second
) -> Harvests:
    allowed = urlsplit(second.url).netloc
    here = Harvests(make_platform(database_kind, fetch_allowed_hosts=(allowed,)), ReplayServer())
    here.add_source("second", second.url)
    return here


def test_a_second_instance_is_harvested_followed_and_left_alone(
    harvests: Harvests, second: Second, clock: SetClock
) -> None:
    assert totals(harvests.run("second")) == {"created": COUNT}
    entries = {entry.slug: entry for entry in harvests.entries("second").values()}
    assert set(entries) == set(second.slugs)
    copied = entries[second.slugs[0]]
    with (
        harvests.platform.database.reading() as here,
        second.platform.database.reading() as there,
    ):
        original = get_entry(there, copied.slug)
        assert copied.public_id == original.public_id
        assert original.published_version is not None
        assert copied.published_version is not None
        said = content_of(original.published_version)
        kept = content_of(copied.published_version)
        for name in ("title", "abstract", "theme", "items", "open_type", "licence", "keywords"):
            assert getattr(kept, name) == getattr(said, name), name
        (link,) = list_distributions(here, copied.id)
        assert link.url.startswith(second.url)
        assert link.public_id == list_distributions(there, original.id)[0].public_id
        conditional = find_open_list_entry(here, entries[second.slugs[-1]].id)
        assert conditional is not None
        assert conditional.open_type == "conditional"
    with Writes(harvests.platform) as writes:
        assert totals(harvests.run("second")) == {"unchanged": COUNT}
    assert set(writes.tables) <= WRITTEN_BY_RUNS
    clock.advance(hours=1)
    second.rename(second.slugs[2], "改名的外站数据")
    second.retire(second.slugs[5])
    followed = harvests.run("second")
    assert totals(followed) == {"unchanged": COUNT - 2, "updated": 1, "gone": 1}


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_codes_given_here_and_there_do_not_collide(harvests: Harvests, second: Second) -> None:
    """Both instances number the same agency's data; names that come are kept, ours go round."""
    harvests.run("second")
    with harvests.platform.database.writing() as session:
        catalogue = Catalogue(harvests.platform, session, People(harvests.platform, session))
        made = [catalogue.draft().entry.slug for _ in range(3)]
    assert not set(made) & set(second.slugs)
