"""PostgreSQL restarts under a running portal: what was under way is not half done, then it goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal.app import create_app
from portal.commands.database import prepare_database
from portal.jobs import queue, worker
from portal.models import CatalogueEntry
from portal.models.distribution import list_distributions
from portal.models.entry import get_version
from portal.models.harvest import HarvestRun
from portal.platform import Platform, open_platform
from portal.settings import Settings
from tests.factories import SetClock
from tests.faults.working import committing, found_ids, running_worker, wait_until
from tests.harvesters.replay import ReplayServer
from tests.platforms import SECRET
from tests.portal.services.harvests import Harvests, open_packages, totals
from tests.portal.web.work.conftest import Office
from tests.services.fixtures import NodeMaker
from tests.services.nodes import PostgresqlNode

pytestmark = [pytest.mark.slow, pytest.mark.postgresql]


@pytest.fixture
def server(postgresql_node: NodeMaker[PostgresqlNode]) -> Iterator[PostgresqlNode]:
    with postgresql_node() as node:
        yield node


@pytest.fixture
def office(server: PostgresqlNode, tmp_path: Path, clock: SetClock) -> Iterator[Office]:
    values = {"home": tmp_path, "secret_key": SECRET, "database_url": server.url}
    platform = open_platform(Settings.model_validate(values), clock=clock)
    prepare_database(platform)
    yield Office(platform, create_app(platform))
    platform.close()


def _restart(server: PostgresqlNode) -> None:
    server.kill()
    server.start()


def test_requests_after_a_restart_are_answered_as_before(
    office: Office, server: PostgresqlNode
) -> None:
    bureau = office.browser("bureau_reviewer", "JL-BUR")
    bureau.get("/work")
    _restart(server)
    assert bureau.get("/work").status_code == 200
    assert office.app.test_client().get("/health").status_code == 200


def test_while_the_server_is_down_each_page_says_so_and_the_process_survives(
    office: Office, server: PostgresqlNode
) -> None:
    bureau = office.browser("bureau_reviewer", "JL-BUR")
    server.stop()
    answer = bureau.client.get("/work")
    assert answer.status_code == 503
    assert "数据库暂时不可用" in answer.text
    assert "Traceback" not in answer.text
    server.start()
    assert bureau.get("/work").status_code == 200


def test_a_decision_cut_off_before_its_commit_is_not_half_made(
    office: Office, server: PostgresqlNode
) -> None:
    """The server dies between the last write of a request and its commit."""
    version_id = office.made(lambda catalogue, people: catalogue.submitted().id)
    bureau = office.browser("bureau_reviewer", "JL-BUR")
    form = bureau.form(f"/work/versions/{version_id}", "/approve")
    app, restarts = office.app, iter([lambda: _restart(server)])

    def interfere(_response: object) -> object:
        for restart in restarts:
            restart()
        return _response

    app.after_request_funcs.setdefault(None, []).append(interfere)  # runs first: before the commit
    answer = bureau.client.post(form.action, data=form.values())
    assert answer.status_code == 503
    assert "没有保存任何内容" in answer.text
    assert "Content-Security-Policy" in answer.headers
    assert office.read(lambda session: _state(session, version_id)) == "submitted"
    bureau.send(bureau.form(f"/work/versions/{version_id}", "/approve"))
    assert office.read(lambda session: _state(session, version_id)) == "published"


def _state(session: Session, version_id: int) -> str:
    return get_version(session, version_id).state


def test_a_worker_goes_on_when_the_server_is_back(office: Office, server: PostgresqlNode) -> None:
    platform = office.platform
    with running_worker(platform):
        with committing(platform) as catalogue:
            first = catalogue.published().id
        wait_until(lambda: found_ids(platform) == {first}, 20)
        server.stop()
        with pytest.raises(OperationalError), committing(platform) as catalogue:
            catalogue.published()
        time.sleep(2)  # several times the worker's poll: it has met the stopped server
        server.start()
        with committing(platform) as catalogue:
            entry = catalogue.published()
            catalogue.file(entry)
            second, slug = entry.id, entry.slug
        wait_until(lambda: found_ids(platform) == {first, second}, 20)
        wait_until(lambda: _rows(platform, slug) == 2, 20)


def _rows(platform: Platform, slug: str) -> int:
    with platform.database.reading() as session:
        entry = session.scalars(select(CatalogueEntry).where(CatalogueEntry.slug == slug)).one()
        (distribution,) = list_distributions(session, entry.id)
        version = distribution.current_version
        assert version is not None
        return version.table["row_count"] if version.table else 0


def test_a_harvest_goes_on_when_the_server_is_back(
    server: PostgresqlNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database dies between two pages of the source; the worker that met that tries again.

    Leases are short, so that what broke off is taken over soon.
    """
    monkeypatch.setattr(queue, "LEASE_SECONDS", 6)
    monkeypatch.setattr(worker, "RENEW_SECONDS", 1)
    with ReplayServer() as source:
        values = {
            "home": tmp_path / "harvest",
            "secret_key": SECRET,
            "database_url": server.url,
            "fetch_allowed_hosts": (source.address,),
        }
        platform = open_platform(Settings.model_validate(values))
        prepare_database(platform)
        harvests = Harvests(platform, source)
        catalogue = harvests.add(open_packages(110))
        restarts = iter([lambda: _restart(server)])

        def interfere(pages: int) -> None:
            for restart in restarts if pages == 2 else ():
                restart()

        catalogue.after_page = interfere
        run_id = harvests.start()
        with running_worker(platform):
            wait_until(lambda: _is_done(platform, run_id), 90)
        with platform.database.reading() as session:
            run = session.get_one(HarvestRun, run_id)
        assert totals(run) == {"created": 110}
        platform.close()


def _is_done(platform: Platform, run_id: int) -> bool:
    try:
        with platform.database.reading() as session:
            return session.get_one(HarvestRun, run_id).state == "done"
    except OperationalError:
        return False
