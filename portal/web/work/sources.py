"""Harvest sources, for the Bureau's administrator: named, changed, paused, removed, run."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask_babel import gettext
from sqlalchemy import func, select

from portal.errors import NotFound
from portal.models.harvest import HarvestRun, HarvestSource
from portal.permissions import Permission, require
from portal.services.harvest_notices import STATE_NAMES
from portal.services.harvest_report import RUN_STATE_NAMES
from portal.services.harvest_sources import FLOW, SourceService
from portal.services.harvesting import HarvestService
from portal.services.organisations import list_organisations
from portal.services.source_secrets import SourceSecrets
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, platform, session
from portal.web.translated import translated
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import (
    REFUSALS,
    Problem,
    decide,
    form_text,
    fresh_key,
    pin,
    refused,
)
from portal.web.work.source_form import FILES, SCHEDULES, kind_choices, read_form, shown_options

blueprint = work_blueprint("work_sources")
RUNS = 5


@blueprint.get("/work/sources")
@signed_in
def sources() -> Any:
    return _page()


def _page(problem: Problem | None = None) -> str:
    return render_template(
        "work/sources.html",
        **_found(),
        kinds=dict(kind_choices()),
        states=translated(RUN_STATE_NAMES),
        counts=translated(STATE_NAMES),
        problem=problem,
    )


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
    standing = select(HarvestSource).where(HarvestSource.removed_at.is_(None))
    return {
        "sources": list(session().scalars(standing.order_by(HarvestSource.name))),
        "runs": runs,
    }


@blueprint.get("/work/sources/new")
@signed_in
def new() -> Any:
    return _form(None)


@blueprint.get(f"/work/sources/<{ID}:source_id>")
@signed_in
def edit(source_id: int) -> Any:
    return _form(find_source(source_id))


def _form(source: HarvestSource | None, problem: Problem | None = None) -> str:
    require(actor(), Permission.SOURCE_MANAGE)
    secrets = _service().secret_names(source) if source else []
    return render_template(
        "work/source.html",
        source=source,
        given=request.form if problem else None,
        options=shown_options(source),
        secrets=secrets,
        kinds=kind_choices(),
        schedules=translated(SCHEDULES),
        files=list(translated(FILES).items()),
        organisations=[(o.code, o.name) for o in list_organisations(session())],
        problem=problem,
        key=fresh_key(),
    )


@blueprint.post("/work/sources")
@writes
def create() -> Any:
    require(actor(), Permission.SOURCE_MANAGE)
    try:
        given = read_form(None)
        made = _service().add(actor(), given.organisation, options=given.options, **given.values)
    except REFUSALS as error:
        return refused(error, lambda problem: _form(None, problem))
    flash(gettext("采集源已登记。建议先试运行，看看会写入什么。"))
    columns = made.kind == "open_list"
    return redirect(f"/work/sources/{made.id}/columns" if columns else "/work/sources", 303)


@blueprint.post(f"/work/sources/<{ID}:source_id>")
@writes
def update(source_id: int) -> Any:
    source = find_source(source_id)

    def act() -> None:
        pin(FLOW, source)
        given = read_form(source)
        _service().edit(
            actor(),
            source,
            organisation=given.organisation,
            options=given.options,
            forget=given.forget,
            **given.values,
        )

    return decide(
        act,
        lambda problem: _form(find_source(source_id), problem),
        done=gettext("采集源已修改。"),
        target="/work/sources",
    )


@blueprint.post(f"/work/sources/<{ID}:source_id>/pause")
@writes
def pause(source_id: int) -> Any:
    paused = request.form.get("paused") == "yes"

    def act() -> None:
        _service().pause(actor(), find_source(source_id), paused=paused)

    done = gettext("已暂停，不再定时采集。") if paused else gettext("已恢复定时采集。")
    return decide(act, _page, done=done, target="/work/sources")


@blueprint.post(f"/work/sources/<{ID}:source_id>/remove")
@writes
def remove(source_id: int) -> Any:
    def act() -> None:
        reason = form_text("reason", longest=500)
        _service().remove(actor(), find_source(source_id), reason=reason)

    return decide(
        act,
        lambda problem: _form(find_source(source_id), problem),
        done=gettext("采集源已移除，采集来的目录保留在平台上。"),
        target="/work/sources",
    )


@blueprint.post(f"/work/sources/<{ID}:source_id>/runs")
@writes
def start(source_id: int) -> Any:
    """Start a run, or a trial that writes nothing."""
    started: list[HarvestRun] = []
    trial = request.form.get("trial") == "yes"

    def act() -> None:
        service = HarvestService(session(), clock())
        started.append(service.start(actor(), find_source(source_id), trial=trial))
        session().flush()

    done = gettext("已开始试运行，不会写入任何内容。") if trial else gettext("已开始采集。")
    return decide(act, _page, done=done, target=lambda: f"/work/sources/runs/{started[0].id}")


def find_source(source_id: int) -> HarvestSource:
    """Return a source that was not removed. Raises NotFound."""
    require(actor(), Permission.SOURCE_MANAGE)
    source = session().get(HarvestSource, source_id)
    if source is None or source.removed_at is not None:
        raise NotFound("没有这个采集源。")
    return source


def _service() -> SourceService:
    return SourceService(session(), clock(), SourceSecrets(platform().settings.secret_key))
