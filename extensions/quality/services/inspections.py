"""Problems that a random inspection found become quality issues (arts. 22 and 47).

The issue is opened when the finding is recorded, and follows it while the inspectors correct
themselves; when the inspection is concluded, mending is ordered with a day. From then on it goes
its own way: mended by its owner, checked again and closed by the Bureau.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from extensions.quality.flow import BINDING
from extensions.quality.models.issue import ENDED, QualityIssue
from extensions.quality.rules import MANUAL
from extensions.quality.services.issues import IssueService
from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict
from portal.services.inspection_findings import Finding, Mending

OPEN, DISMISSED = "open", "dismissed"


class InspectionIssues:
    """Keeps findings as issues; `form_key` ties an issue to its drawn entry and counts attempts."""

    def found(self, session: Session, clock: Clock, actor: Actor, finding: Finding) -> None:
        issue = _newest(session, finding.item_id)
        if issue is not None and issue.state != DISMISSED:
            if issue.evidence == _evidence(finding):
                return
            _check_open(issue)
            issue.evidence = _evidence(finding)
            issue.row_version += 1
        elif finding.entry.is_public:  # what was retired meanwhile has nothing to be mended
            key = f"{_prefix(finding.item_id)}{_count(session, finding.item_id) + 1}"
            IssueService(session, clock).open(
                actor, finding.entry, MANUAL, _evidence(finding), key=key
            )

    def corrected(self, session: Session, clock: Clock, actor: Actor, finding: Finding) -> None:
        issue = _newest(session, finding.item_id)
        if issue is None or issue.state == DISMISSED:
            return
        _check_open(issue)
        IssueService(session, clock).dismiss(actor, issue, reason="抽查结果已更正为通过。")

    def order(
        self, session: Session, clock: Clock, actor: Actor, finding: Finding, due_on: date | None
    ) -> None:
        issue = _newest(session, finding.item_id)
        if issue is None or issue.state != OPEN:
            return
        service = IssueService(session, clock)
        service.order(actor, issue, text=finding.text, due_on=due_on or service.usual_due_date())

    def usual_due_date(self, session: Session, clock: Clock) -> date:
        return IssueService(session, clock).usual_due_date()

    def mendings(self, session: Session, item_ids: Collection[int]) -> Mapping[int, Mending]:
        if not item_ids:
            return {}
        of_items = or_(*(QualityIssue.form_key.startswith(_prefix(i)) for i in item_ids))
        found: dict[int, Mending] = {}
        for issue in session.scalars(
            select(QualityIssue).where(of_items).order_by(QualityIssue.id)
        ):
            found[int((issue.form_key or "").split(":")[1])] = Mending(
                state=BINDING.state_labels[issue.state],
                due_on=issue.due_on,
                is_ended=issue.state in ENDED,
                link=BINDING.link(issue),
            )
        return found


def _prefix(item_id: int) -> str:
    return f"inspection:{item_id}:"


def _newest(session: Session, item_id: int) -> QualityIssue | None:
    return session.scalars(
        select(QualityIssue)
        .where(QualityIssue.form_key.startswith(_prefix(item_id)))
        .order_by(QualityIssue.id.desc())
        .limit(1)
    ).first()


def _count(session: Session, item_id: int) -> int:
    query = select(func.count(QualityIssue.id)).where(
        QualityIssue.form_key.startswith(_prefix(item_id))
    )
    return session.scalar(query) or 0


def _evidence(finding: Finding) -> str:
    return f"抽查“{finding.inspection}”发现：{finding.text}"


def _check_open(issue: QualityIssue) -> None:
    if issue.state != OPEN:
        raise Conflict("这个问题已责令整改，请在质量问题中办理，不能再修改检查结果。")
