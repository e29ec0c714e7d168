"""Random inspections (抽查, Measures, art. 47): announce, draw, record what was found, conclude."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.codes import code_list
from portal.errors import Conflict, Invalid, NotFound
from portal.models.audit import AuditEvent
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.organisation import Organisation
from portal.models.spot_check import SpotCheck, SpotCheckItem
from portal.permissions import Permission, require
from portal.rules import sampling
from portal.services import audit, notices
from portal.services.inspection_findings import Finding, finding_keepers
from portal.services.overview import city_of

FLOW = "spot_check"
PASSED, PROBLEM = "passed", "problem"
SIZE_MAX = 500


@dataclass(frozen=True)
class Scope:
    """What is drawn from: public entries of an organisation, a city, a theme; empty means all."""

    organisation: str = ""
    region: str = ""
    theme: str = ""


class InspectionService:
    """Everything that may happen to a random inspection. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def announce(
        self,
        actor: Actor,
        title: str,
        scope: Scope,
        size: int,
        *,
        public_rule: str,
        key: str | None = None,
    ) -> SpotCheck:
        """Freeze what is drawn from and commit to a secret, before anything is drawn.

        Args:
            public_rule: where the public part of the seed will come from, named beforehand.
            key: of the form; the same click again returns what it announced.

        Raises:
            Invalid: no title, or the sample is not within 1 and what the scope holds.
        """
        require(actor, Permission.INSPECTION_MANAGE)
        if (earlier := self._announced(key)) is not None:
            return earlier
        if not title.strip():
            raise Invalid.one("title", "missing", "请填写抽查名称。")
        if not public_rule.strip():
            raise Invalid.one(
                "public_rule", "missing", "请写明公开随机数取自哪里，如某日某期彩票开奖号码。"
            )
        codes = population(self._session, scope)
        if not 1 <= size <= min(len(codes), SIZE_MAX):
            raise Invalid.one(
                "size", "range", "抽取数量应在1和{most}之间。", most=min(len(codes), SIZE_MAX)
            )
        secret = secrets.token_hex(16)
        made = SpotCheck(
            title=title.strip()[:200],
            scope={
                "organisation": scope.organisation,
                "region": scope.region,
                "theme": scope.theme,
                "public_rule": public_rule.strip()[:500],
            },
            sample_size=size,
            population=codes,
            population_digest=sampling.population_digest(codes),
            commitment=sampling.digest(secret),
            secret=secret,
            announced_by=actor.name,
            announced_at=self._clock(),
        )
        self._session.add(made)
        self._session.flush()
        self._record(
            actor, made, "announce",
            {"population": made.population_digest, "commitment": made.commitment, "size": size},
            key=key,
        )  # fmt: skip
        return made

    def _announced(self, key: str | None) -> SpotCheck | None:
        query = (
            select(SpotCheck)
            .join(AuditEvent, AuditEvent.subject_id == SpotCheck.id)
            .where(
                AuditEvent.flow == FLOW, AuditEvent.event == "announce", AuditEvent.event_key == key
            )
        )
        return self._session.scalars(query).first() if key is not None else None

    def draw(self, actor: Actor, check: SpotCheck, public_value: str) -> list[SpotCheckItem]:
        """Draw the sample with the public value, and tell the agencies whose data was drawn.

        Raises:
            Conflict: it was drawn already.
            Invalid: the public value is missing.
        """
        require(actor, Permission.INSPECTION_MANAGE)
        check = self._locked(check)
        if check.drawn_at is not None:
            raise Conflict("样本已经抽出，不能重抽。")
        value = public_value.strip()
        if not value:
            raise Invalid.one("public_value", "missing", "请填写公开随机数。")
        check.public_value, check.drawn_at = value[:200], self._clock()
        seed = sampling.seed_of(check.secret, check.public_value)
        drawn = sampling.draw(check.population, check.sample_size, seed)
        entries = self._entries([code for code, _ in drawn])
        items = [
            SpotCheckItem(
                check_id=check.id,
                entry=entries[code],
                entry_id=entries[code].id,
                place=n,
                mark=mark,
            )
            for n, (code, mark) in enumerate(drawn, 1)
        ]
        self._session.add_all(items)
        check.row_version += 1
        event = self._record(
            actor, check, "draw", {"seed": seed, "sample": [code for code, _ in drawn]}
        )
        self._tell_providers(actor, check, items, event, "抽中贵单位 {n} 项数据，请配合检查。")
        return items

    def record_finding(self, actor: Actor, item: SpotCheckItem, finding: str, note: str) -> None:
        """Record what was found of a drawn entry; a problem is told to its agency and department.

        A problem is handed to whoever has it mended (`inspection_findings`), and taken back when
        the entry has passed after all.

        Raises:
            Conflict: the inspection is concluded, or mending was ordered already.
            Invalid: no such finding, or a problem without words.
        """
        require(actor, Permission.INSPECTION_MANAGE)
        check = self._locked(get_check(self._session, item.check_id))
        if check.concluded_at is not None:
            raise Conflict("抽查已经结束，不能再修改结果。")
        if finding not in (PASSED, PROBLEM):
            raise Invalid.one("finding", "missing", "请选择检查结果。")
        if finding == PROBLEM and not note.strip():
            raise Invalid.one("note", "missing", "请写明发现的问题和整改要求。")
        earlier = item.finding
        item.finding, item.note = finding, note.strip()
        item.found_by, item.found_at = actor.name, self._clock()
        event = self._record(
            actor, check, "find", {"finding": finding, "place": item.place},
            entry_id=item.entry_id, reason=item.note,
        )  # fmt: skip
        if finding == PROBLEM:
            owners = {item.entry.provider_id, item.entry.responsible_dept_id}
            text = f"抽查“{check.title}”发现问题：{item.entry.code}。{item.note}"
            self._tell(actor, owners, event, text, check)
        for keeper in finding_keepers():
            if finding == PROBLEM:
                keeper.found(self._session, self._clock, actor, _finding(check, item))
            elif earlier == PROBLEM:
                keeper.corrected(self._session, self._clock, actor, _finding(check, item))

    def conclude(
        self, actor: Actor, check: SpotCheck, conclusion: str, *, due_on: date | None = None
    ) -> None:
        """End the inspection, publish what was found, and order the problems to be mended.

        Args:
            due_on: the last local day for mending; None leaves the usual days.

        Raises:
            Conflict: not drawn yet, or concluded already.
            Invalid: an entry was not looked at, or there is no conclusion.
            GuardRefused: mending cannot be ordered for that day.
        """
        require(actor, Permission.INSPECTION_MANAGE)
        check = self._locked(check)
        if check.drawn_at is None or check.concluded_at is not None:
            raise Conflict("抽查还没有抽样，或已经结束。")
        items = list_items(self._session, check.id)
        waiting = sum(not item.finding for item in items)
        if waiting:
            raise Invalid.one("finding", "waiting", "还有{n}项没有记录检查结果。", n=waiting)
        if not conclusion.strip():
            raise Invalid.one("conclusion", "missing", "请填写结论。")
        check.conclusion, check.concluded_at = conclusion.strip(), self._clock()
        check.row_version += 1
        event = self._record(actor, check, "conclude", {}, reason=check.conclusion)
        self._tell_providers(actor, check, items, event, "已公布结果，涉及贵单位 {n} 项数据。")
        for keeper in finding_keepers():
            for item in items:
                if item.finding == PROBLEM:
                    finding = _finding(check, item)
                    keeper.order(self._session, self._clock, actor, finding, due_on)

    def _locked(self, check: SpotCheck) -> SpotCheck:
        """Return the row as it is now, held until the end of the transaction."""
        self._session.flush()
        self._session.refresh(check, with_for_update=True)
        return check

    def _entries(self, codes: Iterable[str]) -> dict[str, CatalogueEntry]:
        query = select(CatalogueEntry).where(CatalogueEntry.code.in_(list(codes)))
        return {entry.code: entry for entry in self._session.scalars(query).unique()}

    def _tell_providers(
        self,
        actor: Actor,
        check: SpotCheck,
        items: Iterable[SpotCheckItem],
        event: AuditEvent,
        words: str,
    ) -> None:
        counts: dict[int, int] = {}
        for item in items:
            provider = item.entry.provider_id
            counts[provider] = counts.get(provider, 0) + 1
        for provider, n in sorted(counts.items()):
            text = f"抽查“{check.title}”{words.format(n=n)}"
            self._tell(actor, {provider}, event, text, check)

    def _tell(
        self, actor: Actor, organisations: set[int], event: AuditEvent, text: str, check: SpotCheck
    ) -> None:
        accounts: set[int] = set()
        for kind in ("agency", "responsible_dept"):
            accounts |= notices.accounts_acting_as(self._session, kind, frozenset(organisations))
        told = accounts - {actor.account_id}
        notices.tell(self._session, self._clock, told, event, text, f"/inspections/{check.id}")

    def _record(
        self,
        actor: Actor,
        check: SpotCheck,
        event: str,
        details: dict[str, object],
        *,
        entry_id: int | None = None,
        reason: str = "",
        key: str | None = None,
    ) -> AuditEvent:
        return audit.record(
            self._session,
            self._clock,
            actor,
            flow=FLOW,
            event=event,
            subject_id=check.id,
            entry_id=entry_id,
            reason=reason,
            details=details,
            event_key=key,
        )


def _finding(check: SpotCheck, item: SpotCheckItem) -> Finding:
    return Finding(item.id, item.entry, item.note, check.title)


def population(session: Session, scope: Scope) -> list[str]:
    """Return the codes of the public entries of a scope, in order."""
    query = (
        select(CatalogueEntry.code)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
        .where(CatalogueEntry.retired_at.is_(None))
    )
    if scope.organisation:
        query = query.where(Organisation.code == scope.organisation)
    if scope.region:
        codes = [r.code for r in code_list("regions") if city_of(r.code) == scope.region]
        query = query.where(Organisation.region_code.in_(codes))
    if scope.theme:
        query = query.where(EntryVersion.theme == scope.theme)
    return sorted(session.scalars(query))


def get_check(session: Session, check_id: int) -> SpotCheck:
    found = session.get(SpotCheck, check_id)
    if found is None:
        raise NotFound("没有这次抽查。")
    return found


def get_item(session: Session, item_id: int) -> SpotCheckItem:
    found = session.get(SpotCheckItem, item_id)
    if found is None:
        raise NotFound("没有这个抽查项目。")
    return found


def list_checks(session: Session) -> list[SpotCheck]:
    return list(session.scalars(select(SpotCheck).order_by(SpotCheck.id.desc())))


def list_items(session: Session, check_id: int) -> list[SpotCheckItem]:
    query = select(SpotCheckItem).where(SpotCheckItem.check_id == check_id)
    return list(session.scalars(query.order_by(SpotCheckItem.place)).unique())


def titles_of(session: Session, items: Iterable[SpotCheckItem]) -> dict[int, str]:
    """Return entry id -> title of the version that the public saw last."""
    ids = [item.entry.published_version_id for item in items]
    query = select(EntryVersion.entry_id, EntryVersion.title).where(EntryVersion.id.in_(ids))
    return {row.entry_id: row.title for row in session.execute(query)}


def count_waiting(session: Session) -> list[tuple[SpotCheck, int]]:
    """Return drawn inspections that are not concluded, with how many entries wait to be looked at."""
    query = (
        select(SpotCheck, func.count(SpotCheckItem.id).filter(SpotCheckItem.finding == ""))
        .join(SpotCheckItem, SpotCheckItem.check_id == SpotCheck.id)
        .where(SpotCheck.concluded_at.is_(None))
        .group_by(SpotCheck.id)
        .order_by(SpotCheck.id)
    )
    return [(check, waiting) for check, waiting in session.execute(query)]
