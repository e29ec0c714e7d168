"""Series of data sets: made by those who may edit their members, shown wherever a member is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from extensions.exchange.models.series import DatasetSeries, SeriesMember, list_members
from extensions.exchange.series_names import CUTS, Cut, cut_of
from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict, Defect, Forbidden, Invalid
from portal.models.entry import CatalogueEntry, EntryVersion, find_entry, find_unfinished_version
from portal.permissions import Permission, is_allowed
from portal.services import audit
from portal.services.index_requests import request_index_of

FLOW = "dataset_series"
TITLE_MAX, NOTE_MAX, LABEL_MAX = 200, 2000, 60
FEWEST, MOST = 2, 200


@dataclass(frozen=True)
class SeriesText:
    """What an editor says. `members`: (id, name, code or address of a data set, label or "")."""

    title: str
    cut_by: str
    members: Sequence[tuple[str, str]]
    description: str = ""


def may_edit_series(session: Session, actor: Actor, series: DatasetSeries) -> bool:
    """Say whether the actor may edit some member, and so the series."""
    if series.organisation_id in actor.acts_for("agency"):
        return True
    return any(
        is_allowed(actor, Permission.ENTRY_EDIT, one.entry)
        for one in list_members(session, series.id)
    )


class SeriesService:
    """Everything that may happen to a series. Never commits."""

    def __init__(self, session: Session, clock: Clock, actor: Actor) -> None:
        self._session, self._clock, self._actor = session, clock, actor

    def create(self, text: SeriesText) -> DatasetSeries:
        """Raises: Invalid, naming the line; Forbidden for a data set of others."""
        members = self._members(text, None)
        now = self._clock()
        series = DatasetSeries(
            title=text.title.strip(),
            description=text.description.strip(),
            cut_by=text.cut_by,
            organisation_id=members[0][0].provider_id,
            created_at=now,
            modified_at=now,
            row_version=1,
        )
        self._session.add(series)
        self._session.flush()
        self._put(series, members)
        self._record(series, "create")
        return series

    def change(self, series: DatasetSeries, text: SeriesText, *, seen: int) -> None:
        """Raises: Invalid, Forbidden; Conflict, somebody else changed it meanwhile."""
        self._check_right(series, seen)
        members = self._members(text, series)
        series.title, series.cut_by = text.title.strip(), text.cut_by
        series.description = text.description.strip()
        series.modified_at = self._clock()
        series.row_version += 1
        self._put(series, members)
        self._record(series, "change")

    def remove(self, series: DatasetSeries, *, seen: int) -> None:
        """Dissolve the series; its data sets stay. Raises: Forbidden, Conflict."""
        self._check_right(series, seen)
        before = [one.entry_id for one in list_members(self._session, series.id)]
        self._session.execute(delete(SeriesMember).where(SeriesMember.series_id == series.id))
        self._record(series, "remove")
        self._session.delete(series)
        self._session.flush()
        request_index_of(self._session, self._clock, dict.fromkeys(sorted(before), 0))

    def _check_right(self, series: DatasetSeries, seen: int) -> None:
        if not may_edit_series(self._session, self._actor, series):
            raise Forbidden()
        if series.row_version != seen:
            raise Conflict()

    def _members(
        self, text: SeriesText, series: DatasetSeries | None
    ) -> list[tuple[CatalogueEntry, str]]:
        """Return (entry, label) in order. Raises: Invalid with every defect."""
        defects = _text_defects(text)
        known = list_members(self._session, series.id) if series else []
        kept = {one.entry_id for one in known}
        found: dict[int, tuple[CatalogueEntry, str]] = {}
        for number, (key, label) in enumerate(text.members, 1):
            entry = _named(self._session, key.strip())
            if entry is None:
                defects.append(_line(number, "unknown", "没有找到“{value}”。", value=key[:80]))
                continue
            label = label.strip() or guessed_label(self._session, entry)
            problem = self._problem(entry, label, series, is_kept=entry.id in kept)
            if entry.id in found:
                problem = "“{value}”写了两次。"
            if problem:
                defects.append(_line(number, "member", problem, value=key[:80], n=LABEL_MAX))
            found[entry.id] = (entry, label)
        for one in known:  # who takes a data set out must be allowed to edit it
            if one.entry_id not in found and not self._may(one.entry):
                raise Forbidden()
        if defects:
            raise Invalid(defects)
        return list(found.values())

    def _problem(
        self, entry: CatalogueEntry, label: str, series: DatasetSeries | None, *, is_kept: bool
    ) -> str:
        if not is_kept and not self._may(entry):
            return "您不能编辑“{value}”，请由其提供单位加入。"
        place = self._session.get(SeriesMember, entry.id)
        if place is not None and (series is None or place.series_id != series.id):
            return "“{value}”已在另一个系列中。"
        if not label:
            return "请在“{value}”后面写明它的年份或地区。"
        return "“{value}”后面的说明不能超过{n}个字。" if len(label) > LABEL_MAX else ""

    def _may(self, entry: CatalogueEntry) -> bool:
        return is_allowed(self._actor, Permission.ENTRY_EDIT, entry)

    def _put(self, series: DatasetSeries, members: list[tuple[CatalogueEntry, str]]) -> None:
        """Write the members, and let every page and package that names one hear of it."""
        before = {one.entry_id for one in list_members(self._session, series.id)}
        self._session.execute(delete(SeriesMember).where(SeriesMember.series_id == series.id))
        self._session.flush()
        self._session.expire_all()
        self._session.add_all(
            SeriesMember(entry_id=entry.id, series_id=series.id, position=position, label=label)
            for position, (entry, label) in enumerate(members)
        )
        self._session.flush()
        touched = before | {entry.id for entry, _ in members}
        request_index_of(self._session, self._clock, dict.fromkeys(sorted(touched), 0))

    def _record(self, series: DatasetSeries, event: str) -> None:
        audit.record(
            self._session,
            self._clock,
            self._actor,
            flow=FLOW,
            event=event,
            subject_id=series.id,
            details={"series": series.public_id, "title": series.title},
        )


def _text_defects(text: SeriesText) -> list[Defect]:
    defects = []
    if not text.title.strip():
        defects.append(Defect("title", "missing", "请填写系列名称。"))
    elif len(text.title.strip()) > TITLE_MAX:
        params = {"n": TITLE_MAX}
        defects.append(Defect("title", "too_long", "系列名称不能超过{n}个字。", params))
    if len(text.description) > NOTE_MAX:
        params = {"n": NOTE_MAX}
        defects.append(Defect("description", "too_long", "说明不能超过{n}个字。", params))
    if text.cut_by not in CUTS:
        defects.append(Defect("cut_by", "missing", "请选择按什么划分。"))
    if not FEWEST <= len(text.members) <= MOST:
        params = {"fewest": FEWEST, "most": MOST}
        message = "一个系列应有{fewest}到{most}个数据集，每行一个。"
        defects.append(Defect("members", "count", message, params))
    return defects


def _named(session: Session, key: str) -> CatalogueEntry | None:
    """Return the entry of an id, name or code (which may hold strokes), or of an address."""
    place = key.rpartition("/dataset/")[2].partition("/")[0] if "/dataset/" in key else key
    return find_entry(session, place[:120])


def _line(number: int, code: str, message: str, **params: Any) -> Defect:
    return Defect("members", code, "第{line}行：" + message, {"line": number, **params})


def shown_version(session: Session, entry: CatalogueEntry) -> EntryVersion | None:
    return entry.published_version or find_unfinished_version(session, entry.id)


def guessed_label(session: Session, entry: CatalogueEntry) -> str:
    version = shown_version(session, entry)
    cut = cut_of(version.title) if version else None
    return cut.label if cut else ""


def suggest_series(session: Session, actor: Actor, entry: CatalogueEntry) -> SeriesText | None:
    """Return the series that an entry's title suggests, with the like entries of its provider.

    None when its title names no year and no region.
    """
    version = shown_version(session, entry)
    own = cut_of(version.title) if version else None
    if own is None:
        return None
    likes: list[tuple[str, Cut]] = [(entry.code, own)]
    query = (
        select(CatalogueEntry, EntryVersion.title)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .outerjoin(SeriesMember, SeriesMember.entry_id == CatalogueEntry.id)
        .where(
            CatalogueEntry.retired_at.is_(None),
            CatalogueEntry.id != entry.id,
            SeriesMember.entry_id.is_(None),
            EntryVersion.title.contains(own.part, autoescape=True),
        )
        .limit(5 * MOST)
    )
    for other, title in session.execute(query):
        cut = cut_of(title)
        alike = cut is not None and (cut.stem, cut.cut_by) == (own.stem, own.cut_by)
        if cut and alike and is_allowed(actor, Permission.ENTRY_EDIT, other):
            likes.append((other.code, cut))
    likes.sort(key=lambda one: one[1].order)
    members = [(code, cut.label) for code, cut in likes[:MOST]]
    return SeriesText(own.stem, own.cut_by, members)


def series_extras(
    session: Session, entries: Sequence[CatalogueEntry]
) -> Mapping[int, Mapping[str, Any]]:
    """Return `jl_series` of public entries: the series, the entry's label, its public neighbours."""
    public = [entry.id for entry in entries if entry.is_public]
    places = session.scalars(select(SeriesMember).where(SeriesMember.entry_id.in_(public))).all()
    if not places:
        return {}
    rows = session.execute(
        select(SeriesMember.series_id, SeriesMember.entry_id, CatalogueEntry.slug)
        .join(CatalogueEntry, CatalogueEntry.id == SeriesMember.entry_id)
        .where(
            SeriesMember.series_id.in_({one.series_id for one in places}),
            CatalogueEntry.published_version_id.is_not(None),
            CatalogueEntry.retired_at.is_(None),
        )
        .order_by(SeriesMember.position, SeriesMember.entry_id)
    )
    order: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for series_id, entry_id, slug in rows:
        order[series_id].append((entry_id, slug))
    return {one.entry_id: {"jl_series": _extra(one, order[one.series_id])} for one in places}


def _extra(place: SeriesMember, order: list[tuple[int, str]]) -> dict[str, Any]:
    here = next(i for i, (entry_id, _) in enumerate(order) if entry_id == place.entry_id)
    series = place.series
    return {
        "id": series.public_id,
        "title": series.title,
        "cut_by": series.cut_by,
        "label": place.label,
        "previous": order[here - 1][1] if here else None,
        "next": order[here + 1][1] if here + 1 < len(order) else None,
    }
