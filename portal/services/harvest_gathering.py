"""The first half of a run: read the source, and keep every record as an item of the run.

Items are kept in batches, so that memory stays small; a run that was killed on the way begins
its gathering anew. What is missing is found out when the answer was complete, before anything
is written: the share that is gone counts against what stood here before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any

import structlog
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from harvesters.record import FaultyRecord, HarvestedRecord, SourceFailed
from portal.actor import SYSTEM
from portal.clock import Clock
from portal.db import Database
from portal.errors import Invalid
from portal.models.audit import AuditEvent
from portal.models.entry import CatalogueEntry, find_unfinished_version
from portal.models.harvest import HarvestItem, HarvestRun, HarvestSource, get_run
from portal.services import audit
from portal.services.harvest_check import CONFLICT, UNCHANGED, judge
from portal.services.harvest_foresight import foresee
from portal.services.harvest_lease import RunLease
from portal.services.harvest_record import SourceRecord, read_record, record_json, short_id

log = structlog.get_logger(__name__)
BATCH = 100
MOST_RECORDS, MOST_FAULTS = 300_000, 10_000
GATHERED, FAULTY, MISSING, ABSENT = "gathered", "faulty", "missing", "absent"
_PLACE_MAX, _TITLE_MAX = 200, 200
_DIGEST_OF_ROW = "row-"  # an open list's row without a code: its id follows what its cells say

Progress = Callable[[str, int, int], None]
"""Called with the phase ("gathering", "writing"), how many are done, and of how many (0: unknown)."""

Read = SourceRecord | FaultyRecord


Answers = Callable[[HarvestSource, Mapping[str, Any]], Iterator[HarvestedRecord | FaultyRecord]]
"""Reads a source with all its options in the clear, as `SourceKind.gather` does."""


@dataclass(frozen=True)
class SourceReading:
    """How one source is read: `answers` with `options`, those of the kind in the clear."""

    source: HarvestSource
    options: Mapping[str, Any]
    answers: Answers

    def __iter__(self) -> Iterator[HarvestedRecord | FaultyRecord]:
        options = dict(self.options)
        if self.source.columns:
            options["columns"] = self.source.columns
        return self.answers(self.source, options)


def read_source(reading: SourceReading) -> Iterator[Read]:
    """Yield every record of a source in our words, each id once.

    Raises:
        SourceFailed: no complete answer, or more records than a catalogue has or faults than
            anybody reads; nothing may be concluded from what came.
    """
    seen: set[bytes] = set()
    faults = 0
    for record in _answers(reading):
        read = _read(record, seen)
        if isinstance(read, FaultyRecord):
            faults += 1
            if faults > MOST_FAULTS:
                raise SourceFailed(
                    f"来源中有误的记录超过 {MOST_FAULTS} 条，未作任何处理。"
                    f"最后一条在 {read.place or '未知位置'}：{read.reason}"
                )
        if len(seen) > MOST_RECORDS:
            raise SourceFailed(f"来源的记录超过 {MOST_RECORDS} 条，未作任何处理。请分成几个来源。")
        yield read


def _read(record: HarvestedRecord | FaultyRecord, seen: set[bytes]) -> Read:
    if isinstance(record, FaultyRecord):
        return _clean(record)
    try:
        read = read_record(record)
    except Invalid as error:
        reason = "；".join(defect.text() for defect in error.defects)
        return _clean(FaultyRecord(record.place, record.remote_id, reason))
    key = blake2b(read.remote_id.encode(), digest_size=12).digest()  # ids may be long
    if key in seen:
        return FaultyRecord(read.place, read.remote_id, "来源中有两条记录使用同一个 id。")
    seen.add(key)
    return read


def _answers(reading: SourceReading) -> Iterator[HarvestedRecord | FaultyRecord]:
    try:
        yield from reading
    except (SourceFailed, GeneratorExit):
        raise
    except Exception as error:
        log.exception("a harvest source could not be read", source=reading.source.name)
        raise SourceFailed(f"读取来源时出错：{error}") from error


def _clean(record: FaultyRecord) -> FaultyRecord:
    """A faulty record may hold characters that no database takes."""
    texts = (record.place, record.remote_id, record.reason)
    place, remote_id, reason = (
        text.encode("utf-8", "replace").decode().replace("\0", "\ufffd") for text in texts
    )
    return FaultyRecord(place, remote_id, reason)


@dataclass(frozen=True)
class Gathering:
    """Reads the source of one run into its items."""

    database: Database
    clock: Clock
    lease: RunLease
    run_id: int
    progress: Progress

    def go(self, records: Iterable[Read]) -> None:
        """Keep all records and move the run on to `writing`.

        Raises:
            SourceFailed: by `records`; the items kept so far are forgotten.
            LeaseLost: another process has taken the run.
        """
        self._forget()
        done = 0
        remaining = iter(records)
        try:
            while batch := list(islice(remaining, BATCH)):
                with self.database.writing() as session:
                    self.lease.hold(session, self.clock)
                    run = get_run(session, self.run_id)
                    keep = _keep_judged if run.trial else _keep
                    keep(session, run, batch, done)
                done += len(batch)
                self.progress("gathering", done, 0)
        except SourceFailed:
            self._forget()
            raise
        with self.database.writing() as session:
            self.lease.hold(session, self.clock)
            self._conclude(session)

    def _forget(self) -> None:
        with self.database.writing() as session:
            self.lease.hold(session, self.clock)
            session.execute(delete(HarvestItem).where(HarvestItem.run_id == self.run_id))

    def _conclude(self, session: Session) -> None:
        """The answer was complete: note what is missing, and begin to write."""
        run = get_run(session, self.run_id)
        live = _count_live(session, run.source_id)
        if not run.source.options.get("modified_since"):
            _note_missing(session, run)
        run.state, run.counts = "writing", {"live": live}
        if run.trial:
            return
        session.execute(
            update(HarvestRun)
            .where(HarvestRun.source_id == run.source_id, HarvestRun.state == "waiting")
            .values(state="superseded")
        )
        to_write = select(func.count(HarvestItem.id)).where(
            HarvestItem.run_id == run.id, HarvestItem.state.in_((GATHERED, MISSING))
        )
        if count := session.scalar(to_write):
            record_run_event(session, self.clock, run, "start", {"to_write": count})


def record_run_event(
    session: Session, clock: Clock, run: HarvestRun, event: str, details: dict[str, Any]
) -> AuditEvent:
    """Write what a run does into the audit trail."""
    return audit.record(
        session,
        clock,
        SYSTEM,
        flow="harvest_run",
        event=event,
        subject_id=run.id,
        to_state=run.state,
        reason=run.error,
        details={"source": run.source.name, "url": run.source.url, **details},
    )


def _keep(session: Session, run: HarvestRun, batch: list[Read], first_number: int) -> None:
    """Keep the records of a batch, already judged, for writing."""
    source, run_id = run.source, run.id
    records = [record for record in batch if isinstance(record, SourceRecord)]
    judgements = dict(zip(map(id, records), judge(session, source, records), strict=True))
    rows = []
    for number, record in enumerate(batch, first_number):
        if isinstance(record, FaultyRecord):
            rows.append(_faulty_row(run_id, record, number))
            continue
        judgement = judgements[id(record)]
        is_settled = judgement.outcome in (UNCHANGED, CONFLICT)
        rows.append(
            {
                "run_id": run_id,
                "remote_id": record.remote_id,
                "place": record.place[:_PLACE_MAX],
                "state": judgement.outcome if is_settled else GATHERED,
                "record": _title(record) if is_settled else record_json(record),
                "reason": judgement.reason,
                "entry_id": judgement.entry_id,
            }
        )
    session.execute(insert(HarvestItem), rows)


def _keep_judged(session: Session, run: HarvestRun, batch: list[Read], first_number: int) -> None:
    """Keep of a trial what would become of each record, and what would differ."""
    rows = []
    records = [record for record in batch if isinstance(record, SourceRecord)]
    foreseen = iter(foresee(session, run.source, records))
    for number, record in enumerate(batch, first_number):
        if isinstance(record, FaultyRecord):
            rows.append({**_faulty_row(run.id, record, number), "changes": None})
            continue
        one = next(foreseen)
        rows.append(
            {
                "run_id": run.id,
                "remote_id": record.remote_id,
                "place": record.place[:_PLACE_MAX],
                "state": one.state,
                "record": _title(record),
                "reason": one.reason,
                "entry_id": one.entry_id,
                "changes": [asdict(change) for change in one.changes] or None,
            }
        )
    session.execute(insert(HarvestItem), rows)


def _title(record: SourceRecord) -> dict[str, str]:
    return {"title": record.content.title[:_TITLE_MAX]}


def _faulty_row(run_id: int, record: FaultyRecord, number: int) -> dict[str, Any]:
    """A faulty record has a key of its own: its id may be empty, or another record's."""
    return {
        "run_id": run_id,
        "remote_id": f"fault {number}",
        "place": record.place[:_PLACE_MAX],
        "state": FAULTY,
        "record": {"remote_id": record.remote_id},
        "reason": record.reason,
        "entry_id": None,
    }


def live_entries(source_id: int) -> Any:
    """Return the condition for entries of a source that the public sees."""
    return (
        (CatalogueEntry.source_id == source_id)
        & CatalogueEntry.published_version_id.is_not(None)
        & CatalogueEntry.retired_at.is_(None)
    )


def _count_live(session: Session, source_id: int) -> int:
    return session.scalar(select(func.count(CatalogueEntry.id)).where(live_entries(source_id))) or 0


def _note_missing(session: Session, run: HarvestRun) -> None:
    """Make an item of every entry whose record did not come."""
    of_run = HarvestItem.run_id == run.id
    sound = select(HarvestItem.remote_id).where(of_run, HarvestItem.state != FAULTY)
    faults = select(HarvestItem.record).where(of_run, HarvestItem.state == FAULTY)
    faulty = [short_id(record["remote_id"]) for record in session.scalars(faults)]
    came = {*session.scalars(sound), *faulty}
    entries = session.scalars(
        select(CatalogueEntry).where(CatalogueEntry.source_id == run.source_id)
    )
    standing = {str(entry.remote_id): entry for entry in entries if entry.retired_at is None}
    nameless = sum(1 for remote_id in faulty if _is_nameless(remote_id, standing))
    for remote_id, entry in standing.items():
        if remote_id not in came:
            item = _missing_item(session, run, entry, nameless)
            if item is not None:
                session.add(item)


def _is_nameless(remote_id: str, standing: dict[str, CatalogueEntry]) -> bool:
    """Say whether a faulty record may be any of those that seem to be missing."""
    return not remote_id or (remote_id.startswith(_DIGEST_OF_ROW) and remote_id not in standing)


def _missing_item(
    session: Session, run: HarvestRun, entry: CatalogueEntry, nameless: int
) -> HarvestItem | None:
    version = entry.published_version or find_unfinished_version(session, entry.id)
    if version is None:
        return None  # a discarded draft
    item = HarvestItem(
        run_id=run.id,
        remote_id=str(entry.remote_id),
        record={"title": version.title[:_TITLE_MAX]},
        entry_id=entry.id,
        state=MISSING,
    )
    if entry.published_version_id is None:
        item.state, item.reason = ABSENT, "来源中已没有这条记录；草稿保留，由本单位决定是否作废。"
    elif nameless:
        item.state = ABSENT
        item.reason = f"来源中没有找到这条记录，但有 {nameless} 条有误的记录认不出，本次不撤下。"
    return item
