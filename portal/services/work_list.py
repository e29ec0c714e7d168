"""What waits for an actor: one query a kind of work, the deadlines joined (read model).

Nothing here decides who may do what: each kind is listed for those whom its flow's table names,
and the page behind the link asks the flow itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock, local_date
from portal.models.duty import Deadline
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.freshness import Freshness
from portal.models.harvest import HarvestRun, HarvestSource
from portal.models.open_list import OpenListEntry
from portal.models.organisation import Organisation
from portal.rules.calendar import due_after
from portal.services.calendar_notices import missing_year
from portal.services.clockface import Clockface, clockface
from portal.services.deadlines import work_calendar
from portal.services.freshness_flow import grace_days_of
from portal.services.index_quarantine import list_quarantined
from portal.services.inspections import count_waiting

LIMIT_A_KIND = 500
KINDS = {
    "returned": "退回待修改",
    "submitted": "待审核目录",
    "proposed": "待保密审查",
    "planned": "计划开放",
    "overdue": "数据待更新",
    "draft": "草稿",
    "second_look": "导入采集待复核",
    "removals": "采集撤下待确认",
    "unfindable": "检索索引未收录",
    "calendar": "节假日安排待载入",
    "supplementary": "待审补充目录",
    "inspection": "随机抽查",
}
STEPS = {
    "returned": "修改后重新提交",
    "submitted": "审核",
    "proposed": "保密审查",
    "planned": "办理开放",
    "overdue": "更新数据",
    "draft": "继续编辑",
    "second_look": "复核",
    "removals": "核对后确认",
    "unfindable": "查明原因",
    "calendar": "载入",
    "supplementary": "审核",
    "inspection": "记录结果",
}


class OutsideItem(Protocol):
    """What an extension says of one thing that waits (`portal.extension.WorkItem`)."""

    @property
    def title(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def link(self) -> str: ...
    @property
    def deadline_id(self) -> int | None: ...


OutsideSource = Callable[[Session, Actor], Sequence[OutsideItem]]


@dataclass(frozen=True)
class WorkRow:
    """One thing that waits. `kind` is a key of KINDS, or an extension's own words."""

    kind: str
    title: str
    link: str
    organisation: str = ""
    since: datetime | None = None
    clock: Clockface | None = None
    score: float | None = None
    note: str = ""

    @property
    def kind_label(self) -> str:
        return KINDS.get(self.kind, self.kind)

    @property
    def step_label(self) -> str:
        return STEPS.get(self.kind, "办理")

    @property
    def urgency(self) -> tuple[int, date, float]:
        """Overdue first, then by day; then without a clock, high value first."""
        group = 1 if self.clock else 2
        return (group, self.clock.due_on if self.clock else date.max, -(self.score or 0.0))


class WorkList:
    """Reads the work list of one actor. Writes nothing."""

    def __init__(
        self, session: Session, clock: Clock, actor: Actor, outside: Iterable[OutsideSource] = ()
    ) -> None:
        self._session, self._clock, self._actor = session, clock, actor
        self._outside = tuple(outside)

    def rows(self) -> list[WorkRow]:
        """Return everything that waits, what is due first on top; each thing once."""
        found: dict[tuple[str, str], WorkRow] = {}
        for row in (
            *self._versions(),
            *self._supplementary(),
            *self._places(),
            *self._stale(),
            *self._bureau(),
        ):
            known = found.get((row.kind, row.link))
            if known is None or row.urgency < known.urgency:
                found[(row.kind, row.link)] = row
        for row in self._from_outside():
            found.setdefault((row.kind, row.link), row)
        return sorted(found.values(), key=lambda row: row.urgency)

    def _versions(self) -> Iterable[WorkRow]:
        """Drafts and returned versions of the own organisation; submitted ones for the Bureau."""
        own = or_(
            CatalogueEntry.provider_id.in_(self._actor.acts_for("agency")),
            CatalogueEntry.responsible_dept_id.in_(self._actor.acts_for("responsible_dept")),
        )
        mine = and_(EntryVersion.state.in_(("draft", "returned")), own)
        theirs = and_(EntryVersion.state == "submitted", ~_CITY_COMPILED)
        wanted = or_(mine, theirs) if self._actor.is_kind("bureau") else mine
        query = _with_deadline(
            select(
                EntryVersion.id,
                EntryVersion.title,
                EntryVersion.state,
                EntryVersion.number,
                EntryVersion.modified_at.label("since"),
                Organisation.name,
                Organisation.short_name,
                *_DEADLINE,
            )
            .join(CatalogueEntry, CatalogueEntry.id == EntryVersion.entry_id)
            .join(Organisation, Organisation.id == CatalogueEntry.provider_id),
            "catalogue_entry",
            EntryVersion.id,
        ).where(EntryVersion.state.in_(("draft", "returned", "submitted")), wanted)
        for row in self._read(query, EntryVersion.modified_at.desc()):
            edit = "/edit" if row.state in ("draft", "returned") else "#decide"
            note = f"第{row.number}版（修订）" if row.number > 1 else ""
            link = f"/work/versions/{row.id}{edit}"
            yield self._row(row.state, row.title or "（未命名）", link, row, note=note)

    def _supplementary(self) -> Iterable[WorkRow]:
        """Submitted supplementary entries, for the authority of their city."""
        query = _with_deadline(
            select(
                EntryVersion.id,
                EntryVersion.title,
                EntryVersion.modified_at.label("since"),
                Organisation.name,
                Organisation.short_name,
                *_DEADLINE,
            )
            .join(CatalogueEntry, CatalogueEntry.id == EntryVersion.entry_id)
            .join(Organisation, Organisation.id == CatalogueEntry.provider_id),
            "supplementary_entry",
            EntryVersion.id,
        ).where(
            EntryVersion.state == "submitted",
            _CITY_COMPILED,
            CatalogueEntry.responsible_dept_id.in_(self._actor.acts_for("city_authority")),
        )
        for row in self._read(query, EntryVersion.modified_at.desc()):
            link = f"/work/supplementary/{row.id}#decide"
            yield self._row("supplementary", row.title, link, row)

    def _places(self) -> Iterable[WorkRow]:
        """Proposed places for the security officer, planned ones for the agency."""
        actor = self._actor
        proposed = and_(
            OpenListEntry.state == "proposed",
            CatalogueEntry.provider_id.in_(actor.acts_for("agency_security_officer")),
        )
        planned = and_(
            OpenListEntry.state == "planned",
            CatalogueEntry.provider_id.in_(actor.acts_for("agency")),
        )
        query = _with_deadline(
            select(
                OpenListEntry.id,
                EntryVersion.title,
                OpenListEntry.state,
                OpenListEntry.proposed_at.label("since"),
                CatalogueEntry.value_score,
                CatalogueEntry.value_badge,
                Organisation.name,
                Organisation.short_name,
                *_DEADLINE,
            )
            .join(EntryVersion, EntryVersion.id == OpenListEntry.version_id)
            .join(CatalogueEntry, CatalogueEntry.id == OpenListEntry.entry_id)
            .join(Organisation, Organisation.id == CatalogueEntry.provider_id),
            "open_list_entry",
            OpenListEntry.id,
        ).where(OpenListEntry.state.in_(("proposed", "planned")), or_(proposed, planned))
        for row in self._read(query, CatalogueEntry.value_score.desc()):
            note = "高价值" if row.value_badge else ""
            link = f"/work/open-list/{row.id}#decide"
            yield self._row(row.state, row.title, link, row, score=row.value_score, note=note)

    def _stale(self) -> Iterable[WorkRow]:
        """Data of the own organisation whose update is due or overdue."""
        query = (
            select(
                CatalogueEntry.slug,
                EntryVersion.title,
                Freshness.state,
                Freshness.due_at.label("since"),
                EntryVersion.update_frequency,
                CatalogueEntry.value_score,
                Organisation.name,
                Organisation.short_name,
                *_DEADLINE,
            )
            .join(CatalogueEntry, CatalogueEntry.id == Freshness.entry_id)
            .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
            .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
            .outerjoin(
                Deadline,
                and_(
                    Deadline.flow == "freshness",
                    Deadline.subject_id == Freshness.id,
                    Deadline.state == "due",
                    Deadline.closed_at.is_(None),
                ),
            )
            .where(
                Freshness.state.in_(("due", "overdue")),
                CatalogueEntry.provider_id.in_(self._actor.acts_for("agency")),
            )
        )
        for row in self._read(query, Freshness.due_at):
            note = "已逾期，公众可见" if row.state == "overdue" else "更新周期已满，在宽限期内"
            link = f"/work/entries/{row.slug}/files"
            found = self._row("overdue", row.title, link, row, score=row.value_score, note=note)
            missed = self._missed(row) if row.state == "overdue" else None
            yield replace(found, clock=missed or found.clock)

    def _missed(self, row: Any) -> Clockface | None:
        """Return the day by which overdue data should have come: its period and its grace."""
        if row.since is None:
            return None
        start, grace = local_date(row.since), grace_days_of(row.update_frequency)
        due = due_after(start, grace, work_calendar(self._session)) if grace else None
        day, provisional = (due.date, due.provisional) if due else (start, False)
        return clockface(self._session, self._clock, day, provisional)

    def _bureau(self) -> Iterable[WorkRow]:
        """What only the Bureau sees: a second look at imports, removals that wait."""
        if not self._actor.is_kind("bureau"):
            return
        # Chosen before anything is joined: after an import on a large scale nearly all are waiting.
        waiting = CatalogueEntry.needs_second_look & CatalogueEntry.retired_at.is_(None)
        first = (
            select(CatalogueEntry.id)
            .where(waiting, CatalogueEntry.published_version_id.is_not(None))
            .order_by(CatalogueEntry.value_score.desc(), CatalogueEntry.id)
            .limit(LIMIT_A_KIND)
            .subquery()
        )
        query = (
            select(
                CatalogueEntry.slug,
                EntryVersion.id,
                EntryVersion.title,
                EntryVersion.published_at.label("since"),
                CatalogueEntry.value_score,
                Organisation.name,
                Organisation.short_name,
            )
            .join(first, first.c.id == CatalogueEntry.id)
            .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
            .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
            .order_by(CatalogueEntry.value_score.desc(), CatalogueEntry.id)
        )
        for row in self._session.execute(query):
            link = f"/work/versions/{row.id}#second-look"
            yield self._row("second_look", row.title, link, row, score=row.value_score)
        yield from self._unfindable()
        yield from self._removals()
        yield from self._calendar()
        for check, unseen in count_waiting(self._session):
            note = f"待检查 {unseen} 项" if unseen else "可以公布结果"
            link = f"/work/duties/inspections/{check.id}"
            yield WorkRow("inspection", check.title, link, since=check.drawn_at, note=note)

    def _unfindable(self) -> Iterable[WorkRow]:
        """Entries that the search index does not take: somebody must know, or they stay unfound."""
        for one in list_quarantined(self._session, limit=LIMIT_A_KIND):
            note = one.reason.split("\n")[0][:80]
            title = one.title or one.code
            yield WorkRow(
                "unfindable", title, f"/work/entries/{one.slug}", since=one.since, note=note
            )

    def _removals(self) -> Iterable[WorkRow]:
        if not self._actor.has_role("bureau_admin"):
            return
        query = (
            select(HarvestRun.id, HarvestRun.started_at, HarvestSource.name)
            .join(HarvestSource, HarvestSource.id == HarvestRun.source_id)
            .where(HarvestRun.state == "waiting")
            .order_by(HarvestRun.id)
            .limit(LIMIT_A_KIND)
        )
        for run in self._session.execute(query):
            yield WorkRow(
                "removals",
                f"采集源“{run.name}”",
                f"/work/sources/runs/{run.id}",
                since=run.started_at,
            )

    def _calendar(self) -> Iterable[WorkRow]:
        """The coming year's holidays, from 1 November on; due before December begins."""
        today = local_date(self._clock())
        missing = missing_year(self._session, today)
        if missing is None or not self._actor.has_role("bureau_admin"):
            return
        year, _urgent = missing
        due = clockface(self._session, self._clock, date(year - 1, 11, 30), False)
        yield WorkRow("calendar", f"{year}年节假日安排", "/work/duties/calendar", clock=due)

    def _from_outside(self) -> Iterable[WorkRow]:
        items = [item for source in self._outside for item in source(self._session, self._actor)]
        ids = [item.deadline_id for item in items if item.deadline_id is not None]
        query = select(Deadline.id, *_DEADLINE).where(Deadline.id.in_(ids))
        deadlines = {row.id: row for row in self._session.execute(query)} if ids else {}
        for item in items:
            due = deadlines.get(item.deadline_id)
            yield WorkRow(item.kind, item.title, item.link, clock=self._face(due) if due else None)

    def _read(self, query: Any, then_by: Any) -> Iterable[Any]:
        ordered = query.order_by(Deadline.due_on.is_(None), Deadline.due_on, then_by)
        return self._session.execute(ordered.limit(LIMIT_A_KIND))

    def _row(
        self,
        kind: str,
        title: str,
        link: str,
        row: Any,
        *,
        score: float | None = None,
        note: str = "",
    ) -> WorkRow:
        due = getattr(row, "due_on", None)
        return WorkRow(
            kind=kind,
            title=title,
            link=link,
            organisation=row.short_name or row.name,
            since=row.since,
            clock=self._face(row) if due else None,
            score=score,
            note=note,
        )

    def _face(self, deadline: Any) -> Clockface:
        return clockface(self._session, self._clock, deadline.due_on, deadline.provisional)


_CITY_COMPILED = and_(CatalogueEntry.supplementary.is_(True), CatalogueEntry.source_id.is_(None))
_DEADLINE = (Deadline.due_on, Deadline.provisional)


def _with_deadline(query: Any, flow: str, subject_id: Any) -> Any:
    """Join the open deadlines of a flow's subjects; a subject without one stays."""
    return query.outerjoin(
        Deadline,
        and_(
            Deadline.flow == flow,
            Deadline.subject_id == subject_id,
            Deadline.closed_at.is_(None),
        ),
    )
