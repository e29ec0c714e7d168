"""Harvest sources and their last runs, for the Bureau's administrator."""

from __future__ import annotations

from typing import Any

from flask import render_template
from sqlalchemy import func, select

from portal.models.harvest import HarvestItem, HarvestRun, HarvestSource
from portal.permissions import Permission, require
from portal.web.access import signed_in
from portal.web.context import actor, session
from portal.web.work.blueprint import work_blueprint

blueprint = work_blueprint("work_sources")
RUNS, ITEMS = 5, 50
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
    return render_template("work/sources.html", **_found(), states=STATES, counts=COUNTS)


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
    query = select(HarvestItem).where(HarvestItem.run_id.in_(run_ids), HarvestItem.state == "gone")
    for item in session().scalars(query.order_by(HarvestItem.id)) if run_ids else ():
        found.setdefault(item.run_id, []).append(item)
    return found
