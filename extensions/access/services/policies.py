"""Versions of the approval policy: read the one that counts, write the next one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, object_session

from extensions.access.models.application import AccessApplication
from extensions.access.models.policy import AccessPolicy
from extensions.access.permissions import AccessPermission
from extensions.access.policy import (
    FIRST_VERSION,
    Policy,
    PolicyRow,
    changes,
    class_of,
    first_policy,
    policy_defects,
)
from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict, Invalid
from portal.permissions import require
from portal.rules.entry_content import EntryContent
from portal.services import audit
from portal.services.content import content_of
from portal.services.guards import refuse

AUDIT_FLOW = "access_policy"


def current_version(session: Session) -> int:
    return session.scalar(select(func.max(AccessPolicy.version))) or FIRST_VERSION


def get_policy(session: Session, version: int | None = None) -> Policy:
    """Return a version of the policy; None for the current one."""
    number = version or current_version(session)
    kept = session.get(AccessPolicy, number) if number != FIRST_VERSION else None
    if kept is None:
        return first_policy()
    return Policy(kept.version, tuple(PolicyRow.from_dict(row) for row in kept.rows))


def list_policies(session: Session) -> list[AccessPolicy]:
    """Return the versions that the Bureau wrote, the newest first."""
    return list(session.scalars(select(AccessPolicy).order_by(AccessPolicy.version.desc())))


def row_of(session: Session, application: AccessApplication) -> PolicyRow:
    """Return the rules that count for an application: of the version it was handed in under."""
    policy = get_policy(session, _version_of(application, session))
    return policy.row(class_of(content_of(application.version), application.fields))


def row_for(session: Session, content: EntryContent, fields: Sequence[str]) -> PolicyRow:
    """Return the rules that a new application for these fields would come under."""
    return get_policy(session).row(class_of(content, fields))


def bound_row(application: AccessApplication) -> PolicyRow:
    """Return the same for an application that stands in a session."""
    session = object_session(application)
    assert session is not None
    return row_of(session, application)


def _version_of(application: AccessApplication, session: Session) -> int:
    if application.policy_version is not None:
        return application.policy_version
    handed_in = application.submitted_at is not None
    return FIRST_VERSION if handed_in else current_version(session)


def write_policy(
    session: Session,
    clock: Clock,
    actor: Actor,
    rows: Sequence[PolicyRow],
    *,
    reason: str,
    seen: int,
) -> AccessPolicy:
    """Write the next version; it counts for what is handed in from now on.

    Raises:
        Forbidden: the actor is no administrator of the Bureau.
        Conflict: somebody wrote a version since `seen` was read.
        Invalid, GuardRefused: with every defect; nothing changed, or no reason.
    """
    require(actor, AccessPermission.POLICY_WRITE)
    before = get_policy(session)
    if before.version != seen:
        raise Conflict("审批规则刚被修改，请刷新后重新填写。")
    defects = policy_defects(rows)
    if defects:
        raise Invalid(defects)
    changed = changes(before, rows)
    if not changed:
        raise refuse("", "unchanged", "没有任何改动。")
    if not reason.strip():
        raise refuse("reason", "missing", "请写明修改的理由。")
    policy = AccessPolicy(
        version=before.version + 1,
        rows=[row.as_dict() for row in rows],
        reason=reason.strip(),
        created_at=clock(),
        created_by=actor.account_id,
    )
    session.add(policy)
    session.flush()
    audit.record(
        session,
        clock,
        actor,
        flow=AUDIT_FLOW,
        event="write",
        subject_id=policy.version,
        reason=reason,
        details={"version": policy.version, "changes": [list(change) for change in changed]},
    )
    return policy
