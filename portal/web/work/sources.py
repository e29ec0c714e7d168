"""Harvest sources and their last runs, for the Bureau's administrator."""

from __future__ import annotations

from typing import Any

from flask import render_template
from flask_babel import gettext
from sqlalchemy import func, select

from portal.errors import NotFound
from portal.models.harvest import HarvestItem, HarvestRun, HarvestSource
from portal.permissions import Permission, require
from portal.services.harvest_gathering import MISSING
from portal.services.harvesting import HarvestService
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.translated import translated
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import Problem, decide

blueprint = work_blueprint("work_sources")
RUNS = 5
STATES = {
    "gathering": "正在读取",
    "writing": "正在写入",
    "waiting": "等待确认撤下",
    "done": "完成",
    "failed": "失败",
}
COUNTS = {
    "created": "新增",
    "updated": "更新",
    "unchanged": "未变",
    "faulty": "有误",
    "gone": "消失",
    "back": "恢复",
}


@blueprint.get("/work/sources")
@signed_in
def sources() -> Any:
    return _page()


def _page(problem: Problem | None = None) -> str:
    return render_template(
        "work/sources.html",
        **_found(),
        states=translated(STATES),
        counts=translated(COUNTS),
        problem=problem,
    )


@blueprint.post(f"/work/sources/<{ID}:source_id>/runs")
@writes
def start(source_id: int) -> Any:
    def act() -> None:
        source = session().get(HarvestSource, source_id)
        if source is None:
            raise NotFound("没有这个采集源。")
        HarvestService(session(), clock()).start(actor(), source)

    return decide(
        act, _page, done=gettext("已开始采集，稍后刷新查看结果。"), target="/work/sources"
    )


@blueprint.post(f"/work/sources/runs/<{ID}:run_id>/confirm")
@writes
def confirm(run_id: int) -> Any:
    """A person agrees that what the source no longer holds is retired."""

    def act() -> None:
        run = session().get(HarvestRun, run_id)
        if run is None:
            raise NotFound("没有这次采集。")
        HarvestService(session(), clock()).confirm_removals(actor(), run)

    return decide(act, _page, done=gettext("已确认，采集继续。"), target="/work/sources")


def _found() -> dict[str, Any]:
    """Return sources with their newest runs: one query for each, whatever their number."""
    require(actor(), Permission.SOURCE_MANAGE)
    place = func.row_number().over(partition_by=HarvestRun.source_id, order_by=HarvestRun.id.desc())
    ranked = select(HarvestRun.id, place.label("place")).subquery()
    runs: dict[int, list[HarvestRun]] = {}
    query = (
        select(HarvestRun)
        .join(ranked, ranked.c.id == HarvestRun.id)
        .where(ranked.c.place <= RUNS)
        .order_by(HarvestRun.id.desc())
    )
    for run in session().scalars(query):
        runs.setdefault(run.source_id, []).append(run)
    return {
        "sources": list(session().scalars(select(HarvestSource).order_by(HarvestSource.name))),
        "runs": runs,
        "gone": _gone([r.id for found in runs.values() for r in found if r.state == "waiting"]),
    }


def _gone(run_ids: list[int]) -> dict[int, list[HarvestItem]]:
    """Return the records that waiting runs would take out, the first ones of each."""
    found: dict[int, list[HarvestItem]] = {}
    query = select(HarvestItem).where(HarvestItem.run_id.in_(run_ids), HarvestItem.state == MISSING)
    for item in session().scalars(query.order_by(HarvestItem.id)) if run_ids else ():
        found.setdefault(item.run_id, []).append(item)
    return found
