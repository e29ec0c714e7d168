"""What becomes invisible is invisible at once, in every channel, whatever the index still holds."""

from __future__ import annotations

import io
import random
from collections.abc import Callable

import pytest

from portal.actor import ANONYMOUS, Actor
from portal.app import create_app
from portal.jobs.worker import Worker
from portal.models import CatalogueEntry
from portal.models.distribution import list_distributions
from portal.models.entry import get_version
from portal.platform import Platform
from portal.services.distributions import Upload
from portal.services.indexer import count_pending
from tests.factories import Catalogue, People, content
from tests.faults.channels import counts_and_hits
from tests.faults.working import (
    found_ids,
    index_everything,
    running_worker,
    search,
    wait_until,
)
from tests.services.nodes import ElasticsearchNode

WORDS = ("松花江", "长白山", "查干湖")


class Office:
    """People who publish, retire, restore, revise and discard, each in a transaction of its own."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        with platform.database.writing() as session:
            self._people = People(platform, session)
            for name in ("editor", "department", "bureau", "stranger"):
                setattr(self, name, getattr(self._people, name))
        self.editor: Actor
        self.stranger: Actor
        self.public: dict[int, str] = {}  # entry id -> the word in its title
        self.drafts: dict[int, tuple[int, str]] = {}  # entry id -> (version id, word)

    def act(self, what: Callable[[Catalogue], None]) -> None:
        with self.platform.database.writing() as session:
            what(Catalogue(self.platform, session, self._people))

    def publish(self, word: str) -> int:
        made: list[int] = []
        self.act(lambda c: made.append(c.published(_about(word)).id))
        self.public[made[0]] = word
        return made[0]

    def draft(self, word: str) -> int:
        def make(catalogue: Catalogue) -> None:
            version = catalogue.draft(_about(word))
            self.drafts[version.entry_id] = (version.id, word)

        self.act(make)
        return max(self.drafts)

    def retire(self, entry_id: int) -> None:
        self.public.pop(entry_id)
        self.act(
            lambda c: c.entries.retire(
                self._people.bureau, _entry(c, entry_id), reason="停止", consequences_shown=True
            )
        )

    def restore(self, entry_id: int, word: str) -> None:
        self.act(
            lambda c: c.entries.restore(self._people.bureau, _entry(c, entry_id), reason="恢复")
        )
        self.public[entry_id] = word

    def rename(self, entry_id: int, word: str) -> None:
        def revise(catalogue: Catalogue) -> None:
            version = catalogue.entries.revise(self._people.department, _entry(catalogue, entry_id))
            changed = _about(word)
            catalogue.entries.save(self._people.editor, version, changed)
            catalogue.entries.submit(self._people.department, version)
            catalogue.entries.approve(self._people.bureau, version)

        self.act(revise)
        self.public[entry_id] = word

    def discard(self, entry_id: int) -> None:
        version_id, _word = self.drafts.pop(entry_id)

        def end(catalogue: Catalogue) -> None:
            version = get_version(catalogue._session, version_id)
            catalogue.entries.discard(self._people.editor, version, reason="重复")

        self.act(end)


def _about(word: str) -> object:
    base = content()
    return content(title=f"{word}{base.title}", keywords=(word,))


def _entry(catalogue: Catalogue, entry_id: int) -> CatalogueEntry:
    entry = catalogue._session.get(CatalogueEntry, entry_id)
    assert entry is not None
    return entry


def check_channels(office: Office, reader: Actor, visible: dict[int, str]) -> None:
    """Nothing beyond what is visible is counted or named, for any word."""
    for word in WORDS:
        allowed = {entry_id for entry_id, has in visible.items() if has == word}
        counts, hits = counts_and_hits(office.platform, word, reader)
        for channel, found in hits.items():
            assert found <= allowed, f"{channel} of {word} names {found - allowed}"
        for channel, count in counts.items():
            assert count <= len(allowed), f"{channel} of {word}: {count} of {len(allowed)}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_became_invisible_is_found_in_any_channel(
    make_platform: Callable[..., Platform], seed: int
) -> None:
    """Random acts, with the indexer at random moments; after each commit every channel is asked."""
    chance = random.Random(seed)
    office = Office(make_platform())
    retired: dict[int, str] = {}
    for _ in range(30):
        _act_at_random(office, retired, chance)
        if chance.random() < 0.3:
            index_everything(office.platform)
        check_channels(office, ANONYMOUS, office.public)
        own = office.public | {i: word for i, (_, word) in office.drafts.items()}
        check_channels(office, office.editor, own)
        check_channels(office, office.stranger, office.public)
    index_everything(office.platform)
    assert found_ids(office.platform) == set(office.public)


def _act_at_random(office: Office, retired: dict[int, str], chance: random.Random) -> None:
    acts = ["publish", "draft"]
    acts += ["retire", "rename", "rename"] * bool(office.public)
    acts += ["restore"] * bool(retired) + ["discard", "discard"] * bool(office.drafts)
    act, word = chance.choice(acts), chance.choice(WORDS)
    if act in ("publish", "draft"):
        getattr(office, act)(word)
    elif act == "discard":
        office.discard(chance.choice(list(office.drafts)))
    elif act == "restore":
        entry_id = chance.choice(list(retired))
        office.restore(entry_id, retired.pop(entry_id))
    else:
        entry_id = chance.choice(list(office.public))
        if act == "retire":
            retired[entry_id] = office.public[entry_id]
            office.retire(entry_id)
        else:
            office.rename(entry_id, word)


@pytest.mark.slow
def test_what_is_retired_while_the_engine_is_down_is_not_found_when_it_is_back(
    elasticsearch: ElasticsearchNode,
    search_url: str,
    make_platform: Callable[..., Platform],
    database_kind: str,
) -> None:
    office = Office(make_platform(database_kind, search_url=search_url))
    kept, gone = office.publish("松花江"), office.publish("松花江")
    index_everything(office.platform)
    assert found_ids(office.platform, "松花江") == {kept, gone}
    elasticsearch.stop()
    office.retire(gone)
    elasticsearch.start()
    check_channels(office, ANONYMOUS, office.public)  # the index still holds it
    assert search(office.platform, "松花江").total == 1
    with running_worker(office.platform):
        wait_until(lambda: _is_settled(office.platform), 10)
    assert found_ids(office.platform, "松花江") == {kept}


def _is_settled(platform: Platform) -> bool:
    with platform.database.reading() as session:
        return count_pending(session) == 0


def test_the_search_page_offers_no_denied_title(make_platform: Callable[..., Platform]) -> None:
    platform = make_platform()
    office = Office(platform)
    entry_id = office.publish("查干湖")
    with platform.database.reading() as session:
        entry = session.get(CatalogueEntry, entry_id)
        assert entry is not None
        assert entry.published_version is not None
        title = entry.published_version.title
    index_everything(platform)
    client = create_app(platform).test_client()
    assert title in client.get("/dataset", query_string={"q": "查干湖"}).text
    office.retire(entry_id)
    for words in ("查干湖", "查干", "chagan", title, title[:8], ""):
        if words != title:  # the page shows what was typed
            assert title not in client.get("/dataset", query_string={"q": words}).text
        answer = client.get("/api/3/action/package_autocomplete", query_string={"q": words})
        assert title not in answer.text
        found = client.get("/api/3/action/package_search", query_string={"q": words}).json
        assert found["result"]["count"] == 0
    assert title not in client.get("/").text


def test_what_stood_in_a_removed_file_is_found_no_more(
    make_platform: Callable[..., Platform],
) -> None:
    """Somebody uploaded what must not be out, and takes it away."""
    platform = make_platform()
    office = Office(platform)
    entry_id = office.publish("松花江")

    def upload(catalogue: Catalogue) -> None:
        catalogue.file(_entry(catalogue, entry_id), "编码,单位\n01,隐秘湖监测站\n".encode())

    office.act(upload)
    _work(platform)
    assert found_ids(platform, "隐秘湖监测站") == {entry_id}

    def remove(catalogue: Catalogue) -> None:
        (distribution,) = list_distributions(catalogue._session, entry_id)
        catalogue.distributions.delete(office.editor, distribution)

    office.act(remove)
    assert entry_id not in found_ids(platform, "隐秘湖监测站")
    index_everything(platform)
    assert entry_id not in found_ids(platform, "隐秘湖监测站")
    assert found_ids(platform, "松花江") == {entry_id}


def test_what_stood_in_a_replaced_file_is_found_no_more(
    make_platform: Callable[..., Platform],
) -> None:
    platform = make_platform()
    office = Office(platform)
    entry_id = office.publish("松花江")
    office.act(
        lambda c: c.file(_entry(c, entry_id), "编码,单位\n01,隐秘湖监测站\n".encode()) and None
    )
    _work(platform)
    assert found_ids(platform, "隐秘湖监测站") == {entry_id}

    def replace(catalogue: Catalogue) -> None:
        (distribution,) = list_distributions(catalogue._session, entry_id)
        stored = platform.storage.put(io.BytesIO("编码,单位\n01,公开站\n".encode()))
        catalogue.distributions.deliver(office.editor, distribution, Upload(stored, "站点.csv"))

    office.act(replace)
    assert entry_id not in found_ids(platform, "隐秘湖监测站")
    _work(platform)
    assert entry_id not in found_ids(platform, "隐秘湖监测站")
    assert found_ids(platform, "公开站") == {entry_id}


def _work(platform: Platform) -> None:
    Worker(platform).run_until_idle()
