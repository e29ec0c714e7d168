"""Quality at a glance: the list by agency, its CSV, one entry's faults with how to mend them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request
from flask_babel import gettext
from sqlalchemy import Select, Text, and_, cast, func, select
from sqlalchemy.orm import joinedload

from extensions.quality.flow import BINDING, DUTIES, FLOW
from extensions.quality.models.issue import ENDED, QualityIssue, list_issues_of
from extensions.quality.models.report import QualityReport
from extensions.quality.permissions import QualityPermission
from extensions.quality.rules import ALL_CHECKS, CHECKS, MANUAL
from extensions.quality.services.issues import IssueService
from extensions.quality.services.timers import ask_for_check
from portal.errors import Invalid
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.organisation import Organisation
from portal.permissions import is_allowed, require
from portal.rules.transitions import Transition
from portal.services.flow import FLOWS
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.paging import Paging, page_number
from portal.web.work.blueprint import work_blueprint
from portal.web.work.decisions import Problem, decide, form_key, form_text, fresh_key
from portal.web.work.visibility import entry_for_work

blueprint = work_blueprint("quality_overview")
PAGE = 50
CSV_MOST = 20_000
LEVELS = ((90, "ok"), (70, "info"), (50, "warn"), (0, "error"))
BOUNDS = (90, 70, 50)


@dataclass(frozen=True)
class Asked:
    """The filter of the list: an agency's code, a check, a score that is not reached."""

    agency: str
    check: str
    below: int | None

    @classmethod
    def of_request(cls) -> Asked:
        below = request.args.get("below", "")
        check = request.args.get("check", "")
        return cls(
            agency=request.args.get("agency", "")[:40],
            check=check if check in CHECKS else "",
            below=int(below) if below in {str(bound) for bound in BOUNDS} else None,
        )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        given = (("agency", self.agency), ("check", self.check), ("below", self.below))
        return [(name, str(value)) for name, value in given if value]


def sees_all() -> bool:
    return actor().is_kind("bureau") or actor().is_kind("third_party_assessor")


def level_of(score: float) -> str:
    """Return the kind of badge that a score gets."""
    return next(kind for least, kind in LEVELS if score >= least)


def reports(asked: Asked) -> Select[Any]:
    """Return the query of the reports that the reader may see and asked for, the worst first."""
    query = (
        select(QualityReport, CatalogueEntry, EntryVersion.title)
        .join(CatalogueEntry, CatalogueEntry.id == QualityReport.entry_id)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
        .options(joinedload(CatalogueEntry.provider))
        .where(CatalogueEntry.retired_at.is_(None))
        .order_by(QualityReport.score, QualityReport.entry_id)
    )
    if not sees_all():
        query = query.where(_own())
    if asked.agency:
        query = query.where(Organisation.code == asked.agency)
    if asked.below is not None:
        query = query.where(QualityReport.score < asked.below)
    if asked.check:
        words = f'%"{asked.check}"%'  # a code in quotes stands in no sentence
        query = query.where(cast(QualityReport.findings, Text).like(words))
    return query


def _own() -> Any:
    mine = actor().organisation_ids
    return CatalogueEntry.provider_id.in_(mine) | CatalogueEntry.responsible_dept_id.in_(mine)


@blueprint.get("/work/quality")
@signed_in
def overview() -> Any:
    asked, number = Asked.of_request(), page_number(request.args)
    query = reports(asked)
    total = session().scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    agencies = _agencies()
    return render_template(
        "quality/overview.html",
        rows=list(session().execute(query.limit(PAGE).offset((number - 1) * PAGE))),
        agencies=agencies,
        summary=_summary(agencies),
        asked=asked,
        checks=ALL_CHECKS,
        names=CHECKS,
        bounds=BOUNDS,
        level=level_of,
        total=total,
        sees_all=sees_all(),
        csv_link=_csv_link(asked),
        paging=Paging(number, PAGE, total, request.path, asked.pairs),
    )


def _csv_link(asked: Asked) -> str:
    return "/work/quality.csv" + (
        "?" + "&".join(f"{n}={v}" for n, v in asked.pairs) if asked.pairs else ""
    )


def _agencies() -> list[Any]:
    """Return (code, name, entries, mean score, entries below 70, live issues), the worst first."""
    live = (
        select(QualityIssue.owner_id, func.count().label("n"))
        .where(QualityIssue.state.not_in(ENDED))
        .group_by(QualityIssue.owner_id)
        .subquery()
    )
    query = (
        select(
            Organisation.code,
            Organisation.name,
            func.count(QualityReport.entry_id).label("entries"),
            func.avg(QualityReport.score).label("score"),
            func.count(QualityReport.entry_id).filter(QualityReport.score < 70).label("low"),
            func.coalesce(func.max(live.c.n), 0).label("issues"),
        )
        .select_from(QualityReport)
        .join(
            CatalogueEntry,
            and_(CatalogueEntry.id == QualityReport.entry_id, CatalogueEntry.retired_at.is_(None)),
        )
        .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
        .outerjoin(live, live.c.owner_id == Organisation.id)
        .group_by(Organisation.id, Organisation.code, Organisation.name)
        .order_by(func.avg(QualityReport.score), Organisation.code)
    )
    return list(session().execute(query if sees_all() else query.where(_own())))


def _summary(agencies: list[Any]) -> dict[str, Any]:
    entries = sum(row.entries for row in agencies)
    score = sum(float(row.score) * row.entries for row in agencies) / entries if entries else 0.0
    return {
        "entries": entries,
        "score": round(score, 1),
        "low": sum(row.low for row in agencies),
        "issues": sum(row.issues for row in agencies),
    }


@blueprint.get("/work/quality.csv")
@signed_in
def overview_csv() -> Any:
    """Give the list as a spreadsheet: one line a fault, entries without a fault in one line."""
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(
        ["资源代码", "名称", "提供单位", "评分", "问题", "扣分", "说明", "整改办法", "检查时间"]
    )
    for report, entry, title in session().execute(reports(Asked.of_request()).limit(CSV_MOST)):
        head = [entry.code, safe(title), safe(entry.provider.name), report.score]
        checked = report.checked_at.isoformat(timespec="seconds")
        for fault in report.findings or [None]:
            tail = ["", "", "", ""]
            if fault is not None:
                check = CHECKS[fault["check"]]
                tail = [check.name, fault["points"], safe(fault["text"]), check.mend]
            lines.writerow([*head, *tail, checked])
    response = Response(
        b"\xef\xbb\xbf" + out.getvalue().encode(), content_type="text/csv; charset=utf-8"
    )
    response.headers["Content-Disposition"] = 'attachment; filename="quality.csv"'
    return response


def safe(text: str) -> str:
    """Return the text so that no spreadsheet program runs it."""
    return f"'{text}" if text[:1] in "=+-@＝＋－＠\t\r" else text


@blueprint.get("/work/quality/entries/<slug>")
@signed_in
def entry(slug: str) -> Any:
    return _page(slug)


def _page(slug: str, problem: Problem | None = None) -> str:
    found = entry_for_work(slug)
    require(actor(), QualityPermission.QUALITY_READ, found)
    report = session().get(QualityReport, found.id)
    row = FLOWS.table.find(FLOW, "", "open")
    return render_template(
        "quality/entry.html",
        entry=found,
        version=found.published_version,
        report=report,
        checks=CHECKS,
        all_checks=ALL_CHECKS,
        level=level_of,
        issues=list_issues_of(session(), found.id),
        states=BINDING.state_labels,
        may_open=row is not None and _may_open(found, row),
        may_recheck=is_allowed(actor(), QualityPermission.QUALITY_RECHECK, found),
        duties=DUTIES,
        manual=MANUAL,
        given=request.form,
        problem=problem,
        key=fresh_key(),
    )


def _may_open(found: CatalogueEntry, row: Transition) -> bool:
    """The row of the flow says who: the Bureau, the city's authority, the department."""
    organisations = BINDING.organisations(QualityIssue(entry=found, owner_id=found.provider_id))
    return found.is_public and any(
        bool(actor().acts_for(kind) & organisations[kind])
        if kind in organisations
        else actor().is_kind(kind)
        for kind in row.actors
    )


@blueprint.post("/work/quality/entries/<slug>/recheck")
@writes
def recheck(slug: str) -> Any:
    def act() -> None:
        found = entry_for_work(slug)
        require(actor(), QualityPermission.QUALITY_RECHECK, found)
        ask_for_check(session(), clock(), found.id)

    return decide(
        act,
        lambda problem: _page(slug, problem),
        done=gettext("已开始检查，通常几秒内完成，请刷新查看。"),
        target=f"/work/quality/entries/{slug}",
    )


@blueprint.post("/work/quality/entries/<slug>/issues")
@writes
def open_issue(slug: str) -> Any:
    opened: list[QualityIssue] = []

    def act() -> None:
        found = entry_for_work(slug)
        code = form_text("check_code", longest=40)
        if code not in (*CHECKS, MANUAL):
            raise Invalid.one("check_code", "unknown", "请选择问题类型。")
        opened.append(
            IssueService(session(), clock()).open(
                actor(),
                found,
                code,
                form_text("evidence", label=gettext("问题说明")),
                duty=form_text("duty", longest=20) if code == MANUAL else "",
                key=form_key(),
            )
        )
        session().flush()

    return decide(
        act,
        lambda problem: _page(slug, problem),
        done=gettext("已提出质量问题，并告知责任单位。"),
        target=lambda: f"/work/quality/issues/{opened[0].id}",
    )
