"""The update calendar of an agency."""

from __future__ import annotations

from datetime import date

import pytest

from portal.services.freshness_calendar import list_updates, month_sheet
from tests.factories import Catalogue, SetClock, content
from tests.portal.web.work.conftest import Browser, Office, text_of


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_an_update_is_due_at_the_end_of_its_period_and_its_grace_counts_working_days(
    catalogue: Catalogue, clock: SetClock
) -> None:
    catalogue.published(content(title="月度站点", update_frequency="monthly"))
    session = catalogue._session
    update = list_updates(session, {catalogue.organisation().id})[0]
    assert update.due_on == date(2026, 12, 24)
    assert update.grace > 0
    weeks = month_sheet(session, [update], date(2026, 12, 1))
    days = {day.date: day for week in weeks for day in week}
    assert [u.title for u in days[date(2026, 12, 24)].due] == ["月度站点"]
    assert not days[date(2026, 12, 26)].working
    held = [day for day in days.values() if day.last]
    assert all(day.working for day in held)
    between = [d for d in days.values() if date(2026, 12, 24) < d.date <= update.last_on]
    if update.last_on <= max(days):
        assert sum(day.working for day in between) == update.grace


def test_agencies_see_their_own_and_the_bureau_chooses(
    office: Office, editor: Browser, bureau: Browser
) -> None:
    office.made(lambda catalogue, _: catalogue.published(content(title="月度站点")))
    own = editor.get("/work/freshness?month=2026-12")
    assert "应更新 1" in text_of(own)
    assert "月度站点" in text_of(editor.get("/work/freshness?month=2026-12&day=2026-12-24"))
    assert "没有。" in text_of(editor.get("/work/freshness?day=2026-12-25"))
    assert "月度站点" not in text_of(
        editor.get("/work/freshness?organisation=JL-HEA&day=2026-12-25")
    )
    assert "月度站点" in text_of(bureau.get("/work/freshness?organisation=JL-TRA"))
    editor.get("/work/freshness?month=nonsense&day=2026-13-45")
