"""The public's pages of data demands: the list, one demand, filing, voting."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext
from sqlalchemy import func, select

from extensions.participation.flow import BINDING, FLOW
from extensions.participation.models.demand import (
    DataDemand,
    DemandVote,
    count_votes,
    get_demand,
    has_voted,
)
from extensions.participation.models.moderated import SHOWN
from extensions.participation.permissions import ParticipationPermission
from extensions.participation.rules import NO_GROUNDS, TITLE_MAX, DemandText
from extensions.participation.services.demands import DemandService, Similar, find_similar
from extensions.participation.services.moderation import author_name
from extensions.participation.web.forms import Problem, attempt, readable, typed
from portal.models.entry import CatalogueEntry, find_entry
from portal.models.organisation import Organisation, find_organisation
from portal.permissions import is_allowed
from portal.services.clockface import clockface
from portal.services.deadlines import list_open_deadlines
from portal.services.organisations import list_organisations
from portal.web.access import public, signed_in, writes
from portal.web.context import actor, clock, platform, session
from portal.web.paging import Paging, page_number
from portal.web.translated import translated
from portal.web.work.blueprint import ID
from portal.web.work.decisions import form_key, fresh_key

blueprint = Blueprint("participation_demands", __name__)
PAGE = 20
SORTS = ("votes", "new")


@blueprint.get("/demands")
@public
def demands() -> Any:
    state, number = request.args.get("state", ""), page_number(request.args)
    words = request.args.get("q", "").strip()[:TITLE_MAX]
    sort = request.args.get("sort", "") if request.args.get("sort") in SORTS else SORTS[0]
    shown = [DataDemand.review == SHOWN, DataDemand.state != "merged"]
    grouped = select(DataDemand.state, func.count()).where(*shown).group_by(DataDemand.state)
    counts = {row[0]: row[1] for row in session().execute(grouped)}
    if state in counts:
        shown.append(DataDemand.state == state)
    if words:
        shown.append(DataDemand.title.contains(words, autoescape=True))
    total = session().scalar(select(func.count()).select_from(DataDemand).where(*shown)) or 0
    votes = (
        select(func.count())
        .where(DemandVote.demand_id == DataDemand.id)
        .correlate(DataDemand)
        .scalar_subquery()
    )
    order = (votes.desc(), DataDemand.id.desc()) if sort == "votes" else (DataDemand.id.desc(),)
    page = select(DataDemand).where(*shown).order_by(*order).limit(PAGE)
    rows = session().scalars(page.offset((number - 1) * PAGE)).all()
    pairs = [(n, v) for n, v in (("state", state), ("q", words), ("sort", sort)) if v]
    return render_template(
        "participation/demands.html",
        rows=rows,
        votes=count_votes(session(), [row.id for row in rows]),
        counts=counts,
        states=translated(BINDING.state_labels),
        state=state,
        words=words,
        sort=sort,
        total=total,
        paging=Paging(number, PAGE, total, request.path, pairs),
    )


@blueprint.get("/demands/new")
@signed_in
def new() -> Any:
    """The form; prefilled from an empty search, or from a data set that is not open."""
    text = DemandText(title=typed("title")[:TITLE_MAX])
    return _form_page(text, _similar(text.title), None)


@blueprint.post("/demands/new")
@writes
def file() -> Any:
    text = DemandText(typed("title"), typed("purpose"), typed("wanted"), typed("theme"))
    similar = _similar(text.title)
    made: list[DataDemand] = []

    def act() -> None:
        made.append(
            DemandService(session(), clock()).file(
                actor(),
                text,
                similar=similar,
                seen=request.form.get("seen_similar", "").split(),
                agency=_agency(),
                entry=_entry(),
                form_key=form_key(),
            )
        )

    return attempt(
        act,
        lambda problem: _form_page(text, similar, problem),
        done=gettext("需求已提交。首次提交的内容审核后公开；省数字化局5个工作日内转交办理单位。"),
        target=lambda: f"/demands/{made[0].id}",
    )


def _similar(title: str) -> Similar:
    return find_similar(session(), platform().engine, actor(), title)


def _agency() -> Organisation | None:
    key = request.values.get("agency", "")
    return find_organisation(session(), key) if key else None


def _entry() -> CatalogueEntry | None:
    key = request.values.get("entry", "")
    found = find_entry(session(), key) if key else None
    return found if found is not None and found.is_public else None


def _form_page(text: DemandText, similar: Similar, problem: Problem | None) -> Any:
    return render_template(
        "participation/demand_new.html",
        text=text,
        similar=similar,
        states=translated(BINDING.state_labels),
        entry=_entry(),
        agency=request.values.get("agency", ""),
        agencies=[o for o in list_organisations(session()) if o.kind != "bureau"],
        problem=problem,
        key=fresh_key(),
    )


@blueprint.get(f"/demands/<{ID}:demand_id>")
@public
def demand(demand_id: int) -> Any:
    return _page(readable(get_demand(session(), demand_id)), None)


@blueprint.post(f"/demands/<{ID}:demand_id>/vote")
@writes
def vote(demand_id: int) -> Any:
    found = readable(get_demand(session(), demand_id))
    return attempt(
        lambda: DemandService(session(), clock()).vote(actor(), found, key=form_key()),
        lambda problem: _page(found, problem),
        done=gettext("已支持这条需求，有答复时会通知您。"),
        target=f"/demands/{found.id}",
    )


def _page(found: DataDemand, problem: Problem | None) -> Any:
    mine = actor().account_id is not None and actor().account_id == found.author_id
    return render_template(
        "participation/demand.html",
        demand=found,
        votes=count_votes(session(), [found.id]).get(found.id, 0),
        voted=has_voted(session(), found.id, actor().account_id),
        mine=mine,
        author=author_name(found.author),
        state=gettext(BINDING.state_labels[found.state]),
        ground=gettext(NO_GROUNDS[found.ground]) if found.ground else "",
        clocks=[
            clockface(session(), clock(), one.due_on, one.provisional)
            for one in list_open_deadlines(session(), FLOW, found.id)[:1]
        ],
        may_work=is_allowed(actor(), ParticipationPermission.DEMAND_WORK, found),
        problem=problem,
        key=fresh_key(),
    )
