"""The Bureau's overview: numbers by agency, city and theme, each a link to its rows."""

from __future__ import annotations

import csv
import io
from typing import Any
from urllib.parse import urlencode

from flask import Response, render_template, request
from flask_babel import gettext

from portal.codes import code_list
from portal.errors import NotFound
from portal.permissions import Permission, require
from portal.services.deadline_list import MET, MISSED, OPEN, DeadlineFilter, list_deadlines
from portal.services.overview import (
    DEADLINE_DAYS,
    DIMENSIONS,
    Numbers,
    Overview,
    OverviewColumn,
    overview,
)
from portal.web.access import signed_in
from portal.web.attachment import attachment
from portal.web.context import actor, clock, platform, session
from portal.web.figures import names_of_organisations
from portal.web.paging import Paging, page_number
from portal.web.presentation import language_code
from portal.web.work.blueprint import work_blueprint

blueprint = work_blueprint("overview")
FILTERS = {"organisation": "organisation", "city": "region", "theme": "theme"}
COLUMNS = {  # of Numbers: the filter of /work/entries that finds the same rows
    "published": {"listed": "", "public": "yes"},
    "open": {"public": "yes", "listed": "open"},
    "planned": {"public": "yes", "listed": "planned"},
    "conditional": {"public": "yes", "published_type": "conditional"},
    "shared": {"public": "yes", "shared": "yes"},
    "watched": {"public": "yes", "freshness": "watched"},
    "overdue": {"public": "yes", "freshness": "overdue"},
    "valued": {"public": "yes", "valued": "yes"},
    "downloads": {"public": "yes"},
}
DEADLINES = "/work/duties/deadlines"
PAGE = 100


@blueprint.get("/work/overview")
@signed_in
def show() -> Any:
    by, found = _asked()
    return render_template(
        "work/overview.html",
        by=by,
        rows=[(row, _name(by, row.code)) for row in found.rows],
        total=found.total,
        months=found.months,
        address=lambda row, column: _address(by, row, column),
        deadlines=lambda row, outcome: _deadlines(by, row.code, outcome),
        columns=_columns(),
        leader=_name(by, found.rows[0].code) if found.rows else "",
    )


def _columns() -> tuple[OverviewColumn, ...]:
    return tuple(column for e in platform().extensions for column in e.overview)


@blueprint.get(DEADLINES)
@signed_in
def deadlines() -> Any:
    """The rows behind the numbers of deadlines."""
    require(actor(), Permission.OVERVIEW_READ)
    number = page_number(request.args)
    chosen = DeadlineFilter(
        **{name: request.args.get(name, "")[:60] for name in ("outcome", "organisation", "region")}
    )
    rows, total = list_deadlines(
        session(), clock()(), chosen, limit=PAGE, offset=(number - 1) * PAGE
    )
    pairs = [(k, v) for k, v in request.args.items() if v and k != "page"]
    return render_template(
        "work/duties/deadlines.html",
        rows=rows,
        total=total,
        chosen=chosen,
        outcomes={MET: gettext("按时"), MISSED: gettext("逾期"), OPEN: gettext("未办结")},
        days=DEADLINE_DAYS,
        names={code: _name("organisation", code) for code in [chosen.organisation] if code},
        paging=Paging(number, PAGE, total, DEADLINES, pairs),
    )


@blueprint.get("/work/overview.csv")
@signed_in
def as_csv() -> Response:
    by, found = _asked()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([
        gettext("代码"), gettext("名称"), gettext("公开的数据集"), gettext("已开放"), gettext("计划开放"),
        gettext("有条件开放"), gettext("可共享"), gettext("按期监测"), gettext("逾期未更新"),
        gettext("高价值"), gettext("近30天下载"), gettext("按时办结"), gettext("逾期办结或未办"),
        *(gettext(column.label) for column in _columns()),
    ])  # fmt: skip
    for row in found.rows:
        writer.writerow([
            row.code, _name(by, row.code), row.published, row.open, row.planned, row.conditional,
            row.shared, row.watched, row.overdue, row.valued, row.downloads, row.met, row.missed,
            *(row.more.get(column.name, 0) for column in _columns()),
        ])  # fmt: skip
    body = b"\xef\xbb\xbf" + text.getvalue().encode()
    name = gettext("总览")
    return attachment(body, "text/csv; charset=utf-8", f"{name}-{by}.csv", f"overview-{by}")


def _asked() -> tuple[str, Overview]:
    require(actor(), Permission.OVERVIEW_READ)
    by = request.args.get("by", "organisation")
    if by not in DIMENSIONS:
        raise NotFound()
    return by, overview(session(), clock(), by, _columns())


def _name(by: str, code: str) -> str:
    if by == "organisation":
        name, english = names_of_organisations().get(code, (code, ""))
        return english if language_code() == "en" and english else name
    return code_list("regions" if by == "city" else "themes").label(code, language_code())


def _address(by: str, row: Numbers, column: str) -> str:
    """Return the list of the entries behind a number; of the sum, without the row's own filter."""
    own = {FILTERS[by]: row.code} if row.code else {}
    pairs = {key: value for key, value in {**COLUMNS[column], **own}.items() if value}
    return "/work/entries?" + urlencode(pairs)


def _deadlines(by: str, code: str, outcome: str) -> str:
    """Return the list of the deadlines behind a number."""
    own = {FILTERS[by]: code} if code and by != "theme" else {}
    return f"{DEADLINES}?" + urlencode({"outcome": outcome, **own})
