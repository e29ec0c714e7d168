"""Quality issues: opened by a check or a person, mended by their owner, closed by a re-check."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.quality.flow import COLLECT, FLOW, VERIFY, owner_of
from extensions.quality.models.issue import QualityIssue, find_live_issue
from extensions.quality.rules import MANUAL
from portal.actor import SYSTEM, Actor
from portal.clock import Clock, local_date
from portal.models.distribution import DataVersion
from portal.models.entry import CatalogueEntry
from portal.rules.calendar import due_after
from portal.services.deadlines import work_calendar
from portal.services.flow import Flow
from portal.services.guards import refuse

RECTIFICATION_WORKING_DAYS = 15
VERIFIED = frozenset({"missing_metadata", "unexplained_columns", "wrong_types"})
"""What the department verified (the catalogue); all else is what the agency collected."""


class IssueService:
    """Everything that may happen to a quality issue. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._flow = Flow(FLOW, session, clock)

    def open(
        self,
        actor: Actor,
        entry: CatalogueEntry,
        check_code: str,
        evidence: str,
        *,
        duty: str = "",
        key: str | None = None,
    ) -> QualityIssue:
        """Open an issue; the same form again gives the first one.

        Raises:
            GuardRefused: no evidence, an unknown check, or a live issue of the same check.
        """
        if key is not None and (earlier := self._of_form(key)) is not None:
            return earlier
        if check_code != MANUAL and find_live_issue(self._session, entry.id, check_code):
            raise refuse("check_code", "open", "该数据的这项问题已在处理中。")
        issue = QualityIssue(
            entry=entry,
            entry_id=entry.id,
            check_code=check_code,
            evidence=evidence,
            duty=duty or (VERIFY if check_code in VERIFIED else COLLECT),
            opened_by=actor.account_id,
            form_key=key,
        )
        issue.owner_id = owner_of(issue)
        self._flow.create(issue, "open", actor)
        return issue

    def _of_form(self, key: str) -> QualityIssue | None:
        return self._session.scalars(
            select(QualityIssue).where(QualityIssue.form_key == key)
        ).first()

    def order(
        self,
        actor: Actor,
        issue: QualityIssue,
        *,
        text: str,
        due_on: date | None,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        """Order the owner to mend it by a day."""
        issue.due_on = due_on
        self._flow.fire(
            issue, "order_rectification", actor,
            reason=text, seen=seen, key=key, text=text, due_on=due_on,
        )  # fmt: skip
        issue.order, issue.ordered_by = text, actor.account_id

    def dismiss(
        self,
        actor: Actor,
        issue: QualityIssue,
        *,
        reason: str,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        self._flow.fire(issue, "dismiss", actor, reason=reason, seen=seen, key=key)
        issue.conclusion = reason

    def report_fixed(
        self,
        actor: Actor,
        issue: QualityIssue,
        *,
        answer: str,
        version: DataVersion | None = None,
        planned_on: date | None = None,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        """Say what was mended, with the new version of the data, or by when it will be."""
        self._flow.fire(
            issue, "report_fixed", actor, reason=answer, seen=seen, key=key,
            answer=answer, version=version, planned_on=planned_on,
        )  # fmt: skip
        issue.answer, issue.planned_on = answer, planned_on
        issue.fixed_version_id = version.id if version is not None else None

    def verify(
        self,
        actor: Actor,
        issue: QualityIssue,
        *,
        reason: str = "",
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        """Close the issue: its check finds nothing any more."""
        self._flow.fire(issue, "verify", actor, reason=reason, seen=seen, key=key)
        issue.conclusion = reason

    def reject_fix(
        self,
        actor: Actor,
        issue: QualityIssue,
        *,
        reason: str,
        due_on: date | None = None,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        """Send it back to its owner; without a day, within the usual days from now."""
        issue.due_on = due_on or self.usual_due_date()
        self._flow.fire(issue, "reject_fix", actor, reason=reason, seen=seen, key=key)

    def escalate(self, issue: QualityIssue) -> None:
        self._flow.fire(issue, "escalate", SYSTEM)

    def usual_due_date(self) -> date:
        today = local_date(self._clock())
        return due_after(today, RECTIFICATION_WORKING_DAYS, work_calendar(self._session)).date
