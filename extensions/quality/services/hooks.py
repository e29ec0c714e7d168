"""What the extension tells the core: who is told of an issue, and what waits for whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from extensions.quality.flow import BINDING, FLOW
from extensions.quality.models.issue import QualityIssue
from extensions.quality.models.scan import TableScan
from portal.actor import Actor
from portal.extension import WorkItem
from portal.models.distribution import REVIEW, DataVersion, Distribution
from portal.models.duty import Deadline
from portal.models.entry import CatalogueEntry
from portal.services import notices

WORK_LIMIT = 200
WAITING_FOR_OWNER = ("ordered", "escalated")
WAITING_FOR_BUREAU = ("open", "fixed")


def issue_owner(session: Session, issue: Any) -> Iterable[int]:
    return notices.accounts_acting_as(session, "agency", frozenset({issue.owner_id}))


def issue_orderer(session: Session, issue: Any) -> Iterable[int]:
    """Return who ordered the rectification; the Bureau where the system did."""
    if issue.ordered_by is not None:
        return [issue.ordered_by]
    return notices.accounts_acting_as(session, "bureau", None)


def waiting_issues(session: Session, actor: Actor) -> Sequence[WorkItem]:
    """Return the issues that the actor's organisation has to mend, or the Bureau to decide."""
    conditions = []
    if own := actor.acts_for("agency"):
        conditions.append(
            QualityIssue.owner_id.in_(own) & QualityIssue.state.in_(WAITING_FOR_OWNER)
        )
    if actor.is_kind("bureau"):
        conditions.append(QualityIssue.state.in_(WAITING_FOR_BUREAU))
    if not conditions:
        return []
    rows = session.execute(
        select(QualityIssue, Deadline.id)
        .outerjoin(
            Deadline,
            (Deadline.flow == FLOW)
            & (Deadline.subject_id == QualityIssue.id)
            & Deadline.closed_at.is_(None),
        )
        .where(or_(*conditions))
        .order_by(Deadline.due_on, QualityIssue.id)
        .limit(WORK_LIMIT)
    ).all()
    return [
        WorkItem(
            title=BINDING.title(issue),
            kind=f"{BINDING.name}·{BINDING.state_labels[issue.state]}",
            link=BINDING.link(issue),
            deadline_id=deadline_id,
        )
        for issue, deadline_id in {issue.id: (issue, d) for issue, d in rows}.values()
    ]


def waiting_reviews(session: Session, actor: Actor) -> Sequence[WorkItem]:
    """Return the deliveries in which something was found and that the actor may decide on."""
    officers = actor.acts_for("agency_security_officer")
    departments = actor.acts_for("responsible_dept")
    if not officers and not departments:
        return []
    rows = session.execute(
        select(TableScan.id, Distribution.name)
        .join(DataVersion, DataVersion.id == TableScan.data_version_id)
        .join(Distribution, Distribution.current_version_id == DataVersion.id)
        .join(CatalogueEntry, CatalogueEntry.id == Distribution.entry_id)
        .where(
            DataVersion.hold == REVIEW,
            Distribution.deleted_at.is_(None),
            CatalogueEntry.provider_id.in_(officers)
            | CatalogueEntry.responsible_dept_id.in_(departments),
        )
        .order_by(TableScan.id)
        .limit(WORK_LIMIT)
    )
    return [WorkItem(name, "敏感信息审查", f"/work/sensitive/{scan_id}") for scan_id, name in rows]
