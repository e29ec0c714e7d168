"""The agency's and the Bureau's side: applications that wait, and the decision on one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, request
from flask_babel import gettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from extensions.access.flow import BINDING, FLOW, grantable_of
from extensions.access.masking import GRANTABLE, is_masked
from extensions.access.models.application import AccessApplication, get_application
from extensions.access.models.attachment import list_attachments
from extensions.access.models.key import list_keys
from extensions.access.models.use_report import list_reports
from extensions.access.permissions import AccessPermission, acts_for_its_agency, is_applicant
from extensions.access.policy import FIRST_VERSION, approving_roles
from extensions.access.row_filters import WORDS
from extensions.access.rules import MAX_EXTENSION_WORKING_DAYS, REJECT_GROUNDS
from extensions.access.services.applications import ApplicationService
from extensions.access.services.policies import row_of
from extensions.access.services.review_facts import difference_of
from extensions.access.services.usage import list_days
from extensions.access.web.answers import decide
from extensions.access.web.forms import TypedTerms, plain, typed_defects, whole
from extensions.access.web.history import clocks_of, history_of
from extensions.access.web.words import KINDS, MASKS
from portal.models.entry import CatalogueEntry
from portal.permissions import require
from portal.rules.entry_content import InformationItem
from portal.services.content import content_of
from portal.services.flow import Flow
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.paging import Paging, page_number
from portal.web.translated import translated
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import Problem, form_key, fresh_key, pin

blueprint = work_blueprint("access_review")
PAGE = 50
HISTORY_SHOWN = 10
FIELD_LABELS = {
    "purpose": "用途",
    "scenario": "应用场景",
    "fields": "信息项",
    "volume_a_day": "每日调用量",
    "term_days": "使用期限",
    "storage": "数据存放方式",
    "capability": "安全保护能力",
    "undertakings": "承诺事项",
}


@blueprint.get("/work/applications")
@signed_in
def applications() -> Any:
    """List what was handed in to the reader's agency; the Bureau sees its register of all."""
    state = request.args.get("state", "")
    number = page_number(request.args)
    scope = [AccessApplication.submitted_at.is_not(None)]
    if not actor().is_kind("bureau"):
        scope.append(CatalogueEntry.provider_id.in_(actor().acts_for("agency")))
    base = select(AccessApplication).join(
        CatalogueEntry, CatalogueEntry.id == AccessApplication.entry_id
    )
    chosen = [*scope, AccessApplication.state == state] if state in BINDING.state_labels else scope
    query = base.where(*chosen)
    total = session().scalar(select(func.count()).select_from(query.subquery())) or 0
    counts = session().execute(
        select(AccessApplication.state, func.count())
        .join(CatalogueEntry, CatalogueEntry.id == AccessApplication.entry_id)
        .where(*scope)
        .group_by(AccessApplication.state)
    )
    page = query.order_by(AccessApplication.id.desc()).limit(PAGE).offset((number - 1) * PAGE)
    return render_template(
        "access/review_list.html",
        rows=[(a, clocks_of(session(), clock(), a.id)) for a in session().scalars(page)],
        counts={row[0]: row[1] for row in counts},
        states=translated(BINDING.state_labels),
        state=state,
        paging=Paging(number, PAGE, total, request.path, [("state", state)] if state else []),
        total=total,
    )


@blueprint.get(f"/work/applications/<{ID}:application_id>")
@signed_in
def application(application_id: int) -> Any:
    found = get_application(session(), application_id)
    require(actor(), AccessPermission.APPLICATION_READ, found)
    if is_applicant(actor(), found) and not acts_for_its_agency(actor(), found):
        return redirect(f"/applications/{found.id}")
    return _page(found, None)


@blueprint.post(f"/work/applications/<{ID}:application_id>/accept")
@writes
def accept(application_id: int) -> Any:
    return _decide(
        application_id,
        lambda s, a: s.accept(actor(), a, key=form_key()),
        gettext("已受理，请在期限内作出决定。"),
    )


@blueprint.post(f"/work/applications/<{ID}:application_id>/correction")
@writes
def request_correction(application_id: int) -> Any:
    return _decide(
        application_id,
        lambda s, a: s.request_correction(actor(), a, typed_defects(), key=form_key()),
        gettext("已一次性告知申请人需要补正的全部内容。"),
    )


@blueprint.post(f"/work/applications/<{ID}:application_id>/approve")
@writes
def approve(application_id: int) -> Any:
    terms = TypedTerms.of_request()
    return _decide(
        application_id,
        lambda s, a: s.approve(actor(), a, terms.terms(), key=form_key()),
        gettext("已同意，并告知申请人签订使用协议。"),
    )


@blueprint.post(f"/work/applications/<{ID}:application_id>/reject")
@writes
def reject(application_id: int) -> Any:
    ground, reason = plain("ground"), plain("reason")
    return _decide(
        application_id,
        lambda s, a: s.reject(actor(), a, ground=ground, reason=reason, key=form_key()),
        gettext("已作出不予同意的决定，并告知申请人理由和投诉途径。"),
    )


@blueprint.post(f"/work/applications/<{ID}:application_id>/extend")
@writes
def extend(application_id: int) -> Any:
    days, reason = whole(plain("working_days")) or 0, plain("extend_reason")
    return _decide(
        application_id,
        lambda s, a: s.extend(actor(), a, working_days=days, reason=reason, key=form_key()),
        gettext("审核期限已延长，并告知申请人。"),
    )


@blueprint.post(f"/work/applications/<{ID}:application_id>/suspend")
@writes
def suspend(application_id: int) -> Any:
    return _decide(
        application_id,
        lambda s, a: s.suspend(actor(), a, reason=plain("reason"), key=form_key()),
        gettext("已暂停授权，接口调用立即停止。"),
    )


@blueprint.post(f"/work/applications/<{ID}:application_id>/resume")
@writes
def resume(application_id: int) -> Any:
    return _decide(
        application_id,
        lambda s, a: s.resume(actor(), a, reason=plain("reason"), key=form_key()),
        gettext("已恢复授权。"),
    )


@blueprint.post(f"/work/applications/<{ID}:application_id>/revoke")
@writes
def revoke(application_id: int) -> Any:
    return _decide(
        application_id,
        lambda s, a: s.revoke(actor(), a, reason=plain("revoke_reason"), key=form_key()),
        gettext("已撤销授权，接口调用立即停止。"),
    )


def _decide(
    application_id: int, act: Callable[[ApplicationService, AccessApplication], object], done: str
) -> Any:
    """Decide on what was shown; the same click again passes, another change is a conflict."""
    found = get_application(session(), application_id)
    require(actor(), AccessPermission.APPLICATION_READ, found)

    def decided() -> None:
        pin(FLOW, found)
        act(ApplicationService(session(), clock()), found)

    target = f"/work/applications/{found.id}"
    return decide(decided, lambda problem: _page(found, problem), done=done, target=target)


def _page(found: AccessApplication, problem: Problem | None) -> Any:
    content = content_of(found.version)
    flow = Flow(FLOW, session(), clock())
    came = request.path.rsplit("/", 1)[-1] if request.method == "POST" else ""
    granted = came == "approve"
    grantable, policy = grantable_of(found), row_of(session(), found)
    return render_template(
        "access/review.html",
        application=found,
        content=content,
        items={item.field_name: item for item in content.items},
        grantable=grantable,
        fitting={name: _fitting(item) for name, item in grantable.items()},
        filter_words=translated(WORDS),
        difference=difference_of(session(), found, grantable),
        policy=policy,
        policy_version=found.policy_version or FIRST_VERSION,
        approvers=[translated(approving_roles()).get(code, code) for code in policy.approvers],
        attachments=list_attachments(session(), found.id),
        reports=list_reports(session(), found.id),
        state=gettext(BINDING.state_labels[found.state]),
        clocks=clocks_of(session(), clock(), found.id),
        events={row.event for row in flow.possible_events(found, actor())},
        kinds=translated(KINDS),
        earlier=_earlier(session(), found),
        states=translated(BINDING.state_labels),
        terms=TypedTerms.of_request() if granted else TypedTerms.proposed(found, policy),
        defects=typed_defects(),
        typed={name: plain(name) for name in request.form if name != "csrf_token"},
        grounds=list(translated(REJECT_GROUNDS).items()),
        field_labels=translated(FIELD_LABELS),
        most_days=MAX_EXTENSION_WORKING_DAYS,
        keys=list_keys(session(), found.id),
        days=list_days(session(), clock()(), [found.id]) if found.activated_at else [],
        history=history_of(session(), found.id),
        now=clock()(),
        came=came,
        problem=problem,
        key=fresh_key(),
    )


def _fitting(item: InformationItem) -> list[tuple[str, str]]:
    """Return how an item may be masked beyond the catalogue; nothing if it is masked already."""
    if is_masked(item.masking):
        return []
    names = translated(MASKS)
    return [(rule, names[rule]) for rule, kinds in GRANTABLE.items() if item.data_type in kinds]


def _earlier(reading: Session, found: AccessApplication) -> dict[str, Any]:
    """Return the applicant's other applications to this agency, and revocations anywhere."""
    others = (
        select(AccessApplication)
        .join(CatalogueEntry, CatalogueEntry.id == AccessApplication.entry_id)
        .where(
            AccessApplication.applicant_id == found.applicant_id,
            AccessApplication.id != found.id,
            AccessApplication.submitted_at.is_not(None),
            CatalogueEntry.provider_id == found.entry.provider_id,
        )
        .order_by(AccessApplication.id.desc())
        .limit(HISTORY_SHOWN)
    )
    revoked = select(func.count(AccessApplication.id)).where(
        AccessApplication.applicant_id == found.applicant_id, AccessApplication.state == "revoked"
    )
    return {"shown": list(reading.scalars(others)), "revoked": reading.scalar(revoked) or 0}
