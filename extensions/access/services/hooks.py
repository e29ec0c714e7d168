"""What the extension tells the core: audiences, value signals, to-do items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from extensions.access.flow import BINDING, FLOW
from extensions.access.models.application import GRANTED, UNDECIDED, AccessApplication
from extensions.access.models.interface import DataInterface
from portal.actor import Actor
from portal.clock import system_clock
from portal.extension import ListedInterface, WorkItem
from portal.models.account import Membership
from portal.models.duty import Deadline
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.open_list import OpenListEntry
from portal.models.organisation import Organisation
from portal.services.value import USE_WINDOW_DAYS

WAITING_FOR_AGENCY = ("submitted", "under_review")
WORK_LIMIT = 200
LISTED_LIMIT = 500


def grantees(session: Session, subject: Any) -> Iterable[int]:
    """Return the accounts that hold a grant on the subject's entry."""
    entry_id = subject.id if isinstance(subject, CatalogueEntry) else subject.entry_id
    return session.scalars(
        select(AccessApplication.applicant_id)
        .where(AccessApplication.entry_id == entry_id, AccessApplication.state.in_(GRANTED))
        .distinct()
    ).all()


def open_applications(session: Session, account_id: int) -> str | None:
    """Whoever has a grant, or an application that is being decided, ends it before they go."""
    count = session.scalar(
        select(func.count(AccessApplication.id)).where(
            AccessApplication.applicant_id == account_id,
            AccessApplication.state.in_((*UNDECIDED, *GRANTED)),
        )
    )
    if not count:
        return None
    return "您还有未办结的数据申请或使用中的授权，请先撤回申请或停止使用，再注销账号。"


def approved_applications(session: Session, entry_id: int) -> Mapping[str, int]:
    """Count the distinct people whose application was approved in the last 180 days.

    Not those of revoked grants, nor members of the provider, which cannot raise its own value
    (domain/high-value.md, D_use).
    """
    since = system_clock() - timedelta(days=USE_WINDOW_DAYS)
    is_own = (
        select(Membership.id)
        .join(CatalogueEntry, CatalogueEntry.provider_id == Membership.organisation_id)
        .where(
            CatalogueEntry.id == entry_id, Membership.account_id == AccessApplication.applicant_id
        )
    )
    count = session.scalar(
        select(func.count(func.distinct(AccessApplication.applicant_id))).where(
            AccessApplication.entry_id == entry_id,
            AccessApplication.approved_at >= since,
            AccessApplication.state != "revoked",
            ~is_own.exists(),
        )
    )
    return {"approved_applications": count or 0}


def waiting_applications(session: Session, actor: Actor) -> Sequence[WorkItem]:
    """Return the applications that wait for a decision of the actor's agency."""
    agencies = actor.acts_for("agency")
    if not agencies:
        return []
    rows = session.execute(
        select(AccessApplication, Deadline.id)
        .join(CatalogueEntry, CatalogueEntry.id == AccessApplication.entry_id)
        .outerjoin(
            Deadline,
            (Deadline.flow == FLOW)
            & (Deadline.subject_id == AccessApplication.id)
            & Deadline.closed_at.is_(None),
        )
        .where(
            CatalogueEntry.provider_id.in_(agencies),
            AccessApplication.state.in_(WAITING_FOR_AGENCY),
        )
        .order_by(Deadline.due_on, AccessApplication.id)
        .limit(WORK_LIMIT)
    ).all()
    return [
        WorkItem(
            title=BINDING.title(application),
            kind=f"{BINDING.name}·{BINDING.state_labels[application.state]}",
            link=f"/work/applications/{application.id}",
            deadline_id=deadline_id,
        )
        for application, deadline_id in rows
    ]


def listed_interfaces(session: Session) -> Sequence[ListedInterface]:
    """Return the interfaces that may be applied for now, by name (developer centre)."""
    query = (
        select(
            DataInterface.name,
            DataInterface.api_code,
            CatalogueEntry.slug,
            EntryVersion.title,
            Organisation.name,
        )
        .join(CatalogueEntry, CatalogueEntry.id == DataInterface.entry_id)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
        .join(OpenListEntry, OpenListEntry.entry_id == CatalogueEntry.id)
        .where(
            DataInterface.withdrawn_at.is_(None),
            CatalogueEntry.retired_at.is_(None),
            OpenListEntry.state == "open",
            OpenListEntry.open_type == "conditional",
        )
        .order_by(EntryVersion.title, DataInterface.id)
        .limit(LISTED_LIMIT)
    )
    return [
        ListedInterface(
            name or title, f"/data/v1/{code}", slug, title, provider, f"/interfaces/{code}"
        )
        for name, code, slug, title, provider in session.execute(query)
    ]
