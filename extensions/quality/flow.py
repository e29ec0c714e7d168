"""Flow F14, 质量问题与整改 (Measures, arts. 22 and 47): guards and words."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from extensions.quality.models.issue import QualityIssue
from extensions.quality.rules import CHECKS, MANUAL, Found, check_name
from extensions.quality.services.facts import state_of
from portal.clock import local_date
from portal.models.distribution import DataVersion
from portal.models.organisation import CITY_AUTHORITY, Organisation
from portal.rules.transitions import Transition, read_transitions
from portal.services.flow import Attempt, FlowBinding, Organisations
from portal.services.guards import reason_given, refuse

FLOW = "quality_issue"
TABLE = read_transitions(Path(__file__).parent / "data" / "transitions.csv")
COLLECT, VERIFY = "collect", "verify"
DUTIES = {COLLECT: "谁采集谁负责", VERIFY: "谁校核谁负责"}
LONGEST_ORDER = timedelta(days=120)
CITY_PREFIX = 4  # digits of a region code that name the city


def owner_of(issue: QualityIssue) -> int:
    """谁采集、谁校核，谁负责: the provider for what it collected, the department for what it verified."""
    entry = issue.entry
    return entry.responsible_dept_id if issue.duty == VERIFY else entry.provider_id


def current_fault(attempt: Attempt) -> Found | None:
    """Return what the issue's check finds now."""
    issue: QualityIssue = attempt.subject
    state = state_of(attempt.session, attempt.now, issue.entry)
    return CHECKS[issue.check_code](state) if state is not None else None


def evidence_and_owner(attempt: Attempt) -> None:
    issue: QualityIssue = attempt.subject
    if issue.check_code not in (*CHECKS, MANUAL):
        raise refuse("check_code", "unknown", "没有这项质量检查。")
    if not issue.entry.is_public:
        raise refuse("entry", "unpublished", "只能对已发布的目录提出质量问题。")
    if not issue.evidence.strip():
        raise refuse("evidence", "missing", "请写明问题在哪里（文件、列、行）。")
    if issue.duty not in DUTIES or issue.owner_id != owner_of(issue):
        raise refuse("duty", "owner", "整改单位须按“谁采集、谁校核，谁负责”确定。")


def text_and_due_date(attempt: Attempt) -> None:
    text, due_on = attempt.facts.get("text", ""), attempt.facts.get("due_on")
    if not str(text).strip():
        raise refuse("order", "missing", "请写明整改要求。")
    check_due_date(attempt, due_on)


def check_due_date(attempt: Attempt, due_on: object) -> None:
    today = local_date(attempt.now)
    if not isinstance(due_on, date):
        raise refuse("due_on", "missing", "请填写整改期限。")
    if not today <= due_on <= today + LONGEST_ORDER:
        raise refuse(
            "due_on", "out_of_range", "整改期限应在今天之后{n}天以内。", n=LONGEST_ORDER.days
        )


def fixed_or_planned(attempt: Attempt) -> None:
    """A newer data version, a newly published catalogue version, or a plan with its date."""
    if not str(attempt.facts.get("answer", "")).strip():
        raise refuse("answer", "missing", "请说明整改情况。")
    issue: QualityIssue = attempt.subject
    version, planned_on = attempt.facts.get("version"), attempt.facts.get("planned_on")
    if isinstance(planned_on, date):
        check_plan(attempt, planned_on)
    elif not (_is_newer_data(issue, version) or _is_revised(issue)):
        raise refuse(
            "version",
            "missing",
            "请选择问题提出后上传的新数据版本；还没有的，请填写计划完成日期。",
        )


def check_plan(attempt: Attempt, planned_on: date) -> None:
    if planned_on < local_date(attempt.now):
        raise refuse("planned_on", "past", "计划完成日期不能早于今天。")


def _is_newer_data(issue: QualityIssue, version: object) -> bool:
    return (
        isinstance(version, DataVersion)
        and version.distribution.entry_id == issue.entry_id
        and issue.opened_at is not None
        and version.created_at >= issue.opened_at
    )


def _is_revised(issue: QualityIssue) -> bool:
    published = issue.entry.published_version
    return (
        published is not None
        and published.published_at is not None
        and issue.opened_at is not None
        and published.published_at > issue.opened_at
    )


def check_passes(attempt: Attempt) -> None:
    """The check itself closes the issue; what a person saw, a person closes with a conclusion."""
    issue: QualityIssue = attempt.subject
    if issue.check_code == MANUAL:
        if attempt.actor.is_system or not attempt.reason:
            raise refuse("reason", "missing", "请写明核查结论。")
        return
    fault = current_fault(attempt)
    if fault is not None:
        raise refuse("", "still_faulty", "复查仍不通过：{text}", text=fault.text)


def due_date_passed(attempt: Attempt) -> None:
    due_on = attempt.subject.due_on
    if due_on is None or local_date(attempt.now) <= due_on:
        raise refuse("", "not_yet", "整改期限还没有届满。")


def _organisations(issue: QualityIssue) -> Organisations:
    entry = issue.entry
    found: dict[str, frozenset[int]] = {
        "agency": frozenset({entry.provider_id}),
        "responsible_dept": frozenset({entry.responsible_dept_id}),
        "city_authority": frozenset(),
    }
    session = object_session(entry)
    if session is not None:
        found["city_authority"] = city_authorities(session, entry.provider.region_code)
    return found


def city_authorities(session: Session, region_code: str) -> frozenset[int]:
    """Return the authorities of the city in which a region lies."""
    city = region_code[:CITY_PREFIX]
    return frozenset(
        session.scalars(
            select(Organisation.id).where(
                Organisation.kind == CITY_AUTHORITY, Organisation.region_code.startswith(city)
            )
        )
    )


def _title(issue: QualityIssue) -> str:
    version = issue.entry.published_version
    return f"{version.title if version else issue.entry.code}（{check_name(issue.check_code)}）"


def _duty(issue: QualityIssue, row: Transition) -> int | date | None:
    """What was ordered is due on the day of the order; without one, within the row's days."""
    if row.event == "report_fixed" and issue.due_on is not None:
        return issue.due_on
    return row.due_working_days


BINDING = FlowBinding(
    flow=FLOW,
    model=QualityIssue,
    rows=TABLE,
    guards={
        "evidence_and_owner": evidence_and_owner,
        "text_and_due_date": text_and_due_date,
        "reason_given": reason_given,
        "fixed_or_planned": fixed_or_planned,
        "check_passes": check_passes,
        "due_date_passed": due_date_passed,
    },
    organisations=_organisations,
    title=_title,
    link=lambda issue: f"/work/quality/issues/{issue.id}",
    entry_id=lambda issue: issue.entry_id,
    name="质量问题",
    event_labels={
        "open": "提出问题",
        "order_rectification": "责令整改",
        "dismiss": "确认不是问题",
        "report_fixed": "报告整改",
        "verify": "复查通过",
        "reject_fix": "退回整改",
        "escalate": "逾期督办",
    },
    state_labels={
        "open": "待处置",
        "ordered": "整改中",
        "fixed": "待复查",
        "escalated": "逾期督办",
        "closed": "已办结",
        "dismissed": "不是问题",
    },
    stamps={
        "open": "opened_at",
        "order_rectification": "ordered_at",
        "report_fixed": "fixed_at",
        "verify": "closed_at",
        "escalate": "escalated_at",
    },
    duty=_duty,
)
