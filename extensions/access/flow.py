"""Flow F5, 有条件开放数据申请 (Measures, art. 28): guards and words."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.access.models.application import AccessApplication
from extensions.access.models.key import working_keys
from extensions.access.models.use_report import list_reports
from extensions.access.policy import PolicyRow, approving_roles, duty_days
from extensions.access.row_filters import filters_of, item_table, row_filter_defects
from extensions.access.rules import (
    KEY_NAME_MAX,
    MAX_EXTENSION_WORKING_DAYS,
    MAX_KEYS,
    REJECT_GROUNDS,
    RENEWAL_WORKING_DAYS,
    Report,
    Request,
    Terms,
    grantable_items,
    report_defects,
    request_defects,
    terms_defects,
)
from extensions.access.services.policies import bound_row
from portal.clock import local_date
from portal.errors import Defect, GuardRefused
from portal.models.account import Membership
from portal.models.open_list import OpenListEntry
from portal.rules.entry_content import InformationItem
from portal.rules.transitions import Transition, read_transitions
from portal.services.content import content_of
from portal.services.deadlines import list_open_deadlines, working_days_left
from portal.services.flow import Attempt, FlowBinding, Organisations, Persons
from portal.services.guards import always, reason_given, refuse
from portal.services.open_columns import released_table
from portal.tables.info import TableInfo

FLOW = "access_application"
TABLE = read_transitions(Path(__file__).parent / "data" / "transitions.csv")


def request_of(application: AccessApplication) -> Request:
    """Return what is asked; None for what was not asked of older applications."""
    older = application.submitted_at is not None and application.policy_version is None
    return Request(
        purpose=application.purpose,
        scenario=application.scenario,
        fields=tuple(application.fields),
        volume_a_day=application.volume_a_day,
        term_days=application.term_days,
        capability=application.capability,
        undertakings=tuple(application.undertakings),
        storage=None if older else application.storage or "",
        field_reasons=None if older else application.field_reasons or {},
    )


def grantable_of(application: AccessApplication) -> dict[str, InformationItem]:
    """Return the items that may be given now: of the published version, else the pinned one."""
    version = application.entry.published_version or application.version
    return grantable_items(content_of(version), application.interface.fields)


def is_open_conditionally(session: Session, entry_id: int) -> bool:
    """True while the entry stands on an open list, open and conditional, and is not retired."""
    place = session.scalars(
        select(OpenListEntry).where(
            OpenListEntry.entry_id == entry_id,
            OpenListEntry.state == "open",
            OpenListEntry.open_type == "conditional",
        )
    ).first()
    return place is not None and place.entry.is_public


def verified_and_conditional(attempt: Attempt) -> None:
    application: AccessApplication = attempt.subject
    if not attempt.actor.identity_verified:
        raise refuse("", "not_verified", "申请有条件开放数据前，请先完成实名认证。")
    if application.interface.withdrawn_at is not None or not is_open_conditionally(
        attempt.session, application.entry_id
    ):
        raise refuse("entry", "not_open", "该数据目前没有有条件开放，不能申请。")


def application_complete(attempt: Attempt) -> None:
    """Purpose, scenario, fields within the open items, capability, term, undertakings."""
    application: AccessApplication = attempt.subject
    most_days = bound_row(application).max_term_days
    defects = request_defects(
        request_of(application), grantable_of(application), most_days=most_days
    )
    if defects:
        raise GuardRefused(defects)


def first_correction_names_defects(attempt: Attempt) -> None:
    """One notice names everything (一次性告知); a second one is not lawful."""
    application: AccessApplication = attempt.subject
    if application.correction_notified_at is not None:
        raise refuse("", "second_notice", "补正只能通知一次，该申请已经通知过。请受理后作出决定。")
    listed = attempt.facts.get("defects") or []
    if not listed or any(not str(one.get("text", "")).strip() for one in listed):
        raise refuse("defects", "missing", "请逐条写明需要补正的全部内容。")


def defects_answered(attempt: Attempt) -> None:
    """Every listed defect has its answer, and the application is complete again."""
    answers = attempt.facts.get("answers") or {}
    defects = [
        Defect(f"answers.{n}", "missing", "请说明第{n}条补正要求的处理情况。", {"n": n + 1})
        for n in range(len(attempt.subject.correction))
        if not str(answers.get(n, "")).strip()
    ]
    if defects:
        raise GuardRefused(defects)
    application_complete(attempt)


def time_has_passed(attempt: Attempt) -> None:
    """The last day of the duty that the state began with is over."""
    open_ones = list_open_deadlines(attempt.session, FLOW, attempt.subject.id)
    due = max((deadline.due_on for deadline in open_ones), default=None)
    if due is None or local_date(attempt.now) <= due:
        raise refuse("", "not_yet", "期限还没有届满。")


def terms_set_by_outsider(attempt: Attempt) -> None:
    """Nobody decides for the own organisation; fields, quota and period are set and in bounds."""
    application: AccessApplication = attempt.subject
    own = attempt.session.scalars(
        select(Membership.organisation_id).where(
            Membership.account_id == application.applicant_id,
            Membership.organisation_id.is_not(None),
        )
    ).all()
    if attempt.actor.stands_for(application.applicant_id) or (
        attempt.actor.organisation_ids & set(own)
    ):
        raise refuse("", "own_organisation", "审核人不能审核本人或本单位提出的申请。")
    policy = bound_row(application)
    _check_approver(attempt, policy)
    terms = attempt.facts.get("terms")
    if not isinstance(terms, Terms):
        raise refuse("", "no_terms", "请设定信息项、调用限额和使用期限。")
    defects = terms_defects(
        terms,
        application.fields,
        grantable_of(application),
        most_calls=policy.max_daily_quota,
        most_days=policy.max_term_days,
    )
    defects += row_filter_defects(filters_of(terms.row_filters), _table_of(application))
    if defects:
        raise GuardRefused(defects)


def _check_approver(attempt: Attempt, policy: PolicyRow) -> None:
    """The policy names the roles of the agency that decide on this class of data."""
    provider = attempt.subject.entry.provider_id
    if not any(
        role.role in policy.approvers and role.organisation_id == provider
        for role in attempt.actor.roles
    ):
        roles = "、".join(approving_roles().get(code, code) for code in policy.approvers)
        raise refuse("", "not_approver", "按审批规则，这类数据由{roles}审批。", roles=roles)


def _table_of(application: AccessApplication) -> TableInfo:
    """Return the table behind the interface, else what the information items promise."""
    file = application.interface.table_distribution
    table = released_table(file.current_version) if file is not None else None
    version = application.entry.published_version or application.version
    return table or item_table(content_of(version))


def _duty(application: AccessApplication, row: Transition) -> int | None:
    return duty_days(bound_row(application), row)


def ground_and_reason(attempt: Attempt) -> None:
    _check_approver(attempt, bound_row(attempt.subject))
    if attempt.facts.get("ground") not in REJECT_GROUNDS:
        raise refuse("ground", "missing", "请选择不予同意的依据。")
    reason_given(attempt)


def first_extension(attempt: Attempt) -> None:
    """Once, with its reason, by at most ten working days."""
    if attempt.subject.extended_at is not None:
        raise refuse("", "second_extension", "审核期限只能延长一次。")
    days = attempt.facts.get("working_days")
    if not isinstance(days, int) or not 1 <= days <= MAX_EXTENSION_WORKING_DAYS:
        raise refuse(
            "working_days",
            "out_of_range",
            "延长的工作日应为1至{max}。",
            max=MAX_EXTENSION_WORKING_DAYS,
        )
    reason_given(attempt)


def agreement_accepted(attempt: Attempt) -> None:
    """The applicant accepts the very text that follows from the granted terms."""
    agreement = attempt.facts.get("agreement")
    if not attempt.facts.get("accepted"):
        raise refuse("accepted", "missing", "请阅读并同意使用协议。")
    if agreement is None or attempt.facts.get("accepted_hash") != agreement.hash:
        raise refuse("accepted", "changed", "使用协议已变化，请重新阅读后同意。")


def finding_recorded(attempt: Attempt) -> None:
    if not attempt.reason:
        raise refuse("reason", "missing", "请写明核查结论。")


def validity_has_passed(attempt: Attempt) -> None:
    until = attempt.subject.valid_until
    if until is None or local_date(attempt.now) <= until:
        raise refuse("valid_until", "not_yet", "授权还在有效期内。")


def room_for_a_key(attempt: Attempt) -> None:
    """At most so many at once; a name of its own, and no end behind the grant's."""
    application: AccessApplication = attempt.subject
    working = working_keys(attempt.session, application.id, attempt.now)
    if len(working) >= MAX_KEYS:
        raise refuse("", "too_many", "同时使用的密钥最多{max}个，请先停用一个。", max=MAX_KEYS)
    name = str(attempt.facts.get("name", "")).strip()
    if not 1 <= len(name) <= KEY_NAME_MAX or name in {key.name for key in working}:
        message = "请给密钥起一个没有用过的名称，最多{max}个字。"
        raise refuse("key_name", "missing", message, max=KEY_NAME_MAX)
    ends = attempt.facts.get("expires_on")
    last = application.valid_until
    if ends is not None and (last is None or not local_date(attempt.now) <= ends <= last):
        message = "密钥的到期日应在今天和授权到期日（{last}）之间。"
        raise refuse("expires_on", "out_of_range", message, last=str(last))


def names_a_working_key(attempt: Attempt) -> None:
    working = working_keys(attempt.session, attempt.subject.id, attempt.now)
    if attempt.facts.get("key_id") not in {key.id for key in working}:
        raise refuse("key_id", "unknown", "请选择一个使用中的密钥。")


def report_complete(attempt: Attempt) -> None:
    report = attempt.facts.get("report")
    defects = report_defects(report) if isinstance(report, Report) else []
    if defects or report is None:
        raise GuardRefused(defects or [Defect("result", "missing", "请填写使用报告。")])


def within_renewal_window(attempt: Attempt) -> None:
    """Within the last twenty working days; one renewal at a time; the data is still open."""
    application: AccessApplication = attempt.subject
    until = application.valid_until
    left = working_days_left(attempt.session, until, attempt.now) if until else -1
    if not 0 <= left <= RENEWAL_WORKING_DAYS:
        raise refuse(
            "valid_until",
            "too_early",
            "到期前{days}个工作日内才能续期，现在还剩{left}个工作日。",
            days=RENEWAL_WORKING_DAYS,
            left=left,
        )
    if not list_reports(attempt.session, application.id):
        raise refuse("result", "report_due", "续期前须先提交使用报告。")
    verified_and_conditional(attempt)


def _organisations(application: AccessApplication) -> Organisations:
    return {"agency": frozenset({application.entry.provider_id})}


def _persons(application: AccessApplication) -> Persons:
    return {"applicant": frozenset({application.applicant_id})}


def _title(application: AccessApplication) -> str:
    return f"{application.version.title}（{application.number}）"


BINDING = FlowBinding(
    flow=FLOW,
    model=AccessApplication,
    rows=TABLE,
    guards={
        "always": always,
        "verified_and_conditional": verified_and_conditional,
        "application_complete": application_complete,
        "first_correction_names_defects": first_correction_names_defects,
        "defects_answered": defects_answered,
        "time_has_passed": time_has_passed,
        "terms_set_by_outsider": terms_set_by_outsider,
        "ground_and_reason": ground_and_reason,
        "first_extension": first_extension,
        "agreement_accepted": agreement_accepted,
        "reason_given": reason_given,
        "finding_recorded": finding_recorded,
        "validity_has_passed": validity_has_passed,
        "room_for_a_key": room_for_a_key,
        "names_a_working_key": names_a_working_key,
        "report_complete": report_complete,
        "within_renewal_window": within_renewal_window,
    },
    organisations=_organisations,
    persons=_persons,
    title=_title,
    duty=_duty,
    link=lambda application: f"/applications/{application.id}",
    entry_id=lambda application: application.entry_id,
    name="数据申请",
    event_labels={
        "create": "填写申请",
        "submit": "提交申请",
        "accept": "受理",
        "request_correction": "通知补正",
        "resubmit": "提交补正",
        "lapse": "逾期失效",
        "withdraw": "撤回申请",
        "approve": "同意",
        "reject": "不予同意",
        "extend": "延长审核期限",
        "issue_key": "签订协议并领取密钥",
        "rotate_key": "更换密钥",
        "add_key": "增加密钥",
        "end_key": "停用密钥",
        "report_use": "提交使用报告",
        "suspend": "暂停授权",
        "resume": "恢复授权",
        "revoke": "撤销授权",
        "expire": "授权到期",
        "renew": "申请续期",
        "odd_use": "调用异常提示",
    },
    state_labels={
        "draft": "草稿",
        "submitted": "待受理",
        "correction_needed": "待补正",
        "under_review": "审核中",
        "approved": "已同意，待签订协议",
        "active": "使用中",
        "suspended": "已暂停",
        "rejected": "未同意",
        "withdrawn": "已撤回",
        "lapsed": "已失效",
        "revoked": "已撤销",
        "expired": "已到期",
    },
    stamps={
        "submit": "submitted_at",
        "resubmit": "submitted_at",
        "accept": "accepted_at",
        "request_correction": "correction_notified_at",
        "extend": "extended_at",
        "approve": "approved_at",
        "reject": "rejected_at",
        "issue_key": "activated_at",
        "suspend": "suspended_at",
        "revoke": "revoked_at",
    },
)
