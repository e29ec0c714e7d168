"""The working-day calendar: its years, what loading a notice would move, and loading it."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext

from portal.clock import local_date
from portal.errors import Invalid
from portal.permissions import Permission, is_allowed, require
from portal.rules.holiday_notice import HolidayNotice, read_days
from portal.services.calendar_notices import (
    CalendarPlan,
    CalendarService,
    in_words,
    list_notices,
    list_years,
    missing_year,
)
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.work.blueprint import work_blueprint
from portal.web.work.decisions import REFUSALS, Problem, decide, form_text, refused

blueprint = work_blueprint("work_calendar")
ADDRESS = "/work/duties/calendar"
FILE_BYTES = 64 * 1024
SHOWN = 200
YEARS = range(2004, 2100)


@blueprint.get(ADDRESS)
@signed_in
def calendar() -> Any:
    return _page()


def _page(problem: Problem | None = None, **values: Any) -> str:
    today = local_date(clock()())
    return render_template(
        "work/duties/calendar.html",
        **{
            "years": list_years(session(), today.year),
            "notices": list_notices(session()),
            "missing": missing_year(session(), today),
            "may_load": is_allowed(actor(), Permission.CALENDAR_MANAGE),
            "given": request.form,
            "year": request.form.get("year") or str(today.year + 1),
            "problem": problem,
            "plan": None,
            **values,
        },
    )


@blueprint.post(f"{ADDRESS}/check")
@writes
def check() -> Any:
    """Say what a notice would change; nothing is written."""
    require(actor(), Permission.CALENDAR_MANAGE)
    text = _text()
    try:
        notice = _notice(text)
        plan = CalendarService(session(), clock()).plan(notice)
    except REFUSALS as error:
        return refused(error, lambda problem: _page(problem, text=text))
    page = _page(text=text, notice=notice, plan=plan, lines=_lines(plan))
    session().rollback()
    return page


def _lines(plan: CalendarPlan) -> list[Any]:
    return in_words(session(), plan.moves, limit=SHOWN)


@blueprint.post(f"{ADDRESS}/load")
@writes
def load() -> Any:
    def act() -> None:
        service = CalendarService(session(), clock())
        service.load(actor(), _notice(_text()), shown=form_text("shown", longest=64))

    return decide(
        act,
        lambda problem: _page(problem, text=_text()),
        done=gettext("节假日安排已载入，期限已重算，有关单位已收到通知。"),
        target=ADDRESS,
    )


def _text() -> str:
    """Return the table: of the uploaded file, else what was typed."""
    file = request.files.get("file")
    if file is not None and file.filename:
        return file.stream.read(FILE_BYTES).decode("utf-8-sig", errors="replace")
    return request.form.get("days", "")[:FILE_BYTES].replace("\x00", "")


def _notice(text: str) -> HolidayNotice:
    whole_year = request.form.get("scope", "year") == "year"
    given = request.form.get("year", "").strip()
    if not (given.isascii() and given.isdigit() and int(given[:4]) in YEARS and len(given) == 4):
        raise Invalid.one("year", "range", "请填写四位数的年份，如 2027。")
    year = int(given)
    return HolidayNotice(
        year=year,
        days=read_days(text, year, whole_year=whole_year),
        source=form_text("source", longest=200, label=gettext("依据")),
        reason=form_text("reason", longest=1000, label=gettext("说明")),
        whole_year=whole_year,
    )
