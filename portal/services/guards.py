"""Guards that more than one flow uses."""

from __future__ import annotations

from portal.errors import Defect, GuardRefused
from portal.models.distribution import REFUSED
from portal.services.flow import Attempt
from portal.services.release_checks import list_held


def always(_attempt: Attempt) -> None:
    """The row has no condition beyond who and when."""


def refuse(field: str, code: str, message: str, **params: object) -> GuardRefused:
    return GuardRefused([Defect(field, code, message, params)])


def reason_given(attempt: Attempt) -> None:
    """Measures, section 4 rule 4: each refusal, return, suspension or revocation has a reason."""
    if not attempt.reason:
        raise refuse("reason", "missing", "请写明理由，理由会告知当事人。")


def import_recorded(attempt: Attempt) -> None:
    """An import is a Bureau administrator's; its source and reason stand in the audit trail."""
    if not (attempt.actor.has_role("bureau_admin") or attempt.actor.is_system):
        raise refuse("", "not_admin", "只有数字化局管理员可以直接导入并发布。")
    if not attempt.reason or not attempt.facts.get("source"):
        raise refuse("reason", "missing", "导入须写明来源和理由。")


def nothing_held(attempt: Attempt) -> None:
    """No file of the entry waits for a decision on what was found in it (art. 45)."""
    held = list_held(attempt.session, attempt.subject.entry_id)
    for one in held:
        if one.current_version is not None and one.current_version.hold == REFUSED:
            raise refuse(
                "distributions",
                "refused",
                "数据文件“{name}”经审查不予开放，请移除或更换该文件后再发布。",
                name=one.name,
            )
    if held:
        raise refuse(
            "distributions",
            "held",
            "数据文件“{name}”有疑似敏感信息或没有检查过，须由另一人审查决定后才能发布。",
            name=held[0].name,
        )
