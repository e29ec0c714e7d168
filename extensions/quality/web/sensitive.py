"""敏感信息审查: what was found in deliveries, and the decision column by column."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext
from sqlalchemy import func, select

from extensions.quality.models.scan import TableScan, get_scan
from extensions.quality.permissions import QualityPermission
from extensions.quality.scan.findings import ColumnFindings
from extensions.quality.scan.leftovers import REST
from extensions.quality.scan.masks import DROP, GENERALISE, MASK, TREATMENTS, WHOLE_TREATMENTS
from extensions.quality.services.groups import K, ask_for_groups, table_of
from extensions.quality.services.sensitive import (
    FLOW,
    WHOLE_FILE,
    Decision,
    SensitiveReview,
    earlier_decisions,
    is_unread,
)
from extensions.quality.web.overview import sees_all
from portal.models.account import Account
from portal.models.audit import AuditEvent
from portal.models.distribution import REFUSED, DataVersion, Distribution
from portal.models.entry import CatalogueEntry
from portal.permissions import is_allowed, require
from portal.services.timeline import in_words
from portal.tables.info import TableInfo
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.paging import Paging, page_number
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import Problem, decide, form_key, form_seen, form_text, fresh_key

blueprint = work_blueprint("quality_sensitive")
PAGE = 50
REASON_MAX = 500
PROPOSED = {
    "id_number": MASK,
    "old_id_number": MASK,
    "uscc": "",
    "mobile": MASK,
    "landline": MASK,
    "bank_card": DROP,
    "email": MASK,
    "plate": MASK,
    "address": GENERALISE,
    "house": GENERALISE,
    "passport": DROP,
    "name": MASK,
    "birth_date": GENERALISE,
    "unread": "",
}
HOLDS = {
    "": "已放行",
    "scan": "检查中",
    "review": "待审查",
    "apply": "正在处理",
    "refused": "不予开放",
}


@blueprint.get("/work/sensitive")
@signed_in
def reviews() -> Any:
    number, waiting = page_number(request.args), request.args.get("all") != "1"
    query = (
        select(TableScan, Distribution, DataVersion)
        .join(DataVersion, DataVersion.id == TableScan.data_version_id)
        .join(Distribution, Distribution.id == DataVersion.distribution_id)
        .join(CatalogueEntry, CatalogueEntry.id == Distribution.entry_id)
        .where(TableScan.blocks, Distribution.deleted_at.is_(None))
    )
    if not sees_all():
        mine = actor().organisation_ids
        query = query.where(
            CatalogueEntry.provider_id.in_(mine) | CatalogueEntry.responsible_dept_id.in_(mine)
        )
    if waiting:
        query = query.where(DataVersion.hold.not_in(("", REFUSED)))
    total = session().scalar(select(func.count()).select_from(query.subquery())) or 0
    page = query.order_by(TableScan.id.desc()).limit(PAGE).offset((number - 1) * PAGE)
    return render_template(
        "quality/reviews.html",
        rows=[
            (scan, distribution, data, ColumnFindings.gather(scan.findings), is_unread(scan))
            for scan, distribution, data in session().execute(page)
        ],
        holds=HOLDS,
        waiting=waiting,
        total=total,
        paging=Paging(number, PAGE, total, request.path, [] if waiting else [("all", "1")]),
    )


@blueprint.get(f"/work/sensitive/<{ID}:scan_id>")
@signed_in
def review(scan_id: int) -> Any:
    return _page(scan_id)


def _page(scan_id: int, problem: Problem | None = None) -> str:
    scan = get_scan(session(), scan_id)
    data = scan.data_version
    entry = data.distribution.entry
    require(actor(), QualityPermission.SENSITIVE_READ, entry)
    editors = SensitiveReview(session(), clock()).editors_of(scan)
    found = ColumnFindings.gather(scan.findings)
    columns = TableInfo.from_dict(data.table).columns if data.table else ()
    blocking = {one.field_name for one in found if one.blocks}
    decider = session().get(Account, scan.decided_by) if scan.decided_by else None
    return render_template(
        "quality/review.html",
        scan=scan,
        data=data,
        entry=entry,
        version=entry.published_version,
        hold=HOLDS[data.hold],
        found=[one for one in found if one.blocks],
        noted=[one for one in found if not one.blocks],
        others=[c for c in columns if c.field_name not in blocking],
        chosen=_chosen(scan, found),
        treatments=TREATMENTS,
        whole_treatments=WHOLE_TREATMENTS,
        unread=is_unread(scan),
        decider=decider,
        own=actor().account_id in editors,
        may_decide=is_allowed(actor(), QualityPermission.SENSITIVE_DECIDE, entry),
        is_current=data.distribution.current_version_id == data.id,
        whole=WHOLE_FILE,
        rest=REST,
        groups=scan.groups,
        group_columns=table_of(scan).columns if data.table else (),
        k=K,
        history=[in_words(event) for event in _history(scan.id)],
        problem=problem,
        key=fresh_key(),
    )


def _history(scan_id: int) -> list[AuditEvent]:
    return list(
        session().scalars(
            select(AuditEvent)
            .where(AuditEvent.flow == FLOW, AuditEvent.subject_id == scan_id)
            .order_by(AuditEvent.id.desc())
            .limit(50)
        )
    )


def _chosen(scan: TableScan, found: tuple[ColumnFindings, ...]) -> dict[str, tuple[str, str]]:
    """Return field name -> (treatment, reason): as typed, as decided, as last time, or proposed."""
    if request.method == "POST" and "seen" in request.form:
        return {
            name[2:]: (value, request.form.get(f"r.{name[2:]}", ""))
            for name, value in request.form.items()
            if name.startswith("t.")
        }
    kept = scan.decisions or earlier_decisions(session(), scan)
    chosen = {name: (one["treatment"], one["reason"]) for name, one in kept.items()}
    for one in found:
        if one.blocks and one.field_name not in chosen:
            fixed = one.in_header or one.field_name == REST
            proposed = DROP if fixed else PROPOSED.get(one.kinds[0], DROP)
            chosen[one.field_name] = (proposed, "")
    return chosen


def _decisions() -> dict[str, Decision]:
    return {
        name[2:]: Decision(treatment, form_text(f"r.{name[2:]}", longest=REASON_MAX))
        for name, treatment in request.form.items()
        if name.startswith("t.") and treatment
    }


@blueprint.post(f"/work/sensitive/<{ID}:scan_id>/decide")
@writes
def decide_columns(scan_id: int) -> Any:
    def act() -> None:
        SensitiveReview(session(), clock()).decide(
            actor(),
            get_scan(session(), scan_id),
            _decisions(),
            sha256=form_text("sha256", longest=64),
            reason=form_text("reason", longest=REASON_MAX),
            seen=form_seen(),
            key=form_key(),
        )

    return decide(
        act,
        lambda problem: _page(scan_id, problem),
        done=gettext("已作出决定。需要处理的列处理完成后，数据自动放行。"),
        target=f"/work/sensitive/{scan_id}",
    )


@blueprint.post(f"/work/sensitive/<{ID}:scan_id>/groups")
@writes
def groups(scan_id: int) -> Any:
    def act() -> None:
        scan = get_scan(session(), scan_id)
        require(actor(), QualityPermission.SENSITIVE_READ, scan.data_version.distribution.entry)
        ask_for_groups(session(), clock(), scan, request.form.getlist("columns")[:50])

    return decide(
        act,
        lambda problem: _page(scan_id, problem),
        done=gettext("正在统计小群体，通常几秒内完成，请刷新查看。"),
        target=f"/work/sensitive/{scan_id}#groups",
    )
