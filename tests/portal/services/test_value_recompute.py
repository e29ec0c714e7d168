"""Value scores are recomputed from recorded facts, damped by distinct people."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from portal.actor import ANONYMOUS
from portal.models import CatalogueEntry, IndexRequest
from portal.models.distribution import list_distributions
from portal.platform import Platform
from portal.rules.value_score import ValueSignals, value_score
from portal.services import indexer
from portal.services.downloads import count_download
from portal.services.value import ANONYMOUS_A_DAY
from portal.services.value_recompute import Recomputed, recompute_all
from tests.factories import Catalogue, People, SetClock

NOBODY = value_score(ValueSignals()).score
ONE_PERSON = value_score(ValueSignals(users=1)).score - NOBODY
A_DAY = value_score(ValueSignals(users=ANONYMOUS_A_DAY)).score - NOBODY


def _opened(platform: Platform) -> int:
    with platform.database.writing() as session:
        catalogue = Catalogue(platform, session, People(platform, session))
        entry_id = catalogue.opened().entry_id
        catalogue.published()
    recompute_all(platform.database, platform.clock)
    while indexer.index_pending(platform.database, platform.engine, platform.clock):
        pass
    return entry_id


def _download(platform: Platform, entry_id: int, times: int, *, signed_in: bool) -> None:
    """Download so many times: by one account, or by as many anonymous visitors."""
    with platform.database.writing() as session:
        (file,) = list_distributions(session, entry_id)
        actor = People(platform, session).stranger if signed_in else ANONYMOUS
        for number in range(times):
            count_download(
                session, platform.clock, file, actor,
                address="10.0.0.1", user_agent=f"Mozilla/5.0 ({number})", form="file",
            )  # fmt: skip


def _score(platform: Platform, entry_id: int) -> float:
    with platform.database.reading() as session:
        return session.get_one(CatalogueEntry, entry_id).value_score


def _requests(platform: Platform) -> int:
    with platform.database.reading() as session:
        return session.scalar(select(func.count(IndexRequest.entry_id))) or 0


def test_a_thousand_downloads_of_one_account_move_the_score_as_one_person_does(
    platform: Platform, clock: SetClock
) -> None:
    entry_id = _opened(platform)
    before = _score(platform, entry_id)
    _download(platform, entry_id, 1_000, signed_in=True)
    done = recompute_all(platform.database, platform.clock)
    assert 0 < _score(platform, entry_id) - before <= ONE_PERSON + 1e-9
    assert (done.looked_at, done.kept, done.requested) == (2, 1, 1)
    assert _requests(platform) == 1


def test_a_program_that_poses_as_many_visitors_counts_as_few(platform: Platform) -> None:
    entry_id = _opened(platform)
    before = _score(platform, entry_id)
    _download(platform, entry_id, 1_000, signed_in=False)
    recompute_all(platform.database, platform.clock)
    assert _score(platform, entry_id) - before <= A_DAY + 1e-9


def test_the_same_facts_again_write_nothing(platform: Platform, clock: SetClock) -> None:
    entry_id = _opened(platform)
    _download(platform, entry_id, 3, signed_in=False)
    assert recompute_all(platform.database, platform.clock).kept == 1
    while indexer.index_pending(platform.database, platform.engine, platform.clock):
        pass
    clock.advance(hours=20)
    assert recompute_all(platform.database, platform.clock) == Recomputed(2, 0, 0)
    assert _requests(platform) == 0


def test_use_fades_with_its_window(platform: Platform, clock: SetClock) -> None:
    entry_id = _opened(platform)
    before = _score(platform, entry_id)
    _download(platform, entry_id, 5, signed_in=False)
    recompute_all(platform.database, platform.clock)
    assert _score(platform, entry_id) > before
    clock.now += timedelta(days=181)
    recompute_all(platform.database, platform.clock)
    assert _score(platform, entry_id) <= before
