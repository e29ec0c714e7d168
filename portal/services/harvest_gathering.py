"""The first half of a run: read the source, and keep every record as an item of the run.

Items are kept in batches, so that memory stays small; a run that was killed on the way begins
its gathering anew. What is missing is found out when the answer was complete, before anything
is written: the share that is gone counts against what stood here before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import requests
import structlog
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from harvesters.record import FaultyRecord, HarvestedRecord, SourceFailed, SourceSettings
from portal.actor import SYSTEM
from portal.clock import Clock
from portal.codes import all_code_names
from portal.db import Database
from portal.errors import Invalid
from portal.models.audit import AuditEvent
from portal.models.entry import CatalogueEntry, find_unfinished_version
from portal.models.harvest import HarvestItem, HarvestRun, HarvestSource, get_run
from portal.services import audit
from portal.services.harvest_check import CONFLICT, UNCHANGED, judge
from portal.services.harvest_lease import RunLease
from portal.services.harvest_record import SourceRecord, read_record, record_json, short_id

log = structlog.get_logger(__name__)
BATCH = 100
GATHERED, FAULTY, MISSING, ABSENT = "gathered", "faulty", "missing", "absent"
_PLACE_MAX, _TITLE_MAX = 200, 200
_DIGEST_OF_ROW = "row-"  # an open list's row without a code: its id follows what its cells say

Progress = Callable[[str, int, int], None]
"""Called with the phase ("gathering", "writing"), how many are done, and of how many (0: unknown)."""

Read = SourceRecord | FaultyRecord


def read_source(source: HarvestSource, http: requests.Session) -> Iterator[Read]:
    """Yield every record of a source in our words, each id once.

    Raises:
        SourceFailed: no complete answer; nothing may be concluded from what came.
    """
    seen: set[str] = set()
    for record in _answers(source, http):
        if isinstance(record, FaultyRecord):
            yield _clean(record)
            continue
        try:
            read = read_record(record)
        except Invalid as error:
            reason = "；".join(defect.text() for defect in error.defects)
            yield _clean(FaultyRecord(record.place, record.remote_id, reason))
            continue
        if read.remote_id in seen:
            yield FaultyRecord(read.place, read.remote_id, "来源中有两条记录使用同一个 id。")
            continue
        seen.add(read.remote_id)
        yield read


def _answers(
    source: HarvestSource, http: requests.Session
) -> Iterator[HarvestedRecord | FaultyRecord]:
    # Imported here: web processes start runs and never read a source with its libraries.
    from harvesters.kinds import make_kind

    try:
        kind = make_kind(source.kind, all_code_names())
        yield from kind.gather(SourceSettings(source.url, source.options), http)
    except SourceFailed:
        raise
    except KeyError as error:
        raise SourceFailed(f"没有名为“{source.kind}”的采集方式。") from error
    except Exception as error:
        log.exception("a harvest source could not be read", source=source.name)
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
                    source = get_run(session, self.run_id).source
                    _keep(session, source, self.run_id, batch, first_number=done)
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


def _keep(
    session: Session, source: HarvestSource, run_id: int, batch: list[Read], *, first_number: int
) -> None:
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
