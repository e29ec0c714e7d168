"""Numbers of the whole catalogue for the Bureau, by organisation, city or theme (read model).

The same conditions stand behind each number and behind the list that it links to
(`entry_list.EntryFilter`), so that a count is what a click then finds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from portal.clock import SHANGHAI, Clock, local_date
from portal.codes import code_list, region_and_ancestors
from portal.models.distribution import Download
from portal.models.duty import Deadline
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.freshness import Freshness
from portal.models.open_list import ENDED, OpenListEntry
from portal.models.organisation import BUREAU, Organisation

USE_DAYS = 30
DEADLINE_DAYS = 90
MONTHS = 12
DIMENSIONS = ("organisation", "city", "theme")
PROVINCE = "220000"
BUREAU_CODE = "JL-BUR"
WATCHED = ("current", "due", "overdue")


@dataclass
class Numbers:
    """One row. Downloads in the last USE_DAYS days, deadlines closed in the last DEADLINE_DAYS."""

    code: str
    published: int = 0
    open: int = 0
    planned: int = 0
    conditional: int = 0
    overdue: int = 0
    valued: int = 0
    watched: int = 0
    shared: int = 0
    downloads: int = 0
    met: int = 0
    missed: int = 0
    more: dict[str, int] = field(default_factory=dict)

    def add(self, other: Numbers) -> None:
        for name in COUNTED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name, count in other.more.items():
            self.more[name] = self.more.get(name, 0) + count

    @property
    def open_share(self) -> float | None:
        """Return the share of public entries that are open, in percent; None where there are none."""
        return round(100 * self.open / self.published, 1) if self.published else None

    @property
    def fresh_share(self) -> float | None:
        """Return the share of watched entries that are not overdue, in percent."""
        return (
            round(100 * (self.watched - self.overdue) / self.watched, 1) if self.watched else None
        )

    @property
    def punctuality(self) -> float | None:
        """Return the share of deadlines kept, in percent; None where there were none."""
        judged = self.met + self.missed
        return round(100 * self.met / judged, 1) if judged else None


OWES = (Organisation.id == Deadline.organisation_id) | (
    Deadline.organisation_id.is_(None)
    & (Deadline.actor_kind == BUREAU)
    & (Organisation.code == BUREAU_CODE)
)
"""Joins a deadline with who must keep it; the Bureau's own name no organisation."""

COUNTED = (
    "published", "open", "planned", "conditional", "overdue", "valued", "watched", "shared",
    "downloads", "met", "missed",
)  # fmt: skip


@dataclass(frozen=True)
class OverviewColumn:
    """A further number that an extension brings.

    parts: yields (organisation code, region code, theme, count); address: the page of the rows
    behind a number, by dimension and its code ("" for all).
    """

    name: str
    label: str
    parts: Callable[[Session], Iterable[tuple[str, str, str, int]]]
    address: Callable[[str, str], str]


@dataclass
class Overview:
    """Rows of one dimension, most published first, and their sum."""

    rows: list[Numbers]
    total: Numbers
    months: list[tuple[str, int]] = field(default_factory=list)


def overview(
    session: Session, clock: Clock, by: str, columns: Iterable[OverviewColumn] = ()
) -> Overview:
    """Return the numbers by `organisation`, `city` or `theme` (one of DIMENSIONS)."""
    now = clock()
    key = _key_of(by)
    rows: dict[str, Numbers] = defaultdict(lambda: Numbers(""))
    parts = [*_entries(session), *_downloads(session, local_date(now))]
    if by != "theme":  # a deadline belongs to an organisation, whatever the data is about
        parts += _deadlines(session, now)
    for column in columns:
        parts += [
            (organisation, region, theme, Numbers("", more={column.name: count}))
            for organisation, region, theme, count in column.parts(session)
        ]
    total = Numbers("")
    for organisation, region, theme, numbers in parts:
        code = key(organisation, region, theme)
        rows[code].code = code
        rows[code].add(numbers)
        total.add(numbers)
    found = sorted(rows.values(), key=lambda row: (-row.published, row.code))
    return Overview(found, total, _months(session, now))


Part = tuple[str, str, str, Numbers]
"""(organisation code, region code, theme, what is counted)."""


def _key_of(by: str) -> Callable[[str, str, str], str]:
    keys: dict[str, Callable[[str, str, str], str]] = {
        "organisation": lambda organisation, _region, _theme: organisation,
        "city": lambda _organisation, region, _theme: city_of(region),
        "theme": lambda _organisation, _region, theme: theme,
    }
    return keys[by]


def city_of(region: str) -> str:
    """Return the city (or zone) a region lies in; the province for what is above cities."""
    for code in region_and_ancestors(region):
        if code_list("regions")[code]["level"] in ("prefecture", "zone"):
            return code
    return PROVINCE


def _entries(session: Session) -> Iterable[Part]:
    query = (
        select(
            Organisation.code,
            Organisation.region_code,
            EntryVersion.theme,
            EntryVersion.open_type,
            EntryVersion.share_type,
            OpenListEntry.state,
            Freshness.state,
            CatalogueEntry.value_badge,
            func.count(CatalogueEntry.id),
        )
        .select_from(CatalogueEntry)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
        .outerjoin(
            OpenListEntry,
            (OpenListEntry.entry_id == CatalogueEntry.id) & OpenListEntry.state.not_in(ENDED),
        )
        .outerjoin(Freshness, Freshness.entry_id == CatalogueEntry.id)
        .where(CatalogueEntry.retired_at.is_(None))
        .group_by(
            Organisation.code,
            Organisation.region_code,
            EntryVersion.theme,
            EntryVersion.open_type,
            EntryVersion.share_type,
            OpenListEntry.state,
            Freshness.state,
            CatalogueEntry.value_badge,
        )
    )
    for code, region, theme, open_type, share, place, fresh, badge, count in session.execute(query):
        yield (
            code,
            region,
            theme,
            Numbers(
                "",
                published=count,
                open=count if place == "open" else 0,
                planned=count if place == "planned" else 0,
                conditional=count if open_type == "conditional" else 0,
                overdue=count if fresh == "overdue" else 0,
                valued=count if badge else 0,
                watched=count if fresh in WATCHED else 0,
                shared=count if share in ("unconditional", "authorised") else 0,
            ),
        )


def _downloads(session: Session, today: date) -> Iterable[Part]:
    query = (
        select(
            Organisation.code,
            Organisation.region_code,
            EntryVersion.theme,
            func.sum(Download.count),
        )
        .join(CatalogueEntry, CatalogueEntry.id == Download.entry_id)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
        .where(Download.day > today - timedelta(days=USE_DAYS))
        .group_by(Organisation.code, Organisation.region_code, EntryVersion.theme)
    )
    for code, region, theme, count in session.execute(query):
        yield code, region, theme, Numbers("", downloads=int(count))


def _deadlines(session: Session, now: datetime) -> Iterable[Part]:
    """Count what was decided in time or late; what is still open and late counts as missed."""
    since, today = now - timedelta(days=DEADLINE_DAYS), local_date(now)
    met = func.sum(case((Deadline.met.is_(True), 1), else_=0))
    late = Deadline.met.is_(False) | (Deadline.closed_at.is_(None) & (Deadline.due_on < today))
    query = (
        select(
            Organisation.code,
            Organisation.region_code,
            met,
            func.sum(case((late, 1), else_=0)),
        )
        .join(Organisation, OWES)
        .where(Deadline.closed_at.is_(None) | (Deadline.closed_at >= since))
        .group_by(Organisation.code, Organisation.region_code)
    )
    for code, region, kept, missed in session.execute(query):
        yield code, region, "", Numbers("", met=int(kept or 0), missed=int(missed or 0))


def _months(session: Session, now: datetime) -> list[tuple[str, int]]:
    """Return (month as 2026-11, data sets public at its end) of the last months, oldest first."""
    last = local_date(now).replace(day=1)
    starts = [last]
    for _n in range(MONTHS - 1):
        starts.append((starts[-1] - timedelta(days=1)).replace(day=1))
    starts.reverse()
    issued = _gone_by(session, CatalogueEntry.issued_at, starts)
    retired = _gone_by(session, CatalogueEntry.retired_at, starts)
    return [(f"{start:%Y-%m}", issued[n] - retired[n]) for n, start in enumerate(starts)]


def _gone_by(session: Session, moment: Any, starts: Sequence[date]) -> list[int]:
    """Return how many public data sets had this moment behind them at the end of each month."""
    ends = [_next_month(start) for start in starts]
    newest_first = [(moment >= ends[n], n + 1) for n in reversed(range(len(ends)))]
    months = (
        select(case(*newest_first, else_=0).label("month"))
        .where(
            CatalogueEntry.published_version_id.is_not(None),
            CatalogueEntry.issued_at.is_not(None),
            moment.is_not(None),
        )
        .subquery()
    )
    query = select(months.c.month, func.count()).select_from(months).group_by(months.c.month)
    counts = {int(month): int(count) for month, count in session.execute(query)}
    return list(accumulate(counts.get(number, 0) for number in range(len(ends))))


def _next_month(start: date) -> datetime:
    """Return the instant at which the month after this one begins in Jilin."""
    first = (start + timedelta(days=32)).replace(day=1)
    return datetime.combine(first, time(), SHANGHAI)


@dataclass(frozen=True)
class AgencyCounts:
    drafts: int
    published: int
    overdue: int


def agency_counts(session: Session, organisation_ids: Collection[int]) -> AgencyCounts:
    """Count what these organisations provide or are responsible for; as `entry_list` lists it."""
    own = CatalogueEntry.provider_id.in_(organisation_ids) | CatalogueEntry.responsible_dept_id.in_(
        organisation_ids
    )
    public = CatalogueEntry.published_version_id.is_not(None) & CatalogueEntry.retired_at.is_(None)
    counted = select(func.count(CatalogueEntry.id)).where(own)
    newest = (
        select(func.max(EntryVersion.number))
        .where(EntryVersion.entry_id == CatalogueEntry.id)
        .correlate(CatalogueEntry)
        .scalar_subquery()
    )
    drafts = counted.join(
        EntryVersion,
        (EntryVersion.entry_id == CatalogueEntry.id) & (EntryVersion.number == newest),
    ).where(EntryVersion.state == "draft")
    overdue = counted.join(Freshness, Freshness.entry_id == CatalogueEntry.id).where(
        public, Freshness.state == "overdue"
    )
    queries = (drafts, counted.where(public), overdue)
    return AgencyCounts(*(session.scalar(query) or 0 for query in queries))


def agency_use(
    session: Session, clock: Clock, organisation_ids: Collection[int]
) -> tuple[int, int]:
    """Return the downloads of these organisations' data: last USE_DAYS days, and those before."""
    today = local_date(clock())
    middle, start = today - timedelta(days=USE_DAYS), today - timedelta(days=2 * USE_DAYS)
    newer = case((Download.day > middle, Download.count), else_=0)
    older = case((Download.day <= middle, Download.count), else_=0)
    query: Any = (
        select(func.sum(newer), func.sum(older))
        .join(CatalogueEntry, CatalogueEntry.id == Download.entry_id)
        .where(CatalogueEntry.provider_id.in_(organisation_ids), Download.day > start)
    )
    found = session.execute(query).one()
    return int(found[0] or 0), int(found[1] or 0)
