"""What every event of an application shares: one transaction, and once for each key."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.access.flow import FLOW
from extensions.access.models.application import AccessApplication
from extensions.access.models.interface import DataInterface
from portal.actor import Actor
from portal.clock import Clock
from portal.models.account import Account
from portal.models.audit import AuditEvent
from portal.services.flow import Flow
from portal.services.guards import refuse
from portal.services.index_requests import request_index
from portal.services.value import recompute_value


class ApplicationEvents:
    """Fires events on applications. Never commits.

    `seen` is the `row_version` that the caller decided on, `key` makes an event idempotent.
    """

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._flow = Flow(FLOW, session, clock)

    def _new(self, actor: Actor, interface: DataInterface) -> AccessApplication:
        version = interface.entry.published_version
        applicant = self._session.get(Account, actor.account_id)
        if version is None or applicant is None:
            raise refuse("entry", "not_open", "该数据目前没有有条件开放，不能申请。")
        now = self._clock()
        return AccessApplication(
            applicant_id=applicant.id,
            applicant=applicant,
            interface_id=interface.id,
            interface=interface,
            entry_id=interface.entry_id,
            entry=interface.entry,
            version_id=version.id,
            version=version,
            created_at=now,
            modified_at=now,
            correction=[],
        )

    def _fire(
        self,
        application: AccessApplication,
        event: str,
        actor: Actor,
        *,
        key: str | None,
        **facts: Any,
    ) -> bool:
        """Fire; False when this very event (same key) happened before, so that nothing repeats."""
        known = self._session.scalar(
            select(AuditEvent.id).where(
                AuditEvent.flow == FLOW,
                AuditEvent.subject_id == application.id,
                AuditEvent.event_key == key,
            )
        )
        self._flow.fire(application, event, actor, key=key, **facts)
        return key is None or known is None

    def _use_changed(self, application: AccessApplication) -> None:
        """Approved applications count for the entry's value score."""
        self._session.flush()
        entry = application.entry
        if entry.is_public and recompute_value(self._session, self._clock, entry):
            request_index(self._session, self._clock, entry)
