"""What follows an approval: agreement, keys, suspension, the end, the renewal (flow F5)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from extensions.access.agreement import Agreement, write_agreement
from extensions.access.flow import grantable_of
from extensions.access.masking import is_masked
from extensions.access.models.agreement import AccessAgreement
from extensions.access.models.application import AccessApplication, find_undecided
from extensions.access.models.key import AccessKey, working_keys
from extensions.access.models.use_report import UseReport
from extensions.access.row_filters import in_words
from extensions.access.rules import MAX_KEY_OVERLAP_HOURS, Report
from extensions.access.services.application_events import ApplicationEvents
from extensions.access.services.gate import masked_further
from extensions.access.services.keys import NewKey, let_keys_run_out, make_key, revoke_keys
from extensions.access.services.usage import total_use
from portal.actor import SYSTEM, Actor
from portal.clock import SHANGHAI
from portal.errors import Conflict
from portal.services.content import content_of
from portal.services.guards import refuse
from portal.services.public_uses import PublicUse, tell_public_use


class GrantEvents(ApplicationEvents):
    """Everything that may happen to a grant. Never commits."""

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
        key_id: int | None = None,
        seen: int | None = None,
        key: str | None = None,
    ) -> NewKey:
        """Get a new secret; the old ones (or `key_id` alone) die at once, or in at most 24 hours.

        The new one has the name and the last day of the one whose place it takes.
        """
        if not 0 <= overlap_hours <= MAX_KEY_OVERLAP_HOURS:
            raise refuse(
                "overlap_hours",
                "out_of_range",
                "旧密钥最多再用{max}小时。",
                max=MAX_KEY_OVERLAP_HOURS,
            )
        replaced = self._replaced(application, key_id)
        details = {"overlap_hours": overlap_hours, "key_id": key_id}
        if not self._fire(application, "rotate_key", actor, seen=seen, key=key, details=details):
            raise _shown_once()
        now = self._clock()
        name, ends = (replaced.name or "", replaced.expires_at) if replaced else ("", None)
        let_keys_run_out(
            self._session, application.id, now, overlap_hours=overlap_hours, key_id=key_id
        )
        return make_key(self._session, application.id, now, name=name, expires_at=ends)

    def add_key(
        self,
        actor: Actor,
        application: AccessApplication,
        *,
        name: str,
        expires_on: date | None = None,
        seen: int | None = None,
        key: str | None = None,
    ) -> NewKey:
        """Get one more secret beside the others, with a last day of its own if wanted."""
        ends = _end_of(expires_on)
        details = {"name": name, "expires_on": str(expires_on or "")}
        facts = {"name": name, "expires_on": expires_on, "details": details}
        if not self._fire(application, "add_key", actor, seen=seen, key=key, **facts):
            raise _shown_once()
        now = self._clock()
        return make_key(self._session, application.id, now, name=name.strip(), expires_at=ends)

    def end_key(
        self,
        actor: Actor,
        application: AccessApplication,
        *,
        key_id: int,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        """End one secret at once; the others go on."""
        details = {"key_id": key_id}
        if self._fire(
            application, "end_key", actor, seen=seen, key=key, key_id=key_id, details=details
        ):
            self._session.get_one(AccessKey, key_id).revoked_at = self._clock()

    def report_use(
        self,
        actor: Actor,
        application: AccessApplication,
        report: Report,
        *,
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        """Hand the use report in; its public part is told to whoever keeps public uses.

        Raises:
            GuardRefused, Invalid: with every defect.
        """
        details = {"public": report.public is not None}
        if not self._fire(
            application, "report_use", actor, seen=seen, key=key, report=report, details=details
        ):
            return
        calls, rows = total_use(self._session, application.id)
        kept = UseReport(
            application_id=application.id,
            result=report.result,
            incidents=report.incidents,
            calls=calls,
            rows=rows,
            public=dict(report.public) if report.public else None,
            created_at=self._clock(),
        )
        self._session.add(kept)
        self._session.flush()
        if kept.public:
            self._tell_use(actor, application, kept)

    def _tell_use(self, actor: Actor, application: AccessApplication, kept: UseReport) -> None:
        public = kept.public or {}
        use = PublicUse(
            title=public["title"],
            kind=public.get("kind", ""),
            url=public["url"],
            maker=application.applicant_name,
            description=public["description"],
            entry_code=application.entry.code,
            key=f"use-report-{kept.id}",
        )
        tell_public_use(self._session, self._clock, actor, use)

    def _replaced(self, application: AccessApplication, key_id: int | None) -> AccessKey | None:
        """Return the secret whose place a new one takes; None for all of them."""
        if key_id is None:
            return None
        working = working_keys(self._session, application.id, self._clock())
        found = next((one for one in working if one.id == key_id), None)
        if found is None:
            raise refuse("key_id", "unknown", "请选择一个使用中的密钥。")
        return found

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
        per_second=application.per_second,
        quota_term=application.quota_term,
        masked=_masked_names(application),
        row_limits=in_words(application.row_filters, _item_names(application)),
        storage=application.storage or "",
    )


def _item_names(application: AccessApplication) -> dict[str, str]:
    version = application.entry.published_version or application.version
    return {item.field_name: item.name for item in content_of(version).items}


def _masked_names(application: AccessApplication) -> list[str]:
    """Return the names of the granted items that are given masked, by catalogue or by grant."""
    masking = application.granted_masking or {}
    items = grantable_of(application)
    return [
        items[name].name
        for name in application.granted_fields
        if name in items and is_masked(masked_further(items[name], masking).masking)
    ]


def _copy(earlier: AccessApplication, following: AccessApplication) -> None:
    """Prefill a renewal; the undertakings are to be given again."""
    following.purpose, following.scenario = earlier.purpose, earlier.scenario
    following.fields, following.capability = list(earlier.fields), earlier.capability
    following.volume_a_day, following.term_days = earlier.volume_a_day, earlier.term_days
    following.storage, following.field_reasons = earlier.storage, earlier.field_reasons
    following.undertakings = []


def _end_of(day: date | None) -> datetime | None:
    """Return the end of a local day."""
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI) if day else None


def _shown_once() -> Conflict:
    return Conflict("密钥只显示一次。如果没有保存，请更换密钥。")
