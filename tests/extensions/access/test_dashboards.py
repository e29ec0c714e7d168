"""Figures of many grants: each reader sees their own scope and nothing else."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from extensions.access.services.use_figures import of_agencies, of_all, of_applicant, use_figures
from portal.platform import Platform
from tests.extensions.access.conftest import Served
from tests.extensions.access.test_call_log import log_of
from tests.extensions.access.test_pages import Site
from tests.extensions.access.test_use import site_of


@pytest.fixture
def called(platform: Platform, serve: Callable[..., Served]) -> Served:
    served = serve(platform)
    for path in ("/rows?limit=3", "/rows?limit=2", "/count?nothing=1"):
        served.get(path)
    log_of(served).flush()
    return served


def rows_of(site: Site, who: str, path: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(site.signed_in(who).page(path).lstrip("\ufeff"))))


def test_developer_agency_and_bureau_see_their_calls(called: Served) -> None:
    site = site_of(called)
    for who, path in (
        ("developer", "/developer/use"),
        ("clerk", "/work/interface-use"),
        ("bureau", "/work/interface-use"),
    ):
        page = site.signed_in(who).page(path)
        assert "调用最多：3 次" in page, who
        assert 'data-chart="line"' in page
        assert f"/applications/{called.application_id}/use" in page
        assert "bad_query" not in page  # a refusal that the answer itself told: only its status
        assert rows_of(site, who, f"{path}.csv?days=14")[-1] == ["2026-11-24", "3", "5", "1"]
        by_interface = rows_of(site, who, f"{path}.csv?by=interface")
        assert by_interface[1][0] == "bus-stops"
        assert by_interface[1][2:] == ["3", "5", "1"]
        site.signed_in(who).page(f"{path}.csv?by=nothing", 404)
    assert "按机构" not in site.signed_in("clerk").page("/work/interface-use")
    assert len(rows_of(site, "bureau", "/work/interface-use.csv?by=agency")) == 2


def test_nobody_sees_the_calls_of_others(called: Served) -> None:
    site = site_of(called)
    other = site.signed_in("other")
    assert "没有调用" in other.page("/developer/use")
    assert len(rows_of(site, "other", "/developer/use.csv?by=grant")) == 1
    other.page("/work/interface-use", 403)
    other.page("/work/interface-use.csv", 403)
    visitor = called.client.get("/work/interface-use")
    assert visitor.status_code in (302, 401)
    with called.platform.database.reading() as session:
        now = called.platform.clock()
        own = of_applicant(called.applicant.account_id or 0)
        for scope, calls in ((own, 3), (of_applicant(0), 0), (of_agencies([]), 0), (of_all(), 3)):
            found = use_figures(session, now, scope, days=30)
            assert (found.calls, found.live) == (calls, min(calls, 1))
