"""Applications for conditionally open data: from draft to decision (flow F5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from extensions.access.flow import FLOW
from extensions.access.models.application import (
    AccessApplication,
    find_by_form_key,
    find_undecided,
)
from extensions.access.models.interface import DataInterface
from extensions.access.policy import FIRST_VERSION
from extensions.access.rules import Request, Terms
from extensions.access.services.grants import GrantEvents
from extensions.access.services.policies import current_version
from portal.actor import Actor
from portal.clock import local_date
from portal.errors import Conflict, Forbidden, Unauthenticated
from portal.services.deadlines import extend_deadlines

EDITABLE = ("draft", "correction_needed")


class ApplicationService(GrantEvents):
    """Everything that may happen to an application, and to the grant that follows. Never commits.

    `seen` is the `row_version` that the caller decided on, `key` makes an event idempotent.
    """

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
        """Hand the application in, under the policy that counts now.

        Raises:
            GuardRefused: naming all that is missing.
        """
        if application.state == "draft":
            application.policy_version = current_version(self._session)
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
            "terms": _terms_of(terms),
            "policy_version": application.policy_version or FIRST_VERSION,
            "version_id": application.version_id,
            "content_hash": application.version.content_hash,
        }
        if not self._fire(
            application, "approve", actor, seen=seen, key=key, terms=terms, details=details
        ):
            return application
        application.granted_fields = list(dict.fromkeys(terms.fields))
        application.quota_day, application.per_minute = terms.quota_day, terms.per_minute
        application.per_second, application.quota_term = terms.per_second, terms.quota_term
        application.valid_until = local_date(self._clock()) + timedelta(days=terms.term_days)
        application.conditions = terms.conditions.strip()
        application.granted_masking = dict(terms.masking)
        application.row_filters = [dict(one) for one in terms.row_filters]
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


def _write(application: AccessApplication, request: Request) -> None:
    application.purpose, application.scenario = request.purpose, request.scenario
    application.fields = list(dict.fromkeys(request.fields))
    application.volume_a_day, application.term_days = request.volume_a_day, request.term_days
    application.capability = request.capability
    application.undertakings = list(dict.fromkeys(request.undertakings))
    application.storage = request.storage
    reasons = request.field_reasons or {}
    application.field_reasons = {n: t for n, t in reasons.items() if n in application.fields and t}


def _terms_of(terms: Terms) -> dict[str, Any]:
    return {
        **asdict(terms),
        "fields": list(terms.fields),
        "masking": dict(terms.masking),
        "row_filters": [dict(one) for one in terms.row_filters],
    }


def _asked(application: AccessApplication) -> dict[str, Any]:
    return {
        "fields": list(application.fields),
        "volume_a_day": application.volume_a_day,
        "term_days": application.term_days,
        "undertakings": list(application.undertakings),
        "policy_version": application.policy_version,
        "version_id": application.version_id,
    }
