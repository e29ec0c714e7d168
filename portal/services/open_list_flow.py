"""Flow F4, 数据开放清单 (Measures, arts. 28, 29 and 41): guards and words."""

from __future__ import annotations

from datetime import date

from portal.clock import local_date
from portal.codes import code_list
from portal.models.distribution import FILE, INTERFACE, LINK, list_distributions
from portal.models.open_list import OpenListEntry, list_higher_planned
from portal.rules.calendar import working_days_between
from portal.rules.transitions import Transition
from portal.services.catalogue_flow import TABLE
from portal.services.codes_known import known_codes
from portal.services.content import content_of
from portal.services.deadlines import work_calendar
from portal.services.flow import Attempt, FlowBinding, Organisations
from portal.services.guards import import_recorded, nothing_held, reason_given, refuse

FLOW = "open_list_entry"
REMOVAL_NOTICE_WORKING_DAYS = 10


def may_open(attempt: Attempt) -> None:
    """Published, of an open type, and the agency's own: art. 29 bars what it got from others."""
    place: OpenListEntry = attempt.subject
    if not place.entry.is_public:
        raise refuse("entry", "unpublished", "目录发布后才能列入开放清单。")
    open_type_fits(attempt)
    own_data(attempt)


def open_type_fits(attempt: Attempt) -> None:
    place: OpenListEntry = attempt.subject
    if place.version.open_type not in ("unconditional", "conditional"):
        raise refuse("open_type", "none", "开放类型为“非开放”的数据不能列入开放清单（第28条）。")


def own_data(attempt: Attempt) -> None:
    method = code_list("acquisition_methods").find(attempt.subject.version.acquisition_method)
    if method is not None and not method.is_yes("in_own_open_list"):
        raise refuse(
            "acquisition_method",
            "not_own",
            "采集方式为“{method}”的数据不能列入本单位开放清单（第29条）：应由数据来源单位开放。",
            method=method.name,
        )


def reviewed_by_another(attempt: Attempt) -> None:
    """保密审查 (art. 41): by another person than the proposer, with its checklist recorded."""
    place: OpenListEntry = attempt.subject
    if attempt.actor.stands_for(place.proposed_by):
        raise refuse("", "own_proposal", "提出开放的人不能自己做保密审查。")
    if any(attempt.actor.stands_for(editor) for editor in place.version.editors):
        raise refuse("", "own_edit", "编辑过该目录版本的人不能做保密审查。")
    if not attempt.facts.get("review"):
        raise refuse("review", "missing", "请填写保密审查记录。")


def failed_by_another(attempt: Attempt) -> None:
    reason_given(attempt)
    if attempt.actor.stands_for(attempt.subject.proposed_by):
        raise refuse("", "own_proposal", "提出开放的人不能自己做保密审查。")


def ready_to_open(attempt: Attempt) -> None:
    """Unconditional: a file and an open licence; conditional: an interface and an agreement."""
    nothing_held(attempt)
    place: OpenListEntry = attempt.subject
    content = content_of(place.version)
    kinds = {d.kind for d in list_distributions(attempt.session, place.entry_id)}
    licence = code_list("licences").find(content.licence)
    if place.version.open_type == "unconditional":
        if not kinds & {FILE, LINK}:
            raise refuse("distributions", "no_file", "无条件开放的数据至少要有一个数据文件。")
        if licence is None or not licence.is_yes("is_open"):
            raise refuse("licence", "not_open", "无条件开放的数据须采用开放许可。")
        return
    if INTERFACE not in kinds:
        raise refuse("distributions", "no_interface", "有条件开放的数据须先登记数据接口。")
    if licence is None or licence["for_open_type"] != "conditional":
        raise refuse("licence", "no_agreement", "有条件开放的数据须选定使用协议。")


def ready_in_order(attempt: Attempt) -> None:
    """High-value data opens first (art. 29): passing over a higher one needs a reason."""
    ready_to_open(attempt)
    higher = list_higher_planned(attempt.session, attempt.subject, limit=1)
    if higher and not attempt.reason:
        raise refuse(
            "reason",
            "passed_over",
            "计划开放的“{title}”价值更高，应当优先开放；先开放本数据请说明理由（第29条）。",
            title=higher[0].version.title,
        )


def other_type_published(attempt: Attempt) -> None:
    place: OpenListEntry = attempt.subject
    published = place.entry.published_version
    if published is None or published.open_type in ("none", "", place.open_type):
        raise refuse("open_type", "unchanged", "没有发布开放类型不同的新版本。")


def may_resume(attempt: Attempt) -> None:
    """The level that suspended it, or the Bureau; what was found is recorded."""
    nothing_held(attempt)
    if not attempt.reason:
        raise refuse("reason", "missing", "请写明核查结论。")
    if attempt.subject.suspended_by == "bureau" and not attempt.actor.is_kind("bureau"):
        raise refuse("", "bureau_only", "由数字化局暂停的，须由数字化局恢复。")


def removal_noticed(attempt: Attempt) -> None:
    """At least ten working days lie between the notice and the removal, unless law forbids it."""
    reason_given(attempt)
    if attempt.facts.get("law_forbids"):
        return
    noticed = attempt.subject.removal_notice_on
    if noticed is None:
        raise refuse("removal_notice_on", "missing", "撤下开放数据须先发布撤下公告。")
    elapsed = working_days_between(noticed, local_date(attempt.now), work_calendar(attempt.session))
    if elapsed < REMOVAL_NOTICE_WORKING_DAYS:
        raise refuse(
            "removal_notice_on",
            "too_early",
            "公告满{days}个工作日后才能撤下，现为第{elapsed}个工作日。",
            days=REMOVAL_NOTICE_WORKING_DAYS,
            elapsed=elapsed,
        )


def imported_open(attempt: Attempt) -> None:
    import_recorded(attempt)
    open_type_fits(attempt)


def own_list_harvested(attempt: Attempt) -> None:
    source = attempt.facts.get("source")
    place: OpenListEntry = attempt.subject
    if source is None or not source.trusted:
        raise refuse("source", "untrusted", "来源不是提供单位公布的清单。")
    if source.organisation_id != place.entry.provider_id:
        raise refuse("source", "foreign", "来源单位不是数据提供单位。")
    if not known_codes().security_levels.get(place.version.security_level, True):
        raise refuse("security_level", "level", "该安全级别的数据不能开放（第41条）。")
    open_type_fits(attempt)
    own_data(attempt)


def entry_is_retired(attempt: Attempt) -> None:
    if attempt.subject.entry.retired_at is None:
        raise refuse("entry", "not_retired", "目录没有撤下。")


def _organisations(place: OpenListEntry) -> Organisations:
    entry = place.entry
    return {
        "agency": frozenset({entry.provider_id}),
        "responsible_dept": frozenset({entry.responsible_dept_id}),
        "agency_security_officer": frozenset({entry.provider_id}),
    }


def _duty(place: OpenListEntry, row: Transition) -> int | date | None:
    return place.planned_open_date if row.due.startswith("by ") else row.due_working_days


BINDING = FlowBinding(
    flow=FLOW,
    model=OpenListEntry,
    rows=tuple(row for row in TABLE if row.flow == FLOW),
    guards={
        "may_open": may_open,
        "reviewed_by_another": reviewed_by_another,
        "reason_given": reason_given,
        "ready_to_open": ready_in_order,
        "other_type_published": other_type_published,
        "may_resume": may_resume,
        "removal_noticed": removal_noticed,
        "import_recorded": imported_open,
        "own_list_harvested": own_list_harvested,
        "entry_is_retired": entry_is_retired,
        "failed_by_another": failed_by_another,
    },
    organisations=_organisations,
    title=lambda place: place.version.title,
    link=lambda place: f"/work/open-list/{place.id}",
    entry_id=lambda place: place.entry_id,
    name="开放清单",
    event_labels={
        "propose": "提出开放",
        "pass_review": "保密审查通过",
        "fail_review": "保密审查不通过",
        "publish": "开放",
        "change_type": "变更开放类型",
        "suspend": "暂停开放",
        "resume": "恢复开放",
        "remove": "移出清单",
        "import": "导入开放",
        "harvest": "采集开放",
        "entry_retired": "随目录撤下移出",
    },
    state_labels={
        "proposed": "待保密审查",
        "planned": "计划开放",
        "open": "已开放",
        "suspended": "暂停开放",
        "rejected": "审查未通过",
        "removed": "已移出",
    },
    stamps={
        "propose": "proposed_at",
        "publish": "opened_at",
        "import": "opened_at",
        "harvest": "opened_at",
    },
    duty=_duty,
)
