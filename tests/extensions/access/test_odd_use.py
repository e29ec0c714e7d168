"""Odd use is told by plain rules, once a day, to the agency that can act on it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from extensions.access.models import ApiCall
from extensions.access.services.odd_use import Hour, look_at, oddities
from portal.clock import SHANGHAI
from portal.models import Notice
from tests.extensions.access.conftest import Grants
from tests.factories import SetClock


@pytest.fixture
def database_kind() -> str:
    """Nothing here differs between databases."""
    return "sqlite"


@pytest.mark.parametrize(
    ("hour", "rules"),
    [
        (Hour(99, 0, 0, 1, 0), []),
        (Hour(500, 0, 0, 100, 0), []),
        (Hour(501, 0, 0, 100, 0), ["calls"]),
        (Hour(5_000, 50_000, 0, 0, 0), []),  # its first hour: nothing is usual yet
        (Hour(10, 10_001, 0, 10, 2_000), ["rows"]),
        (Hour(99, 0, 50, 99, 0), ["errors"]),
        (Hour(101, 0, 50, 99, 0), []),
        (Hour(900, 90_000, 900, 10, 10), ["calls", "rows", "errors"]),
    ],
)
def test_rules(hour: Hour, rules: list[str]) -> None:
    assert [one.rule for one in oddities(hour)] == rules


def test_the_agency_is_told_once_a_day(grants: Grants, clock: SetClock) -> None:
    application = grants.active()
    ended = clock().astimezone(SHANGHAI) - timedelta(hours=1)
    for day, calls in ((ended.date() - timedelta(days=2), 10), (ended.date(), 800)):
        use = {"calls": calls, "rows": calls, "errors": 0}
        grants.session.add(ApiCall(application_id=application.id, day=day, hour=ended.hour, **use))
    grants.session.flush()
    assert [one.rule for one in look_at(grants.session, clock, application)] == ["calls"]
    assert look_at(grants.session, clock, application) == []
    notices = grants.session.scalars(select(Notice).where(Notice.text.contains("调用异常"))).all()
    reader = grants.reviewer.account_id
    assert reader in {one.account_id for one in notices}
    assert all("800" in one.text and "10" in one.text for one in notices)
    assert grants.applicant.account_id not in {one.account_id for one in notices}
    assert application.state == "active"
