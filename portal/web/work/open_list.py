"""The agency's open list: propose, review for confidentiality, plan, open, suspend, remove."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext
from sqlalchemy import and_, func, select
from sqlalchemy.orm import joinedload

from portal.clock import local_date
from portal.codes import code_list
from portal.errors import GuardRefused, Invalid
from portal.models.distribution import FILE, INTERFACE, LINK, list_distributions
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.open_list import ENDED, OpenListEntry, find_open_list_entry, list_higher_planned
from portal.rules.security_review import CHECKS, PASSED, review_defects
from portal.services.content import content_of
from portal.services.flow import Attempt, Flow
from portal.services.open_list import OpenListService
from portal.services.open_list_flow import BINDING, FLOW, ready_to_open
from portal.services.timeline import timeline
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.errors import defects_of
from portal.web.paging import Paging, page_number
from portal.web.translated import translated
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import (
    Problem,
    decide,
    form_date,
    form_key,
    form_seen,
    form_text,
    fresh_key,
    pin,
)
from portal.web.work.difference import words
from portal.web.work.entry_editor import not_own_methods
from portal.web.work.entry_fields import FIELDS, item_choices
from portal.web.work.versions import clocks_of
from portal.web.work.visibility import entry_for_work, place_for_work

blueprint = work_blueprint("work_open_list")
PAGE = 50
SHOWN_FIELDS = (
    "abstract", "theme", "open_type", "security_level", "acquisition_method",
    "licence", "open_condition", "update_frequency", "contact_name",
)  # fmt: skip


@blueprint.get("/work/open-list")
@signed_in
def open_list() -> Any:
    state = request.args.get("state", "")
    number = page_number(request.args)
    mine = CatalogueEntry.provider_id.in_(actor().organisation_ids)
    scope = [] if actor().is_kind("bureau") or actor().is_kind("third_party_assessor") else [mine]
    chosen = [*scope, OpenListEntry.state == state] if state else scope
    query = (
        select(OpenListEntry)
        .join(OpenListEntry.entry)
        .options(joinedload(OpenListEntry.entry), joinedload(OpenListEntry.version))
        .where(*chosen)
    )
    total = session().scalar(select(func.count()).select_from(query.subquery())) or 0
    ordered = query.order_by(CatalogueEntry.value_score.desc(), OpenListEntry.id.desc())
    counts = session().execute(
        select(OpenListEntry.state, func.count())
        .join(CatalogueEntry, CatalogueEntry.id == OpenListEntry.entry_id)
        .where(*scope)
        .group_by(OpenListEntry.state)
    )
    pairs = [("state", state)] if state else []
    return render_template(
        "work/open_list.html",
        places=list(session().scalars(ordered.limit(PAGE).offset((number - 1) * PAGE))),
        counts={row[0]: row[1] for row in counts},
        states=translated(BINDING.state_labels),
        state=state,
        paging=Paging(number, PAGE, total, "/work/open-list", pairs),
        candidates=candidates(),
    )


def candidates() -> list[Any]:
    """Return published entries of the own organisation that could be proposed, high value first."""
    query = (
        select(CatalogueEntry.slug, CatalogueEntry.value_score, EntryVersion.title)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .outerjoin(
            OpenListEntry,
            and_(OpenListEntry.entry_id == CatalogueEntry.id, OpenListEntry.state.not_in(ENDED)),
        )
        .where(
            CatalogueEntry.provider_id.in_(actor().acts_for("agency")),
            CatalogueEntry.retired_at.is_(None),
            OpenListEntry.id.is_(None),
            EntryVersion.open_type.in_(("unconditional", "conditional")),
            EntryVersion.acquisition_method.not_in(not_own_methods()),
        )
        .order_by(CatalogueEntry.value_score.desc(), CatalogueEntry.id)
        .limit(PAGE)
    )
    return list(session().execute(query))


@blueprint.get("/work/entries/<slug>/propose")
@signed_in
def proposal(slug: str) -> Any:
    return _propose_page(slug)


def _propose_page(slug: str, problem: Problem | None = None) -> str:
    entry = entry_for_work(slug)
    version = entry.published_version
    return render_template(
        "work/propose.html",
        entry=entry,
        version=version,
        place=find_open_list_entry(session(), entry.id),
        places=translated(BINDING.state_labels),
        not_own=version is not None and version.acquisition_method in not_own_methods(),
        may_propose=entry.provider_id in actor().acts_for("agency"),
        today=local_date(clock()()),
        problem=problem,
        given=request.form,
        key=fresh_key(),
    )


@blueprint.post("/work/entries/<slug>/propose")
@writes
def propose(slug: str) -> Any:
    found: list[OpenListEntry] = []

    def act() -> None:
        entry = entry_for_work(slug)
        standing = find_open_list_entry(session(), entry.id)
        if standing is not None and standing.proposed_by == actor().account_id:
            found.append(standing)  # a double click: the first one proposed it
            return
        planned_on = form_date("planned_open_date", gettext("计划开放日期"))
        _not_past(planned_on)
        service = OpenListService(session(), clock())
        found.append(service.propose(actor(), entry, planned_open_date=planned_on))
        session().flush()

    return decide(
        act,
        lambda problem: _propose_page(slug, problem),
        done=gettext("已提出开放，等待安全管理责任人做保密审查。"),
        target=lambda: f"/work/open-list/{found[0].id}",
    )


def _not_past(day: Any) -> None:
    if day is not None and day < local_date(clock()()):
        raise Invalid.one("planned_open_date", "past", "计划开放日期不能早于今天。")


@blueprint.get(f"/work/open-list/<{ID}:place_id>")
@signed_in
def place(place_id: int) -> Any:
    return _page(place_id)


def _page(place_id: int, problem: Problem | None = None) -> str:
    shown = place_for_work(place_id)
    content = content_of(shown.version)
    distributions = list_distributions(session(), shown.entry_id)
    return render_template(
        "work/place.html",
        place=shown,
        entry=shown.entry,
        content=content,
        maskings=item_choices("masking"),
        facts=[
            (gettext(FIELDS[n].label), gettext("、").join(words(FIELDS[n], getattr(content, n))))
            for n in SHOWN_FIELDS
        ],
        states=translated(BINDING.state_labels),
        events=_events(shown),
        clocks=clocks_of(FLOW, shown.id),
        checks=translated(CHECKS),
        passed=PASSED,
        missing=missing(shown) if shown.state == "planned" else [],
        distributions=distributions,
        kinds={d.kind for d in distributions},
        needed=(FILE, LINK) if shown.open_type == "unconditional" else (INTERFACE,),
        licence=code_list("licences").find(content.licence),
        higher=list_higher_planned(session(), shown) if shown.state == "planned" else [],
        timeline=timeline(session(), shown.entry_id, version_id=shown.version_id),
        may_announce=shown.entry.provider_id in actor().acts_for("agency"),
        outdated=shown.entry.published_version_id != shown.version_id,
        own_proposal=actor().account_id == shown.proposed_by,
        own_edit=actor().account_id in shown.version.editors,
        today=local_date(clock()()),
        problem=problem,
        given=request.form,
        key=fresh_key(),
    )


def _events(shown: OpenListEntry) -> frozenset[str]:
    flow = Flow(FLOW, session(), clock())
    return frozenset(row.event for row in flow.possible_events(shown, actor()))


def missing(shown: OpenListEntry) -> list[dict[str, str]]:
    """Return what the place still lacks to be opened, by the guard of the event itself."""
    attempt = Attempt(session(), shown, actor(), "publish", "", clock()())
    try:
        ready_to_open(attempt)
    except GuardRefused as refusal:
        return defects_of(refusal)
    return []


def _service() -> OpenListService:
    return OpenListService(session(), clock())


def _decide(place_id: int, act: Any, done: str) -> Any:
    return decide(
        act,
        lambda problem: _page(place_id, problem),
        done=done,
        target=f"/work/open-list/{place_id}",
    )


@blueprint.post(f"/work/open-list/<{ID}:place_id>/review")
@writes
def review(place_id: int) -> Any:
    """保密审查: passed with the whole checklist, or failed with a reason."""
    if request.form.get("verdict") == "fail":
        return _decide(place_id, lambda: _fail(place_id), gettext("审查不通过，已告知提出单位。"))
    return _decide(place_id, lambda: _pass(place_id), gettext("保密审查通过，已列入计划开放。"))


def _pass(place_id: int) -> None:
    answers = {name: form_text(name, longest=20) for name in CHECKS}
    answers["opinion"] = form_text("opinion", longest=100_000)
    found = review_defects(answers)
    if found:
        raise Invalid(found)
    planned_on = form_date("planned_open_date", gettext("计划开放日期"))
    _not_past(planned_on)
    _service().pass_review(
        actor(),
        place_for_work(place_id),
        answers,
        planned_open_date=planned_on,
        seen=form_seen(),
        key=form_key(),
    )


def _fail(place_id: int) -> None:
    _service().fail_review(
        actor(),
        place_for_work(place_id),
        reason=form_text("opinion", label=gettext("审查意见")),
        seen=form_seen(),
        key=form_key(),
    )


@blueprint.post(f"/work/open-list/<{ID}:place_id>/publish")
@writes
def publish(place_id: int) -> Any:
    def act() -> None:
        _service().publish(
            actor(),
            place_for_work(place_id),
            reason=form_text("reason"),
            seen=form_seen(),
            key=form_key(),
        )

    return _decide(place_id, act, gettext("数据已向社会开放。"))


@blueprint.post(f"/work/open-list/<{ID}:place_id>/suspend")
@writes
def suspend(place_id: int) -> Any:
    def act() -> None:
        _service().suspend(actor(), _pinned(place_id), reason=form_text("reason"), key=form_key())

    return _decide(place_id, act, gettext("已暂停开放，下载和接口随即停止。"))


@blueprint.post(f"/work/open-list/<{ID}:place_id>/resume")
@writes
def resume(place_id: int) -> Any:
    def act() -> None:
        _service().resume(actor(), _pinned(place_id), reason=form_text("reason"), key=form_key())

    return _decide(place_id, act, gettext("已恢复开放。"))


@blueprint.post(f"/work/open-list/<{ID}:place_id>/announce-removal")
@writes
def announce_removal(place_id: int) -> Any:
    def act() -> None:
        shown = place_for_work(place_id)
        if shown.removal_notice_on is not None:
            return  # announced already; the ten working days run from the first notice
        reason = form_text("reason")
        if not reason:
            raise Invalid.one("reason", "missing", "请写明移出的理由，理由会向社会公告。")
        _service().announce_removal(actor(), shown, reason=reason)

    return _decide(place_id, act, gettext("已发布移出公告，满10个工作日后可以移出。"))


@blueprint.post(f"/work/open-list/<{ID}:place_id>/remove")
@writes
def remove(place_id: int) -> Any:
    def act() -> None:
        _service().remove(
            actor(),
            _pinned(place_id),
            reason=form_text("reason"),
            law_forbids=request.form.get("law_forbids") == "yes",
            key=form_key(),
        )

    return _decide(place_id, act, gettext("已移出开放清单。"))


def _pinned(place_id: int) -> OpenListEntry:
    shown = place_for_work(place_id)
    pin(FLOW, shown)
    return shown
