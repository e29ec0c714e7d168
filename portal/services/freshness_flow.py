"""Flow F2, 动态更新 (Measures, arts. 15, 16, 20, 22 and 29): guards and words."""

from __future__ import annotations

from datetime import datetime

from dateutil.relativedelta import relativedelta

from portal.clock import SHANGHAI, local_date
from portal.codes import code_list
from portal.models.freshness import Freshness
from portal.rules.calendar import due_after
from portal.rules.transitions import Transition
from portal.services.catalogue_flow import TABLE
from portal.services.deadlines import work_calendar
from portal.services.flow import Attempt, FlowBinding, Organisations
from portal.services.guards import refuse

FLOW = "freshness"
ESCALATION_WORKING_DAYS = 10
PERIODS = {
    "PT0S": relativedelta(days=1),
    "P1D": relativedelta(days=1),
    "P1W": relativedelta(weeks=1),
    "P1M": relativedelta(months=1),
    "P3M": relativedelta(months=3),
    "P6M": relativedelta(months=6),
    "P1Y": relativedelta(years=1),
}


def period_of(update_frequency: str) -> relativedelta | None:
    """Return the length of an update period; None where the frequency has none."""
    found = code_list("update_frequency").find(update_frequency)
    return PERIODS.get(found["iso8601_duration"]) if found else None


def grace_days_of(update_frequency: str) -> int:
    """Return the working days of grace after a period has elapsed."""
    found = code_list("update_frequency").find(update_frequency)
    return int(found["grace_days"] or 0) if found else 0


def period_end(updated_at: datetime, update_frequency: str) -> datetime | None:
    period = period_of(update_frequency)
    return (updated_at.astimezone(SHANGHAI) + period) if period else None


def frequency_of(freshness: Freshness) -> str:
    """Return the update frequency of the published version, or \"\"."""
    version = freshness.entry.published_version
    return version.update_frequency if version else ""


def has_period(attempt: Attempt) -> None:
    if period_of(frequency_of(attempt.subject)) is None:
        raise refuse("update_frequency", "no_period", "该更新周期没有固定期限。")


def period_has_elapsed(attempt: Attempt) -> None:
    end = period_end(attempt.subject.updated_at, frequency_of(attempt.subject))
    if end is None or attempt.now <= end:
        raise refuse("", "not_due", "更新周期未满。")


def new_data_valid(attempt: Attempt) -> None:
    if attempt.facts.get("table_state") == "failed":
        raise refuse("file", "unreadable", "新文件没有通过字段检查。")


def grace_has_elapsed(attempt: Attempt) -> None:
    freshness: Freshness = attempt.subject
    grace = grace_days_of(frequency_of(freshness))
    due_at = freshness.due_at
    if due_at is None:
        raise refuse("", "not_due", "更新周期未满。")
    if grace:
        last = due_after(local_date(due_at), grace, work_calendar(attempt.session)).date
        if local_date(attempt.now) <= last:
            raise refuse("", "in_grace", "仍在宽限期内。")


def still_overdue(attempt: Attempt) -> None:
    freshness: Freshness = attempt.subject
    if freshness.overdue_at is None:
        raise refuse("", "not_overdue", "没有逾期。")
    last = due_after(
        local_date(freshness.overdue_at), ESCALATION_WORKING_DAYS, work_calendar(attempt.session)
    ).date
    if local_date(attempt.now) <= last:
        raise refuse("", "too_early", "逾期未满10个工作日。")


def entry_is_retired(attempt: Attempt) -> None:
    if attempt.subject.entry.retired_at is None:
        raise refuse("entry", "not_retired", "目录没有撤下。")


def entry_is_restored(attempt: Attempt) -> None:
    if not attempt.subject.entry.is_public:
        raise refuse("entry", "not_restored", "目录没有恢复。")


def _organisations(freshness: Freshness) -> Organisations:
    entry = freshness.entry
    return {
        "agency": frozenset({entry.provider_id}),
        "responsible_dept": frozenset({entry.responsible_dept_id}),
    }


def _title(freshness: Freshness) -> str:
    version = freshness.entry.published_version
    return version.title if version else freshness.entry.code


def _duty(freshness: Freshness, row: Transition) -> int | None:
    return grace_days_of(frequency_of(freshness)) if row.due == "grace" else row.due_working_days


BINDING = FlowBinding(
    flow=FLOW,
    model=Freshness,
    rows=tuple(row for row in TABLE if row.flow == FLOW),
    guards={
        "has_period": has_period,
        "period_has_elapsed": period_has_elapsed,
        "new_data_valid": new_data_valid,
        "grace_has_elapsed": grace_has_elapsed,
        "still_overdue": still_overdue,
        "entry_is_retired": entry_is_retired,
        "entry_is_restored": entry_is_restored,
    },
    organisations=_organisations,
    title=_title,
    link=lambda freshness: f"/dataset/{freshness.entry.slug}",
    entry_id=lambda freshness: freshness.entry_id,
    name="数据更新",
    event_labels={
        "start": "开始监测",
        "period_elapsed": "到期应更新",
        "data_updated": "数据已更新",
        "grace_elapsed": "逾期未更新",
        "escalate": "逾期督办",
        "entry_retired": "停止监测",
        "entry_restored": "恢复监测",
    },
    state_labels={"current": "按期更新", "due": "应更新", "overdue": "逾期", "stopped": "停止监测"},
    stamps={
        "grace_elapsed": "overdue_at",
        "data_updated": "updated_at",
    },
    duty=_duty,
)
