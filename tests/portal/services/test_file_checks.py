"""Links of harvested data are tried or fetched; the page of the data set says what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from portal.app import create_app
from portal.jobs.harvests import check_files
from portal.jobs.worker import Worker
from portal.models.distribution import Distribution, list_distributions
from portal.models.harvest import get_source
from portal.platform import Platform
from tests.factories import SetClock
from tests.harvesters.packages import package
from tests.harvesters.replay import Answer, ReplayServer
from tests.portal.services.harvests import Harvests, file, totals

CSV = b"name,lines\nA,1\nB,2\n"


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        yield running


@pytest.fixture
def harvests(make_platform: Callable[..., Platform], server: ReplayServer) -> Harvests:
    return Harvests(make_platform("sqlite", fetch_allowed_hosts=(server.address,)), server)


def harvest_one(harvests: Harvests, url: str, *, mirror: bool = False) -> Any:
    made = package(
        0,
        resources=[file(0, url=url)],
        groups=[{"name": "transport"}],
        extras=[{"key": "frequency", "value": "monthly"}],
        license_id="cc-by-4.0",
    )
    catalogue = harvests.add([made])
    if mirror:
        with harvests.platform.database.writing() as session:
            get_source(session, "city").keep_files = "mirror"
    harvests.run()
    return catalogue


def page(harvests: Harvests) -> str:
    Worker(harvests.platform).run_until_idle()
    (entry,) = harvests.entries().values()
    response = create_app(harvests.platform).test_client().get(f"/dataset/{entry.slug}")
    return response.get_data(as_text=True)


def files(harvests: Harvests) -> list[Distribution]:
    (entry,) = harvests.entries().values()
    with harvests.platform.database.reading() as session:
        return list_distributions(session, entry.id)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(body=CSV, headers={"Content-Type": "text/csv"}), "链接可以打开"),
        (Answer(404), "文件不在该地址（HTTP 404）"),
        (Answer(503), "暂时不能应答"),
        (Answer(body=b"<html>", headers={"Content-Type": "text/html"}), "是网页"),
        (Answer(302, headers={"Location": "http://169.254.169.254/"}), "不允许访问"),
    ],
)
def test_what_a_link_gives_stands_on_the_page(
    harvests: Harvests, server: ReplayServer, answer: Answer, words: str
) -> None:
    server.on("/a.csv", answer)
    harvest_one(harvests, f"{server.url}/a.csv")
    check_files(harvests.platform)
    assert words in page(harvests)


def test_a_link_is_tried_again_after_a_week(
    harvests: Harvests, server: ReplayServer, clock: SetClock
) -> None:
    server.on("/a.csv", Answer(), Answer(404))
    harvest_one(harvests, f"{server.url}/a.csv")
    check_files(harvests.platform)
    asked = len(server.asked)
    check_files(harvests.platform)
    assert len(server.asked) == asked
    clock.advance(days=7, hours=1)
    check_files(harvests.platform)
    assert "HTTP 404" in page(harvests)


def test_a_mirrored_file_is_kept_and_follows_its_source(
    harvests: Harvests, server: ReplayServer, clock: SetClock
) -> None:
    etag = {"Content-Type": "text/csv", "ETag": '"1"'}
    server.on("/a.csv", Answer(body=CSV, headers=etag), Answer(304), Answer(body=CSV + b"C,3\n"))
    catalogue = harvest_one(harvests, f"{server.url}/a.csv", mirror=True)
    check_files(harvests.platform)
    assert "本平台保存的副本" in page(harvests)
    (kept,) = files(harvests)
    assert kept.current_version is not None
    assert kept.current_version.table_state == "ready"
    assert totals(harvests.run()) == {"unchanged": 1}
    clock.advance(days=8)
    check_files(harvests.platform)
    assert server.asked[-1].headers["If-None-Match"] == '"1"'
    clock.advance(days=8)
    check_files(harvests.platform)
    (kept,) = files(harvests)
    assert kept.current_version is not None
    assert kept.current_version.number == 2
    server.on("/b.csv", Answer(body=b"name\nZ\n", headers={"Content-Type": "text/csv"}))
    catalogue.packages[0]["resources"][0]["url"] = f"{server.url}/b.csv"
    assert totals(harvests.run()) == {"updated": 1}
    check_files(harvests.platform)
    (kept,) = files(harvests)
    assert kept.current_version is not None
    assert (kept.current_version.number, kept.current_version.filename) == (3, "b.csv")


def test_a_web_page_in_place_of_a_file_is_not_kept(
    harvests: Harvests, server: ReplayServer
) -> None:
    server.on("/a.csv", Answer(body=b"<html>", headers={"Content-Type": "text/html"}))
    harvest_one(harvests, f"{server.url}/a.csv", mirror=True)
    check_files(harvests.platform)
    (link,) = files(harvests)
    assert (link.kind, link.current_version) == ("link", None)
    assert "是网页" in page(harvests)
