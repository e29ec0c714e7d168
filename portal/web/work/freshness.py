"""The update calendar of an agency: what is due on which day, with the days of grace (F2)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import render_template, request
from sqlalchemy import select

from portal.clock import local_date
from portal.models.organisation import Organisation
from portal.permissions import Permission, is_allowed
from portal.services.freshness_calendar import (
    list_updates,
    month_sheet,
    watched_organisations,
)
from portal.web.access import signed_in
from portal.web.context import actor, clock, session
from portal.web.work.blueprint import work_blueprint

blueprint = work_blueprint("work_freshness")
LISTED = 300


@blueprint.get("/work/freshness")
@signed_in
def freshness() -> Any:
    today = local_date(clock()())
    month = _month(today)
    choices = _organisations()
    code = request.args.get("organisation", "")
    chosen = next((one for one in choices if one.code == code), choices[0] if choices else None)
    updates = list_updates(session(), {chosen.id}) if chosen else []
    day = _day(request.args.get("day", ""))
    shown = [u for u in updates if day in (u.due_on, u.last_on)] if day else updates
    return render_template(
        "work/freshness.html",
        organisations=[(o.code, o.name) for o in choices],
        chosen=chosen,
        month=month,
        before=(month - timedelta(days=1)).replace(day=1),
        after=(month + timedelta(days=32)).replace(day=1),
        weeks=month_sheet(session(), updates, month),
        updates=shown[:LISTED],
        total=len(shown),
        counts={s: sum(u.state == s for u in updates) for s in ("current", "due", "overdue")},
        day=day,
        today=today,
    )


def _organisations() -> list[Organisation]:
    """Return whose calendars the reader may open: the own ones; the Bureau and auditors, all."""
    if is_allowed(actor(), Permission.SUPERVISION_READ):
        return watched_organisations(session())
    query = select(Organisation).where(Organisation.id.in_(actor().organisation_ids))
    return list(session().scalars(query.order_by(Organisation.id)))


def _month(today: date) -> date:
    found = _day(request.args.get("month", "") + "-01")
    return (found or today).replace(day=1)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2099 else None
