"""A harvest run: its progress while it goes, its report, and what a person decides about it.

Pages of both sides: the Bureau's administrator sees every run, an agency those of its own sources,
and everybody the records that two of them claim.
"""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, request
from flask_babel import gettext
from sqlalchemy import select

from portal.clock import local_date
from portal.errors import NotFound
from portal.models.harvest import LIVE, HarvestRun, HarvestSource, get_run
from portal.permissions import Permission, is_allowed, require
from portal.services.harvest_gathering import GATHERED, MISSING
from portal.services.harvest_notices import STATE_NAMES
from portal.services.harvest_report import (
    ADVICE,
    RUN_STATE_NAMES,
    common_faults,
    list_conflicts,
    list_runs,
    report_lines,
)
from portal.services.harvest_report_csv import report_csv
from portal.services.harvest_run import CONFIRMED, count_items
from portal.services.harvesting import HarvestService
from portal.services.source_columns import FIELD_NAMES
from portal.web.access import signed_in, writes
from portal.web.attachment import attachment
from portal.web.context import actor, clock, platform, session
from portal.web.paging import Paging, page_number
from portal.web.translated import translated
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import Problem, decide

blueprint = work_blueprint("work_source_runs")
PAGE = 100
UNSETTLED = (GATHERED, CONFIRMED)


@blueprint.get(f"/work/sources/runs/<{ID}:run_id>")
@signed_in
def report(run_id: int) -> Any:
    return _page(_run(run_id))


def _page(run: HarvestRun, problem: Problem | None = None) -> str:
    is_live = run.state in LIVE
    counts = count_items(session(), run.id) if is_live else _ended_counts(run)
    chosen = _chosen()
    total = counts.get(chosen, 0) if chosen else sum(counts.values())
    number = page_number(request.args)
    path = f"/work/sources/runs/{run.id}"
    lines = report_lines(
        session(),
        run.id,
        states=frozenset({chosen}) if chosen else frozenset(),
        offset=(number - 1) * PAGE,
        limit=PAGE,
        worst_first=True,
    )
    return render_template(
        "work/source_run.html",
        run=run,
        is_live=is_live,
        may_manage=is_allowed(actor(), Permission.SOURCE_MANAGE),
        counts=counts,
        done=sum(n for state, n in counts.items() if state not in UNSETTLED),
        total=sum(counts.values()),
        chosen=chosen,
        lines=list(lines),
        faults=common_faults(session(), run.id) if counts.get("faulty") else [],
        states=translated(RUN_STATE_NAMES),
        names=translated(STATE_NAMES),
        advice=translated(ADVICE),
        fields=translated(FIELD_NAMES),
        missing=counts.get(MISSING, 0),
        problem=problem,
        paging=Paging(number, PAGE, total, path, [("state", chosen)] if chosen else []),
    )


def _chosen() -> str:
    chosen = request.args.get("state", "")
    return chosen if chosen in STATE_NAMES else ""


@blueprint.get(f"/work/sources/runs/<{ID}:run_id>/report.csv")
@signed_in
def download(run_id: int) -> Response:
    """The whole report, or the records of one outcome, to be sent to the source."""
    run, chosen = _run(run_id), _chosen()
    started = local_date(run.started_at).isoformat()
    name = "-".join(filter(None, (run.source.name, started, translated(STATE_NAMES).get(chosen))))
    response = attachment(b"", "text/csv; charset=utf-8", f"{name}.csv", f"harvest-{run.id}")
    response.response = report_csv(
        platform().database,
        run.id,
        states=frozenset({chosen}) if chosen else frozenset(),
        names=dict(translated(STATE_NAMES)),
        fields=dict(translated(FIELD_NAMES)),
    )
    return response


def _ended_counts(run: HarvestRun) -> dict[str, int]:
    return {state: n for state, n in run.counts.items() if state in STATE_NAMES and n}


@blueprint.post(f"/work/sources/runs/<{ID}:run_id>/confirm")
@writes
def confirm(run_id: int) -> Any:
    """A person agrees that what the source no longer holds is retired."""

    def act() -> None:
        HarvestService(session(), clock()).confirm_removals(actor(), _run(run_id))

    return decide(
        act,
        lambda problem: _page(_run(run_id), problem),
        done=gettext("已确认，采集继续。"),
        target=f"/work/sources/runs/{run_id}",
    )


def _run(run_id: int) -> HarvestRun:
    run = get_run(session(), run_id)
    if not is_allowed(actor(), Permission.SOURCE_READ, run.source):
        raise NotFound("没有这次采集。")  # nothing is said of what others harvest
    return run


@blueprint.get("/work/harvest")
@signed_in
def agency() -> Any:
    """What is harvested from the reader's own organisations, and what others claim too."""
    require(actor(), Permission.WORK_READ)
    own = actor().organisation_ids
    is_admin = is_allowed(actor(), Permission.SOURCE_MANAGE)
    query = select(HarvestSource).where(HarvestSource.removed_at.is_(None))
    if not is_admin:
        query = query.where(HarvestSource.organisation_id.in_(own))
    sources = list(session().scalars(query.order_by(HarvestSource.name).limit(PAGE)))
    runs = {s.id: [r for r in list_runs(session(), s.id, limit=5) if not r.trial] for s in sources}
    return render_template(
        "work/harvest.html",
        sources=sources,
        runs=runs,
        conflicts=list_conflicts(session(), None if is_admin else own),
        states=translated(RUN_STATE_NAMES),
        names=translated(STATE_NAMES),
        advice=translated(ADVICE),
        own=own,
    )
