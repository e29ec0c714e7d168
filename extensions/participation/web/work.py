"""Demands and texts at work: the Bureau assigns, merges and moderates, agencies answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import render_template, request
from flask_babel import gettext
from sqlalchemy import ColumnElement, false, func, select

from extensions.participation.flow import BINDING, FLOW, PLANNING
from extensions.participation.models.demand import DataDemand, count_votes, get_demand
from extensions.participation.permissions import ParticipationPermission
from extensions.participation.rules import NO_GROUNDS
from extensions.participation.services.demands import DemandService, similar_demands
from extensions.participation.services.moderation import (
    KINDS,
    author_name,
    kind_name,
    kind_of,
    link_of,
    review,
    title_of,
    waiting_texts,
)
from extensions.participation.services.overview import counted_conditions
from extensions.participation.web.forms import Problem
from portal.errors import NotFound
from portal.models.audit import AuditEvent
from portal.models.entry import find_entry
from portal.models.open_list import OpenListEntry
from portal.models.organisation import find_organisation
from portal.permissions import is_allowed, require
from portal.services.clockface import clockface
from portal.services.deadlines import list_open_deadlines
from portal.services.flow import Flow
from portal.services.organisations import list_organisations
from portal.services.timeline import in_words
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.paging import Paging, page_number
from portal.web.translated import translated
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import decide, form_date, form_key, form_text, fresh_key

blueprint = work_blueprint("participation_work")
PAGE = 50
HISTORY = 100
PLACES_MAX = 500
NARROWING = ("counted", "agency", "region", "theme")


@blueprint.get("/work/demands")
@signed_in
def demands() -> Any:
    state, number = request.args.get("state", ""), page_number(request.args)
    scope: list[ColumnElement[bool]] = []
    if not actor().is_kind("bureau"):
        mine = actor().acts_for("agency")
        scope.append(DataDemand.agency_id.in_(mine) if mine else false())
    narrowed = {k: v[:60] for k, v in request.args.items() if k in NARROWING and v}
    scope += counted_conditions(narrowed)
    grouped = select(DataDemand.state, func.count()).where(*scope).group_by(DataDemand.state)
    counts = {row[0]: row[1] for row in session().execute(grouped)}
    if state in counts:
        scope.append(DataDemand.state == state)
    total = session().scalar(select(func.count()).select_from(DataDemand).where(*scope)) or 0
    page = select(DataDemand).where(*scope).order_by(DataDemand.id.desc()).limit(PAGE)
    rows = session().scalars(page.offset((number - 1) * PAGE)).all()
    return render_template(
        "participation/work_demands.html",
        rows=[(row, _clocks(row)) for row in rows],
        votes=count_votes(session(), [row.id for row in rows]),
        counts=counts,
        states=translated(BINDING.state_labels),
        state=state,
        total=total,
        narrowed=narrowed,
        paging=Paging(
            number,
            PAGE,
            total,
            request.path,
            [*([("state", state)] if state else []), *narrowed.items()],
        ),
    )


def _clocks(demand: DataDemand) -> list[Any]:
    found = {
        one.due_on: clockface(session(), clock(), one.due_on, one.provisional)
        for one in list_open_deadlines(session(), FLOW, demand.id)
    }
    return [found[day] for day in sorted(found)]


@blueprint.get(f"/work/demands/<{ID}:demand_id>")
@signed_in
def demand(demand_id: int) -> Any:
    return _page(_workable(demand_id), None)


def _workable(demand_id: int) -> DataDemand:
    found = get_demand(session(), demand_id)
    require(actor(), ParticipationPermission.DEMAND_WORK, found)
    return found


def _page(found: DataDemand, problem: Problem | None) -> Any:
    history = session().scalars(
        select(AuditEvent)
        .where(
            AuditEvent.flow == FLOW,
            AuditEvent.subject_id == found.id,
            AuditEvent.event != "vote",
        )
        .order_by(AuditEvent.id.desc())
        .limit(HISTORY)
    )
    return render_template(
        "participation/work_demand.html",
        demand=found,
        author=author_name(found.author),
        votes=count_votes(session(), [found.id]).get(found.id, 0),
        state=gettext(BINDING.state_labels[found.state]),
        clocks=_clocks(found),
        events={
            row.event for row in Flow(FLOW, session(), clock()).possible_events(found, actor())
        },
        agencies=[o for o in list_organisations(session()) if o.kind != "bureau"],
        places=_places(found),
        similar=[d for d in similar_demands(session(), found.title) if d.id != found.id],
        grounds=list(translated(NO_GROUNDS).items()),
        history=[in_words(event) for event in history],
        given=request.form,
        came=request.path.rsplit("/", 1)[-1] if request.method == "POST" else "",
        problem=problem,
        key=fresh_key(),
    )


def _places(found: DataDemand) -> list[OpenListEntry]:
    """Return the assigned agency's places on its open list that are to be opened."""
    if found.agency_id is None:
        return []
    query = select(OpenListEntry).where(OpenListEntry.state.in_(PLANNING)).limit(PLACES_MAX)
    return [p for p in session().scalars(query) if p.entry.provider_id == found.agency_id]


def _decide(demand_id: int, act: Callable[[DemandService, DataDemand], object], done: str) -> Any:
    found = _workable(demand_id)
    return decide(
        lambda: act(DemandService(session(), clock()), found),
        lambda problem: _page(found, problem),
        done=done,
        target=f"/work/demands/{found.id}"
        if is_allowed(actor(), ParticipationPermission.DEMAND_WORK, found)
        else "/work/demands",
    )


@blueprint.post(f"/work/demands/<{ID}:demand_id>/assign")
@writes
def assign(demand_id: int) -> Any:
    agency = find_organisation(session(), request.form.get("agency", ""))
    return _decide(
        demand_id,
        lambda s, d: s.assign(actor(), d, agency, reason=form_text("reason"), key=form_key()),
        gettext("已转交办理单位，并告知需求人。"),
    )


@blueprint.post(f"/work/demands/<{ID}:demand_id>/merge")
@writes
def merge(demand_id: int) -> Any:
    digits = request.form.get("target", "").strip().upper().removeprefix("XQ").lstrip("0")
    is_number = digits.isascii() and digits.isdigit() and len(digits) < 10
    target = session().get(DataDemand, int(digits)) if is_number else None
    return _decide(
        demand_id,
        lambda s, d: s.merge(actor(), d, target, key=form_key()),
        gettext("已并入，支持票已转移，并告知需求人。"),
    )


@blueprint.post(f"/work/demands/<{ID}:demand_id>/plan")
@writes
def plan(demand_id: int) -> Any:
    def act(service: DemandService, found: DataDemand) -> None:
        chosen = request.form.get("place", "")
        place = next((p for p in _places(found) if str(p.id) == chosen), None)
        day = form_date("planned_on", gettext("计划开放日期"))
        text = form_text("reason")
        service.answer_planned(actor(), found, place, day, reason=text, key=form_key())

    return _decide(demand_id, act, gettext("已答复，并告知需求人和支持者。"))


@blueprint.post(f"/work/demands/<{ID}:demand_id>/exists")
@writes
def exists(demand_id: int) -> Any:
    def act(service: DemandService, found: DataDemand) -> None:
        key = request.form.get("entry", "").strip().rstrip("/").rsplit("/", 1)[-1]
        entry = find_entry(session(), key) if key else None
        service.answer_exists(actor(), found, entry, reason=form_text("reason"), key=form_key())

    return _decide(demand_id, act, gettext("已答复，并告知需求人和支持者。"))


@blueprint.post(f"/work/demands/<{ID}:demand_id>/decline")
@writes
def decline(demand_id: int) -> Any:
    def act(service: DemandService, found: DataDemand) -> None:
        ground, reason = request.form.get("ground", ""), form_text("reason")
        service.answer_no(actor(), found, ground, reason=reason, key=form_key())

    return _decide(demand_id, act, gettext("已答复，并告知需求人和支持者。"))


@blueprint.get("/work/participation")
@signed_in
def queue() -> Any:
    require(actor(), ParticipationPermission.TEXT_REVIEW)
    return _queue_page(None)


def _queue_page(problem: Problem | None) -> Any:
    texts = waiting_texts(session())
    return render_template(
        "participation/queue.html",
        rows=[
            {
                "text": text,
                "kind": kind_of(text),
                "kind_name": gettext(kind_name(text)),
                "title": title_of(text),
                "link": link_of(text),
                "author": text.author.applicant_name or text.author.display_name,
            }
            for text in texts
        ],
        problem=problem,
    )


@blueprint.post(f"/work/participation/<kind>/<{ID}:text_id>")
@writes
def decide_text(kind: str, text_id: int) -> Any:
    require(actor(), ParticipationPermission.TEXT_REVIEW)
    model = KINDS.get(kind)
    text: Any = session().get(model, text_id) if model is not None else None
    if text is None:
        raise NotFound()
    return decide(
        lambda: review(
            session(),
            clock(),
            actor(),
            text,
            request.form.get("decision", ""),
            reason=form_text("reason"),
            seen=request.form.get("seen", ""),
        ),
        _queue_page,
        done=gettext("审核结果已告知作者。"),
        target="/work/participation",
    )
