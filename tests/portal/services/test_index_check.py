"""`index check` finds every kind of difference on both engines, and repairs it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import update

from portal.models import CatalogueEntry
from portal.platform import Platform
from portal.services import index_check, indexer
from tests.factories import Catalogue, People


@pytest.fixture(params=["embedded", pytest.param("elasticsearch", marks=pytest.mark.elasticsearch)])
def searching(request: pytest.FixtureRequest, make_platform: Callable[..., Platform]) -> Platform:
    if request.param == "embedded":
        return make_platform()
    url = request.getfixturevalue("elasticsearch_url")
    return make_platform(search_url=f"{url}/?index=check-{secrets.token_hex(4)}")


def _publish(platform: Platform, count: int) -> list[int]:
    with platform.database.writing() as session:
        catalogue = Catalogue(platform, session, People(platform, session))
        ids = [catalogue.published().id for _ in range(count)]
        catalogue.submitted()
    _index(platform)
    return ids


def _index(platform: Platform) -> None:
    while indexer.index_pending(platform.database, platform.engine, platform.clock):
        pass


def _repaired(platform: Platform, difference: index_check.IndexDifference) -> bool:
    index_check.repair(platform.database, platform.engine, platform.clock, difference)
    _index(platform)
    return index_check.check(platform.database, platform.engine).is_empty


def test_every_kind_of_difference_is_named_and_repaired(
    searching: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_check, "PAGE", 2)
    database, engine = searching.database, searching.engine
    ids = _publish(searching, 6)
    assert index_check.check(database, engine).is_empty
    with database.reading() as session:
        documents = {one.id: one for one in indexer.all_documents(session)}
    unknown = replace(documents[ids[0]], id=9_999_999)
    mislabelled = replace(documents[ids[1]], labels=frozenset({"public", "bureau"}))
    engine.write([unknown, mislabelled], [(ids[2], documents[ids[2]].version)])
    with database.writing() as session:
        newer = CatalogueEntry.index_version + 1
        session.execute(
            update(CatalogueEntry).where(CatalogueEntry.id == ids[3]).values(index_version=newer)
        )
    found = index_check.check(database, engine)
    assert (found.missing, found.extra, found.stale, found.mislabelled) == (
        (ids[2],),
        (9_999_999,),
        (ids[3],),
        (ids[1],),
    )
    assert _repaired(searching, found)


def test_an_index_ahead_of_a_database_out_of_a_backup_is_repaired(searching: Platform) -> None:
    """The database went back to an earlier state: the index has versions it does not know yet."""
    database, engine = searching.database, searching.engine
    first, second, *_ = _publish(searching, 3)
    with database.reading() as session:
        documents = {one.id: one for one in indexer.all_documents(session)}
    ahead = replace(documents[first], version=documents[first].version + 7, title="后来的标题")
    engine.write([ahead], [])
    with database.writing() as session:
        people = People(searching, session)
        entry = session.get_one(CatalogueEntry, second)
        Catalogue(searching, session, people).entries.retire(
            people.bureau, entry, reason="停止更新", consequences_shown=True
        )
    engine.write([replace(documents[second], version=documents[second].version + 9)], [])
    found = index_check.check(database, engine)
    assert (found.stale, found.extra) == ((first,), (second,))
    assert _repaired(searching, found)


def test_the_command_says_what_differs_and_ends_with_one(
    make_platform: Callable[..., Platform], monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from portal.commands.index import index

    platform = make_platform()
    ids = _publish(platform, 3)
    monkeypatch.setenv("XIANGYUN_HOME", str(platform.settings.home))
    platform.engine.write([], [(ids[1], 999)])
    said = CliRunner().invoke(index, ["check"])
    assert said.exit_code == 1
    assert "missing 1, extra 0, stale 0, mislabelled 0, quarantined 0" in said.output
    assert CliRunner().invoke(index, ["rebuild"]).exit_code == 0
    assert CliRunner().invoke(index, ["check", "--repair"]).exit_code == 0
    assert CliRunner().invoke(index, ["retry-quarantined"]).exit_code == 0
