"""Calls of many grants on one page, as charts, tables and CSV: for developers, agencies, the Bureau."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext

from extensions.access.permissions import AccessPermission
from extensions.access.services.use_figures import (
    Line,
    Scope,
    UseFigures,
    of_agencies,
    of_all,
    of_applicant,
    use_figures,
)
from extensions.access.web.figures import csv_answer
from portal.errors import NotFound
from portal.permissions import is_bureau, require
from portal.web.access import signed_in
from portal.web.context import actor, clock, session
from portal.web.work.blueprint import work_blueprint

own = Blueprint("access_own_use", __name__)
work = work_blueprint("access_work_use")
PERIODS = (14, 30, 90)
KINDS = ("day", "interface", "agency", "grant")


@own.get("/developer/use")
@signed_in
def own_use() -> Any:
    """All grants of the reader together."""
    return render_template("access/own_use.html", **_shown(_own_scope()), base="/developer/use")


@own.get("/developer/use.csv")
@signed_in
def own_use_csv() -> Response:
    return _csv(_own_scope())


@work.get("/work/interface-use")
@signed_in
def work_use() -> Any:
    """All interfaces of the reader's agencies; of every agency for the Bureau."""
    return render_template(
        "access/work_use.html",
        **_shown(_work_scope()),
        base="/work/interface-use",
        everything=is_bureau(actor(), None),
    )


@work.get("/work/interface-use.csv")
@signed_in
def work_use_csv() -> Response:
    return _csv(_work_scope())


def _own_scope() -> Scope:
    return of_applicant(actor().account_id or 0)


def _work_scope() -> Scope:
    require(actor(), AccessPermission.USE_READ)
    return of_all() if is_bureau(actor(), None) else of_agencies(sorted(actor().acts_for("agency")))


def _period() -> int:
    asked = request.args.get("days", "")
    return next((days for days in PERIODS if str(days) == asked), 30)


def _figures(scope: Scope) -> UseFigures:
    return use_figures(session(), clock()(), scope, days=_period())


def _shown(scope: Scope) -> dict[str, Any]:
    return {"figures": _figures(scope), "period": _period(), "periods": PERIODS}


def _csv(scope: Scope) -> Response:
    kind = request.args.get("by", "day")
    if kind not in KINDS:
        raise NotFound()
    figures = _figures(scope)
    out = io.StringIO()
    writer = csv.writer(out)
    counts = [gettext("调用次数"), gettext("返回行数"), gettext("参数有误")]
    if kind == "day":
        writer.writerow([gettext("日期"), *counts])
        writer.writerows((d.day.isoformat(), d.calls, d.rows, d.errors) for d in figures.days)
    else:
        lines: list[Line] = getattr(figures, {"agency": "agencies"}.get(kind, f"{kind}s"))
        writer.writerow([gettext("代码"), gettext("名称"), *counts])
        writer.writerows((_cell(n.code), _cell(n.name), n.calls, n.rows, n.errors) for n in lines)
    return csv_answer(out.getvalue(), f"interface-use-{kind}.csv")


def _cell(text: str) -> str:
    """Return a text that a spreadsheet takes for no formula."""
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") else text
