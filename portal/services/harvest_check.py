"""What is to be done with a harvested record, as the catalogue stands. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from portal.models.entry import UNFINISHED, CatalogueEntry, EntryVersion
from portal.models.harvest import HarvestSource
from portal.services.harvest_record import SourceRecord, fingerprint

NEW, CHANGED, BACK, UNCHANGED, CONFLICT = "new", "changed", "back", "unchanged", "conflict"

TAKEN_OVER = "原采集源已移除，由本采集源接着更新。"


@dataclass(frozen=True)
class Judgement:
    """`outcome`: new, changed and back ask for writing; unchanged and conflict do not."""

    outcome: str
    entry_id: int | None = None
    reason: str = ""


def judge(
    session: Session, source: HarvestSource, records: Sequence[SourceRecord]
) -> list[Judgement]:
    """Return one judgement for each record, in order."""
    own = _own(session, source, [record.remote_id for record in records])
    unfinished = _unfinished(session, [entry.id for entry in own.values()])
    strangers = _strangers(session, source, [r for r in records if r.remote_id not in own])
    return [
        _of_own(source, own[record.remote_id], record, unfinished)
        if record.remote_id in own
        else strangers.get(record.remote_id, Judgement(NEW))
        for record in records
    ]


def _own(session: Session, source: HarvestSource, ids: list[str]) -> dict[str, CatalogueEntry]:
    """Return remote id -> entry, also those of a removed source of the same organisation."""
    query = (
        select(CatalogueEntry)
        .join(HarvestSource, HarvestSource.id == CatalogueEntry.source_id)
        .where(
            CatalogueEntry.remote_id.in_(ids),
            (HarvestSource.id == source.id)
            | (
                HarvestSource.removed_at.is_not(None)
                & (HarvestSource.organisation_id == source.organisation_id)
                & (HarvestSource.kind == source.kind)
            ),
        )
        .order_by((HarvestSource.id == source.id), HarvestSource.id)
    )
    return {str(entry.remote_id): entry for entry in session.scalars(query)}


def _unfinished(session: Session, entry_ids: list[int]) -> dict[int, str]:
    """Return entry id -> state of the version that is on its way."""
    query = select(EntryVersion.entry_id, EntryVersion.state).where(
        EntryVersion.entry_id.in_(entry_ids), EntryVersion.state.in_(UNFINISHED)
    )
    return {row.entry_id: row.state for row in session.execute(query)}


def _of_own(
    source: HarvestSource,
    entry: CatalogueEntry,
    record: SourceRecord,
    unfinished: dict[int, str],
) -> Judgement:
    if entry.retired_by_source:
        return Judgement(BACK, entry.id)
    if entry.source_id != source.id:
        return Judgement(CHANGED, entry.id, TAKEN_OVER)
    if entry.source_fingerprint == fingerprint(record):
        return Judgement(UNCHANGED, entry.id)
    if entry.retired_at is not None:
        return Judgement(UNCHANGED, entry.id, "已由人工撤下，不随来源更新。")
    state = unfinished.get(entry.id)
    if entry.published_version_id is not None:
        if state is None:
            return Judgement(CHANGED, entry.id)
        return Judgement(CONFLICT, entry.id, "该目录正在修订，来源的变化待修订完成后写入。")
    if state == "draft":
        return Judgement(CHANGED, entry.id)
    if state is None:
        return Judgement(UNCHANGED, entry.id, "草稿已作废，不再随来源更新。")
    return Judgement(CONFLICT, entry.id, "草稿正在审核中，来源的变化待审核完成后写入。")


def _strangers(
    session: Session, source: HarvestSource, records: list[SourceRecord]
) -> dict[str, Judgement]:
    """Return remote id -> conflict for the records that stand here under somebody else's care.

    A CKAN record is known by its id. A list's row is known by its resource code; the code that
    another catalogue gives to its own record may be anybody's here.
    """
    by_id = {r.remote_id: r for r in records if r.name}
    by_code = {r.code: r for r in records if not r.name and r.code}
    found: dict[str, Judgement] = {}
    if by_id:
        for entry in _others(session, source, CatalogueEntry.public_id.in_(by_id)):
            found[entry.public_id] = _owned_elsewhere(session, entry)
    if by_code:
        for entry in _others(session, source, CatalogueEntry.code.in_(by_code)):
            found[by_code[entry.code].remote_id] = _owned_elsewhere(session, entry)
    return found


def _others(
    session: Session, source: HarvestSource, matches: ColumnElement[bool]
) -> list[CatalogueEntry]:
    is_other = CatalogueEntry.source_id.is_distinct_from(source.id)
    return list(session.scalars(select(CatalogueEntry).where(matches, is_other)))


def _owned_elsewhere(session: Session, entry: CatalogueEntry) -> Judgement:
    owner = session.get(HarvestSource, entry.source_id) if entry.source_id else None
    whose = f"来源“{owner.name}”" if owner else "本平台"
    return Judgement(CONFLICT, entry.id, f"该记录已由{whose}维护（{entry.code}），没有重复采集。")
