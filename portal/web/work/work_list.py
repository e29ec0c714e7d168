"""The work list: what waits for the reader, due first."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import render_template, request
from flask_babel import gettext

from portal.extension import WorkFigure
from portal.services.overview import agency_counts, agency_use
from portal.services.work_list import KINDS, WorkList, WorkRow
from portal.web.access import signed_in
from portal.web.context import actor, clock, platform, session
from portal.web.presentation import number
from portal.web.work.blueprint import work_blueprint

blueprint = work_blueprint("work")
SHOWN = 100


@blueprint.get("/work")
@signed_in
def work() -> Any:
    outside = [source for e in platform().extensions for source in e.work]
    rows = WorkList(session(), clock(), actor(), outside).rows()
    counts = Counter(row.kind for row in rows)
    kind = request.args.get("kind", "")
    chosen = [row for row in rows if not kind or row.kind == kind]
    groups = _groups(chosen[:SHOWN])
    return render_template(
        "work/work_list.html",
        groups=groups,
        kinds=[(k, KINDS.get(k, k), n) for k, n in _in_order(counts)],
        kind=kind,
        total=len(rows),
        left_out=max(0, len(chosen) - SHOWN),
        overdue=sum(1 for row in rows if row.clock and row.clock.late),
        today=sum(1 for row in rows if row.clock and row.clock.today),
        provisional=any(row.clock and row.clock.provisional for row in chosen[:SHOWN]),
        figures=_figures(),
    )


def _figures() -> list[WorkFigure]:
    """Return the numbers of the reader's own organisations: drafts, updates, use, and extensions'."""
    own = actor().acts_for("agency") | actor().acts_for("responsible_dept")
    found: list[WorkFigure] = []
    if own:
        counts = agency_counts(session(), own)
        newer, older = agency_use(session(), clock(), own)
        trend = "trending-up" if newer >= older else "trending-down"
        found = [
            WorkFigure(
                number(counts.drafts), gettext("草稿"), "/work/entries?state=draft", "pencil"
            ),
            WorkFigure(
                number(counts.published),
                gettext("公开的数据集"),
                "/work/entries?public=yes",
                "database",
            ),
            WorkFigure(
                number(counts.overdue),
                gettext("逾期未更新"),
                "/work/entries?public=yes&freshness=overdue",
                "triangle-alert",
            ),
            WorkFigure(
                number(newer),
                gettext("近30天下载（前30天 %(n)s）", n=number(older)),
                "/work/entries?public=yes",
                trend,
            ),
        ]
    outside = (source for e in platform().extensions for source in e.work_figures)
    return found + [figure for source in outside for figure in source(session(), actor())]


def _in_order(counts: Counter[str]) -> list[tuple[str, int]]:
    known = [(kind, counts[kind]) for kind in KINDS if counts[kind]]
    return known + sorted((k, n) for k, n in counts.items() if k not in KINDS)


def _groups(rows: list[WorkRow]) -> list[tuple[str, list[WorkRow]]]:
    """Split into overdue, due today, later, and without a clock; empty groups are left out."""
    parts: dict[str, list[WorkRow]] = {"late": [], "today": [], "later": [], "open": []}
    for row in rows:
        if row.clock is None:
            parts["open"].append(row)
        elif row.clock.late:
            parts["late"].append(row)
        else:
            parts["today" if row.clock.today else "later"].append(row)
    return [(name, found) for name, found in parts.items() if found]
