"""What people search for, for the Bureau: first what finds nothing, since that is what is missing."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

from flask import Response, render_template, request
from flask_babel import gettext

from portal.clock import local_date
from portal.errors import Invalid
from portal.permissions import Permission, require
from portal.services.search_counts import OUTCOMES, SearchedWords, list_searches
from portal.web.access import signed_in
from portal.web.attachment import attachment
from portal.web.context import actor, clock, session
from portal.web.paging import Paging, page_number
from portal.web.work.blueprint import work_blueprint

blueprint = work_blueprint("work_searches")
PAGE = 100
CSV_ROWS = 50_000
SPANS = (7, 30, 180, 365)
USUAL_SPAN = 30


@blueprint.get("/work/searches")
@signed_in
def searches() -> Any:
    require(actor(), Permission.SEARCHES_READ)
    outcome, days = _asked()
    number = page_number(request.args)
    found, total = list_searches(
        session(), outcome, _since(days), limit=PAGE, offset=(number - 1) * PAGE
    )
    pairs = [("outcome", outcome), ("days", str(days))]
    return render_template(
        "work/searches.html",
        found=found,
        outcome=outcome,
        outcomes=_outcomes(),
        days=days,
        spans=[(str(span), gettext("最近%(n)s天", n=span)) for span in SPANS],
        paging=Paging(number, PAGE, total, "/work/searches", pairs),
    )


@blueprint.get("/work/searches.csv")
@signed_in
def searches_csv() -> Response:
    require(actor(), Permission.SEARCHES_READ)
    outcome, days = _asked()
    found, _ = list_searches(session(), outcome, _since(days), limit=CSV_ROWS)
    name = f"{dict(_outcomes())[outcome]}-{local_date(clock()()).isoformat()}.csv"
    return attachment(_csv(found), "text/csv; charset=utf-8", name, f"searches-{outcome}")


def _outcomes() -> list[tuple[str, str]]:
    names = {
        "none": gettext("没有结果的检索"),
        "part": gettext("只找到部分词的检索"),
        "found": gettext("有结果的检索"),
    }
    return list(names.items())


def _asked() -> tuple[str, int]:
    """Raises: Invalid for an outcome or a span that the page does not offer."""
    outcome = request.args.get("outcome", "none")
    if outcome not in OUTCOMES:
        raise Invalid.one("outcome", "unknown", "没有这一类检索：“{value}”。", value=outcome[:20])
    text = request.args.get("days", str(USUAL_SPAN))
    if text not in map(str, SPANS):
        raise Invalid.one("days", "unknown", "不能按“{value}”天统计。", value=text[:20])
    return outcome, int(text)


def _since(days: int) -> date:
    return local_date(clock()()) - timedelta(days=days - 1)


def _csv(found: list[SearchedWords]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["检索词", "次数", "访客", "天数", "最近一天"])
    for one in found:
        words = f"'{one.words}" if one.words[:1] in "=+-@" else one.words
        writer.writerow([words, one.count, one.visitors, one.days, one.last_on.isoformat()])
    return b"\xef\xbb\xbf" + text.getvalue().encode()
