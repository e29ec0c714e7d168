"""Quality issues at work: the list, one issue, and each event of its flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import render_template, request
from flask_babel import gettext
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from extensions.quality.flow import BINDING, DUTIES, FLOW
from extensions.quality.models.issue import QualityIssue, get_issue
from extensions.quality.models.report import QualityReport
from extensions.quality.permissions import QualityPermission
from extensions.quality.rules import CHECKS, MANUAL, check_name
from extensions.quality.services.issues import IssueService
from extensions.quality.web.overview import sees_all
from portal.models.audit import AuditEvent
from portal.models.distribution import DataVersion, Distribution
from portal.models.entry import CatalogueEntry
from portal.permissions import require
from portal.services.clockface import clockface
from portal.services.deadlines import list_open_deadlines
from portal.services.flow import Flow
from portal.services.timeline import in_words
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.paging import Paging, page_number
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import (
    Problem,
    decide,
    form_date,
    form_key,
    form_text,
    fresh_key,
    pin,
)

blueprint = work_blueprint("quality_issues")
PAGE = 50
VERSIONS_OFFERED = 20
HISTORY = 100


@blueprint.get("/work/quality/issues")
@signed_in
def issues() -> Any:
    state, number = request.args.get("state", ""), page_number(request.args)
    scope = []
    if not sees_all():
        mine = actor().organisation_ids
        scope.append(
            CatalogueEntry.provider_id.in_(mine) | CatalogueEntry.responsible_dept_id.in_(mine)
        )
    base = select(QualityIssue).join(CatalogueEntry, CatalogueEntry.id == QualityIssue.entry_id)
    chosen = [*scope, QualityIssue.state == state] if state in BINDING.state_labels else scope
    query = base.where(*chosen).options(joinedload(QualityIssue.owner))
    total = session().scalar(select(func.count()).select_from(base.where(*chosen).subquery())) or 0
    counts = session().execute(
        select(QualityIssue.state, func.count())
        .join(CatalogueEntry, CatalogueEntry.id == QualityIssue.entry_id)
        .where(*scope)
        .group_by(QualityIssue.state)
    )
    page = query.order_by(QualityIssue.id.desc()).limit(PAGE).offset((number - 1) * PAGE)
    return render_template(
        "quality/issues.html",
        rows=[(issue, clocks_of(issue)) for issue in session().scalars(page)],
        counts={row[0]: row[1] for row in counts},
        states=BINDING.state_labels,
        state=state,
        check_name=check_name,
        total=total,
        paging=Paging(number, PAGE, total, request.path, [("state", state)] if state else []),
    )


def clocks_of(issue: QualityIssue) -> list[Any]:
    found = {
        deadline.due_on: clockface(session(), clock(), deadline.due_on, deadline.provisional)
        for deadline in list_open_deadlines(session(), FLOW, issue.id)
    }
    return [found[day] for day in sorted(found)]


@blueprint.get(f"/work/quality/issues/<{ID}:issue_id>")
@signed_in
def issue(issue_id: int) -> Any:
    return _page(_readable(issue_id), None)


def _readable(issue_id: int) -> QualityIssue:
    found = get_issue(session(), issue_id)
    if not (set(BINDING.organisations(found)["city_authority"]) & actor().organisation_ids):
        require(actor(), QualityPermission.QUALITY_READ, found.entry)
    return found


def _page(found: QualityIssue, problem: Problem | None) -> Any:
    flow = Flow(FLOW, session(), clock())
    came = request.path.rsplit("/", 1)[-1] if request.method == "POST" else ""
    history = session().scalars(
        select(AuditEvent)
        .where(AuditEvent.flow == FLOW, AuditEvent.subject_id == found.id)
        .order_by(AuditEvent.id.desc())
        .limit(HISTORY)
    )
    return render_template(
        "quality/issue.html",
        issue=found,
        version=found.entry.published_version,
        name=check_name(found.check_code),
        check=CHECKS.get(found.check_code),
        state=BINDING.state_labels[found.state],
        duty=DUTIES.get(found.duty, ""),
        clocks=clocks_of(found),
        events={row.event for row in flow.possible_events(found, actor())},
        report=session().get(QualityReport, found.entry_id),
        manual=found.check_code == MANUAL,
        versions=_versions(found),
        usual=IssueService(session(), clock()).usual_due_date(),
        history=[in_words(event) for event in history],
        given=request.form,
        came=came,
        problem=problem,
        key=fresh_key(),
    )


def _versions(found: QualityIssue) -> list[DataVersion]:
    """Return the entry's deliveries since the issue was opened, the newest first."""
    if found.opened_at is None:
        return []
    return list(
        session().scalars(
            select(DataVersion)
            .join(Distribution, Distribution.id == DataVersion.distribution_id)
            .where(
                Distribution.entry_id == found.entry_id, DataVersion.created_at >= found.opened_at
            )
            .order_by(DataVersion.id.desc())
            .limit(VERSIONS_OFFERED)
        )
    )


def _decide(issue_id: int, act: Callable[[IssueService, QualityIssue], object], done: str) -> Any:
    found = _readable(issue_id)

    def decided() -> None:
        pin(FLOW, found)
        act(IssueService(session(), clock()), found)

    target = f"/work/quality/issues/{found.id}"
    return decide(decided, lambda problem: _page(found, problem), done=done, target=target)


@blueprint.post(f"/work/quality/issues/<{ID}:issue_id>/order")
@writes
def order(issue_id: int) -> Any:
    def act(service: IssueService, found: QualityIssue) -> None:
        due_on = form_date("due_on", gettext("整改期限"))
        service.order(actor(), found, text=form_text("order"), due_on=due_on, key=form_key())

    return _decide(issue_id, act, gettext("已责令整改，并告知责任单位。"))


@blueprint.post(f"/work/quality/issues/<{ID}:issue_id>/dismiss")
@writes
def dismiss(issue_id: int) -> Any:
    return _decide(
        issue_id,
        lambda s, i: s.dismiss(actor(), i, reason=form_text("reason"), key=form_key()),
        gettext("已确认不是问题。"),
    )


@blueprint.post(f"/work/quality/issues/<{ID}:issue_id>/report")
@writes
def report(issue_id: int) -> Any:
    def act(service: IssueService, found: QualityIssue) -> None:
        chosen = request.form.get("version", "")
        version = next((v for v in _versions(found) if str(v.id) == chosen), None)
        service.report_fixed(
            actor(),
            found,
            answer=form_text("answer"),
            version=version,
            planned_on=form_date("planned_on", gettext("计划完成日期")),
            key=form_key(),
        )

    return _decide(issue_id, act, gettext("已报告整改情况，等待复查。"))


@blueprint.post(f"/work/quality/issues/<{ID}:issue_id>/verify")
@writes
def verify(issue_id: int) -> Any:
    return _decide(
        issue_id,
        lambda s, i: s.verify(actor(), i, reason=form_text("reason"), key=form_key()),
        gettext("复查通过，问题已办结。"),
    )


@blueprint.post(f"/work/quality/issues/<{ID}:issue_id>/reject")
@writes
def reject(issue_id: int) -> Any:
    def act(service: IssueService, found: QualityIssue) -> None:
        due_on = form_date("due_on", gettext("整改期限"))
        reason = form_text("reason")
        service.reject_fix(actor(), found, reason=reason, due_on=due_on, key=form_key())

    return _decide(issue_id, act, gettext("已退回整改，并告知责任单位。"))
