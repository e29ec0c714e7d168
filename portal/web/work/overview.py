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
from portal.services.overview import DIMENSIONS, Numbers, Overview, overview
from portal.web.access import signed_in
from portal.web.attachment import attachment
from portal.web.context import actor, clock, session
from portal.web.figures import names_of_organisations
from portal.web.presentation import language_code
from portal.web.work.blueprint import work_blueprint

blueprint = work_blueprint("overview")
FILTERS = {"organisation": "organisation", "city": "region", "theme": "theme"}
COLUMNS = {  # of Numbers: the filter of /work/entries that finds the same rows
    "published": {"listed": "", "public": "yes"},
    "open": {"public": "yes", "listed": "open"},
    "planned": {"public": "yes", "listed": "planned"},
    "conditional": {"public": "yes", "published_type": "conditional"},
    "overdue": {"public": "yes", "freshness": "overdue"},
    "valued": {"public": "yes", "valued": "yes"},
}


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
        leader=_name(by, found.rows[0].code) if found.rows else "",
    )


@blueprint.get("/work/overview.csv")
@signed_in
def as_csv() -> Response:
    by, found = _asked()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([
        gettext("代码"), gettext("名称"), gettext("公开的数据集"), gettext("已开放"), gettext("计划开放"),
        gettext("有条件开放"), gettext("逾期未更新"), gettext("高价值"), gettext("近30天下载"),
        gettext("按时办结"), gettext("逾期办结或未办"),
    ])  # fmt: skip
    for row in found.rows:
        writer.writerow([
            row.code, _name(by, row.code), row.published, row.open, row.planned, row.conditional,
            row.overdue, row.valued, row.downloads, row.met, row.missed,
        ])  # fmt: skip
    body = b"\xef\xbb\xbf" + text.getvalue().encode()
    name = gettext("总览")
    return attachment(body, "text/csv; charset=utf-8", f"{name}-{by}.csv", f"overview-{by}")


def _asked() -> tuple[str, Overview]:
    require(actor(), Permission.OVERVIEW_READ)
    by = request.args.get("by", "organisation")
    if by not in DIMENSIONS:
        raise NotFound()
    return by, overview(session(), clock(), by)


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
