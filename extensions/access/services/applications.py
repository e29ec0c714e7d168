"""Applications for conditionally open data: from draft to grant, and its end (flow F5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.access.agreement import Agreement, write_agreement
from extensions.access.flow import FLOW, grantable_of
from extensions.access.models.agreement import AccessAgreement
from extensions.access.models.application import (
    AccessApplication,
    find_by_form_key,
    find_undecided,
)
from extensions.access.models.interface import DataInterface
from extensions.access.rules import MAX_KEY_OVERLAP_HOURS, Request, Terms
from extensions.access.services.keys import NewKey, let_keys_run_out, make_key, revoke_keys
from portal.actor import SYSTEM, Actor
from portal.clock import Clock, local_date
from portal.errors import Conflict, Forbidden, Unauthenticated
from portal.models.account import Account
from portal.models.audit import AuditEvent
from portal.services.deadlines import extend_deadlines
from portal.services.flow import Flow
from portal.services.guards import refuse
from portal.services.index_requests import request_index
from portal.services.value import recompute_value

EDITABLE = ("draft", "correction_needed")


class ApplicationService:
    """Everything that may happen to an application. Never commits.

    `seen` is the `row_version` that the caller decided on, `key` makes an event idempotent.
    """

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._flow = Flow(FLOW, session, clock)

    def create(
        self,
        actor: Actor,
        interface: DataInterface,
        request: Request = Request(),
        *,
        form_key: str | None = None,
    ) -> AccessApplication:
        """Begin a draft; the same `form_key` again returns the same draft.

        Raises:
            GuardRefused: not verified by real name, or the data is not open conditionally.
            Conflict: another application for this interface still waits for its end.
        """
        if actor.account_id is None:
            raise Unauthenticated()
        earlier = find_by_form_key(self._session, form_key) if form_key else None
        if earlier is not None and earlier.applicant_id == actor.account_id:
            return earlier
        if find_undecided(self._session, actor.account_id, interface.id) is not None:
            raise Conflict("您对该接口已有一份未办结的申请。")
        application = self._new(actor, interface)
        application.form_key = form_key if earlier is None else None
        _write(application, request)
        self._flow.create(application, "create", actor)
        return application

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

    def edit(
        self,
        actor: Actor,
        application: AccessApplication,
        request: Request,
        *,
        seen: int | None = None,
    ) -> AccessApplication:
        """Change what is asked, while it is a draft or has to be corrected."""
        if actor.account_id != application.applicant_id:
            raise Forbidden()
        if application.state not in EDITABLE:
            raise Conflict("申请已提交，现在不能修改。")
        if seen is not None and seen != application.row_version:
            raise Conflict()
        _write(application, request)
        application.modified_at = self._clock()
        self._session.flush()
        return application

    def submit(
        self,
        actor: Actor,
        application: AccessApplication,
        *,
        seen: int | None = None,
        key: str | None = None,
    ) -> AccessApplication:
        """Hand the application in. Raises GuardRefused naming all that is missing."""
        self._flow.fire(
            application, "submit", actor, seen=seen, key=key, details=_asked(application)
        )
        return application

    def accept(
        self,
        actor: Actor,
        application: AccessApplication,
        *,
        seen: int | None = None,
        key: str | None = None,
    ) -> AccessApplication:
        self._flow.fire(application, "accept", actor, seen=seen, key=key)
        return application

    def request_correction(
        self,
        actor: Actor,
        application: AccessApplication,
        defects: Sequence[Mapping[str, str]],
        *,
        seen: int | None = None,
        key: str | None = None,
    ) -> AccessApplication:
        """Give the one notice; `defects` are {field, text}, every one of them."""
        listed = [
            {"field": one.get("field", ""), "text": one["text"].strip(), "answer": ""}
            for one in defects
            if one.get("text", "").strip()
        ]
        if not self._fire(
            application,
            "request_correction",
            actor,
            seen=seen,
            key=key,
            defects=listed,
            details={
                "defects": [{"field": one["field"], "message": one["text"]} for one in listed]
            },
        ):
            return application
        application.correction = listed
        return application

    def resubmit(
        self,
        actor: Actor,
        application: AccessApplication,
        answers: Mapping[int, str],
        *,
        seen: int | None = None,
        key: str | None = None,
    ) -> AccessApplication:
        """Hand the corrected application in; `answers` by the defect's place, from 0."""
        details = {**_asked(application), "answers": [answers.get(n, "") for n in sorted(answers)]}
        if not self._fire(
            application, "resubmit", actor, seen=seen, key=key, answers=answers, details=details
        ):
            return application
        application.correction = [
            {**defect, "answer": answers.get(n, "").strip()}
            for n, defect in enumerate(application.correction)
        ]
        return application

    def withdraw(
        self,
        actor: Actor,
        application: AccessApplication,
        *,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        self._flow.fire(application, "withdraw", actor, seen=seen, key=key)

    def approve(
        self,
        actor: Actor,
        application: AccessApplication,
        terms: Terms,
        *,
        seen: int | None = None,
        key: str | None = None,
    ) -> AccessApplication:
        """Grant the terms: fields among those asked for, limits, days from today.

        Raises:
            GuardRefused: the reviewer's own organisation asks, or the terms are out of bounds.
        """
        details = {
            "terms": {**asdict(terms), "fields": list(terms.fields)},
            "version_id": application.version_id,
            "content_hash": application.version.content_hash,
        }
        if not self._fire(
            application, "approve", actor, seen=seen, key=key, terms=terms, details=details
        ):
            return application
        application.granted_fields = list(dict.fromkeys(terms.fields))
        application.quota_day, application.per_minute = terms.quota_day, terms.per_minute
        application.valid_until = local_date(self._clock()) + timedelta(days=terms.term_days)
        application.conditions = terms.conditions.strip()
        application.decided_by = actor.account_id
        self._use_changed(application)
        return application

    def reject(
        self,
        actor: Actor,
        application: AccessApplication,
        *,
        ground: str,
        reason: str,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        """Refuse; `ground` is a code of REJECT_GROUNDS."""
        if self._fire(
            application,
            "reject",
            actor,
            reason=reason,
            seen=seen,
            key=key,
            ground=ground,
            details={"ground": ground},
        ):
            application.reject_ground, application.reason = ground, reason.strip()
            application.decided_by = actor.account_id

    def extend(
        self,
        actor: Actor,
        application: AccessApplication,
        *,
        working_days: int,
        reason: str,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        """Lengthen the review, once, by 1 to 10 working days."""
        if self._fire(
            application,
            "extend",
            actor,
            reason=reason,
            seen=seen,
            key=key,
            working_days=working_days,
            details={"working_days": working_days},
        ):
            extend_deadlines(self._session, FLOW, application.id, working_days)

    def issue_key(
        self,
        actor: Actor,
        application: AccessApplication,
        *,
        accepted: bool,
        agreement_hash: str,
        seen: int | None = None,
        key: str | None = None,
    ) -> NewKey:
        """Accept the use agreement and get the secret, which is never shown again.

        Raises:
            GuardRefused: not accepted, or another text than the granted terms give.
            Conflict: done before; the secret cannot be shown twice.
        """
        agreement = agreement_of(application)
        if not self._fire(
            application,
            "issue_key",
            actor,
            seen=seen,
            key=key,
            accepted=accepted,
            accepted_hash=agreement_hash,
            agreement=agreement,
            details={"agreement": agreement.version, "hash": agreement.hash},
        ):
            raise _shown_once()
        self._session.add(
            AccessAgreement(
                application_id=application.id,
                version=agreement.version,
                hash=agreement.hash,
                text=agreement.text,
                accepted_by=actor.account_id,
                accepted_at=self._clock(),
            )
        )
        return make_key(self._session, application.id, self._clock())

    def rotate_key(
        self,
        actor: Actor,
        application: AccessApplication,
        *,
        overlap_hours: int = 0,
        seen: int | None = None,
        key: str | None = None,
    ) -> NewKey:
        """Get a new secret; the old one dies at once, or after at most 24 hours."""
        if not 0 <= overlap_hours <= MAX_KEY_OVERLAP_HOURS:
            raise refuse(
                "overlap_hours",
                "out_of_range",
                "旧密钥最多再用{max}小时。",
                max=MAX_KEY_OVERLAP_HOURS,
            )
        details = {"overlap_hours": overlap_hours}
        if not self._fire(application, "rotate_key", actor, seen=seen, key=key, details=details):
            raise _shown_once()
        now = self._clock()
        let_keys_run_out(self._session, application.id, now, overlap_hours=overlap_hours)
        return make_key(self._session, application.id, now)

    def suspend(
        self,
        actor: Actor,
        application: AccessApplication,
        *,
        reason: str,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        """Stop calls from the next one on, until resumed."""
        self._flow.fire(application, "suspend", actor, reason=reason, seen=seen, key=key)
        application.reason = reason.strip()

    def resume(
        self,
        actor: Actor,
        application: AccessApplication,
        *,
        reason: str,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        self._flow.fire(application, "resume", actor, reason=reason, seen=seen, key=key)
        application.reason = reason.strip()

    def revoke(
        self,
        actor: Actor,
        application: AccessApplication,
        *,
        reason: str,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        """End the grant; calls fail from the next one on, in every process."""
        self._flow.fire(application, "revoke", actor, reason=reason, seen=seen, key=key)
        application.reason = reason.strip()
        revoke_keys(self._session, application.id, self._clock())
        self._use_changed(application)

    def renew(
        self,
        actor: Actor,
        application: AccessApplication,
        *,
        seen: int | None = None,
        key: str | None = None,
    ) -> AccessApplication:
        """Begin a new application, prefilled, near the end of this one; returns the new one."""
        if find_undecided(self._session, application.applicant_id, application.interface_id):
            raise Conflict("您对该接口已有一份未办结的申请。")
        self._flow.fire(application, "renew", actor, seen=seen, key=key)
        following = self._new(actor, application.interface)
        following.renews_id = application.id
        _copy(application, following)
        self._flow.create(following, "create", actor)
        return following

    def expire(self, application: AccessApplication) -> None:
        self._flow.fire(application, "expire", SYSTEM)

    def lapse(self, application: AccessApplication) -> None:
        self._flow.fire(application, "lapse", SYSTEM)

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


def agreement_of(application: AccessApplication) -> Agreement:
    """Return the agreement that the granted terms give."""
    if application.valid_until is None or not application.granted_fields:
        raise Conflict("申请还没有获得同意。")
    items = grantable_of(application)
    names = [items[name].name if name in items else name for name in application.granted_fields]
    return write_agreement(
        number=application.number,
        provider=application.entry.provider.name,
        applicant=application.applicant_name,
        dataset=application.version.title,
        dataset_code=application.entry.code,
        purpose=application.purpose,
        scenario=application.scenario,
        field_names=names,
        quota_day=application.quota_day or 0,
        per_minute=application.per_minute or 0,
        valid_until=application.valid_until,
        conditions=application.conditions,
    )


def _write(application: AccessApplication, request: Request) -> None:
    application.purpose, application.scenario = request.purpose, request.scenario
    application.fields = list(dict.fromkeys(request.fields))
    application.volume_a_day, application.term_days = request.volume_a_day, request.term_days
    application.capability = request.capability
    application.undertakings = list(dict.fromkeys(request.undertakings))


def _copy(earlier: AccessApplication, following: AccessApplication) -> None:
    """Prefill a renewal; the undertakings are to be given again."""
    following.purpose, following.scenario = earlier.purpose, earlier.scenario
    following.fields, following.capability = list(earlier.fields), earlier.capability
    following.volume_a_day, following.term_days = earlier.volume_a_day, earlier.term_days
    following.undertakings = []


def _asked(application: AccessApplication) -> dict[str, Any]:
    return {
        "fields": list(application.fields),
        "volume_a_day": application.volume_a_day,
        "term_days": application.term_days,
        "undertakings": list(application.undertakings),
        "version_id": application.version_id,
    }


def _shown_once() -> Conflict:
    return Conflict("密钥只显示一次。如果没有保存，请更换密钥。")
