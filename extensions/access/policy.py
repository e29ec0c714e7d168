"""审批规则 as data: who may approve what, in how many days, with which quotas. Pure.

One row for each class of data. Version 1 is `data/policy.csv`; the Bureau writes later ones. An
application keeps the version that it was handed in under, and so does the decision on it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from extensions.access.masking import is_masked
from extensions.access.rules import MAX_DAILY_QUOTA, MAX_PER_MINUTE, MAX_TERM_DAYS
from portal.actor import acts_as
from portal.codes import code_list
from portal.errors import Defect
from portal.rules.entry_content import EntryContent
from portal.rules.transitions import Transition

FILE = Path(__file__).parent / "data" / "policy.csv"
FIRST_VERSION = 1
PERSONAL = "personal"
CLASSES = {
    "level1": "1级数据",
    "level2": "2级数据",
    PERSONAL: "含个人信息或脱敏信息项",
}
NUMBERS = {
    "accept_days": ("受理（工作日）", 10),
    "correction_days": ("补正（工作日）", 60),
    "decide_days": ("决定（工作日）", 20),
    "sign_days": ("签订协议（工作日）", 60),
    "daily_quota": ("默认每日调用上限（次）", MAX_DAILY_QUOTA),
    "per_minute": ("默认每分钟调用上限（次）", MAX_PER_MINUTE),
    "max_daily_quota": ("最多可批的每日调用（次）", MAX_DAILY_QUOTA),
    "max_term_days": ("最长使用期限（天）", MAX_TERM_DAYS),
}
_DUTIES = {
    "accept": "accept_days",
    "request_correction": "accept_days",
    "resubmit": "correction_days",
    "approve": "decide_days",
    "reject": "decide_days",
    "extend": "decide_days",
}


@dataclass(frozen=True)
class PolicyRow:
    """The rules of one class of data. Days are working days but `max_term_days` (calendar)."""

    code: str  # a key of CLASSES
    approvers: tuple[str, ...]  # roles of the providing agency that may decide
    accept_days: int
    correction_days: int
    decide_days: int
    sign_days: int
    daily_quota: int
    per_minute: int
    max_daily_quota: int
    max_term_days: int

    @property
    def name(self) -> str:
        return CLASSES[self.code]

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "approvers": list(self.approvers)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PolicyRow:
        return cls(**{**values, "approvers": tuple(values["approvers"])})


@dataclass(frozen=True)
class Policy:
    version: int
    rows: tuple[PolicyRow, ...]

    def row(self, code: str) -> PolicyRow:
        return next(row for row in self.rows if row.code == code)


@cache
def first_policy() -> Policy:
    """Return version 1, which the file holds."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = tuple(_read(line) for line in csv.DictReader(file))
    return Policy(FIRST_VERSION, rows)


def _read(line: Mapping[str, str]) -> PolicyRow:
    numbers = {name: int(line[name]) for name in NUMBERS}
    return PolicyRow(line["class"], tuple(line["approvers"].split(";")), **numbers)


@cache
def approving_roles() -> dict[str, str]:
    """Return the roles that a policy may name, with their Chinese names: those of an agency."""
    return {role.code: role.name for role in code_list("roles") if "agency" in acts_as(role.code)}


def class_of(content: EntryContent, fields: Sequence[str]) -> str:
    """Return the class of what is asked: the strictest that any asked field or the data needs."""
    wanted = frozenset(fields)
    if any(
        item.personal not in ("", "none") or is_masked(item.masking)
        for item in content.items
        if item.field_name in wanted
    ):
        return PERSONAL
    return "level1" if content.security_level == "1" else "level2"


def duty_days(row: PolicyRow, transition: Transition) -> int | None:
    """Return how long a step of the flow may take; None where the flow's table has no term."""
    if transition.due_working_days is None:
        return None
    name = _DUTIES.get(transition.event)
    if name is None and transition.state == "approved":
        name = "sign_days"  # whoever does not sign in time lets the application lapse
    return int(getattr(row, name)) if name else transition.due_working_days


def policy_defects(rows: Sequence[PolicyRow]) -> list[Defect]:
    """Return everything wrong with a table, by `<class>.<column>`."""
    return [defect for row in rows for defect in _row_defects(row)]


def _row_defects(row: PolicyRow) -> Iterator[Defect]:
    if not row.approvers or not set(row.approvers) <= set(approving_roles()):
        yield Defect(
            f"{row.code}.approvers",
            "missing",
            "“{row}”：请至少选择一个可以审批的角色。",
            {"row": row.name},
        )
    for name, (label, most) in NUMBERS.items():
        if not 1 <= getattr(row, name) <= most:
            params = {"row": row.name, "label": label, "max": f"{most:,}"}
            message = "“{row}”的“{label}”应为1至{max}的整数。"
            yield Defect(f"{row.code}.{name}", "out_of_range", message, params)
    if row.daily_quota > row.max_daily_quota:
        message = "“{row}”的默认每日调用上限不能多于最多可批的每日调用。"
        yield Defect(f"{row.code}.daily_quota", "too_many", message, {"row": row.name})


def changes(before: Policy, after: Sequence[PolicyRow]) -> list[tuple[str, str, str, str]]:
    """Return what differs: (class, column, old value, new value), as texts."""
    found = []
    for row in after:
        old = before.row(row.code)
        if old.approvers != row.approvers:
            found.append((row.code, "approvers", ";".join(old.approvers), ";".join(row.approvers)))
        for name in NUMBERS:
            if getattr(old, name) != getattr(row, name):
                found.append((row.code, name, str(getattr(old, name)), str(getattr(row, name))))
    return found
