"""One run of a harvest source, from wherever it stands to its end.

gathering → writing → done, waiting or failed. Every transaction holds the run's lease. A killed
run goes on where it was: gathering begins anew, writing goes on with the items not yet settled.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from harvesters.open_list.column_mapping import HeaderChanged, SheetSample
from harvesters.record import SourceFailed
from portal.actor import SYSTEM
from portal.clock import Clock
from portal.db import Database
from portal.errors import Invalid, PortalError
from portal.models.audit import AuditEvent
from portal.models.entry import CatalogueEntry
from portal.models.harvest import HarvestItem, HarvestRun, HarvestSource, get_run
from portal.services.catalogue_flow import REMOVAL_BRAKE
from portal.services.entries import EntryService
from portal.services.harvest_check import CONFLICT, Judgement, judge
from portal.services.harvest_gathering import (
    FAULTY,
    GATHERED,
    MISSING,
    Answers,
    Gathering,
    Progress,
    SourceReading,
    read_source,
    record_run_event,
)
from portal.services.harvest_lease import LeaseLost, RunLease
from portal.services.harvest_many import FEW, ManyNew
from portal.services.harvest_notices import tell_followers, tell_of_run
from portal.services.harvest_record import SourceRecord, record_of
from portal.services.harvest_writer import RecordWriter, Written
from portal.services.source_columns import sample_json
from portal.services.source_secrets import SecretsUnreadable, SourceSecrets

log = structlog.get_logger(__name__)
BATCH = 50
KEPT_RUNS, KEPT_TRIALS = 20, 3
CONFIRMED, GONE = "confirmed", "gone"


def no_progress(_phase: str, _done: int, _total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class HarvestExecution:
    """Works on one run under its lease. Opens its own transactions, one for each batch.

    Args:
        answers: reads the source.
        secrets: opens the source's keys.
    """

    database: Database
    clock: Clock
    answers: Answers
    secrets: SourceSecrets
    lease: RunLease
    run_id: int
    progress: Progress = no_progress

    def go(self, *, seconds: float | None = None) -> bool:
        """Bring the run to its end; False when writing was stopped after so many seconds.

        Raises:
            LeaseLost: another process has taken the run.
        """
        with self.database.reading() as session:
            run = get_run(session, self.run_id)
            state, source, is_trial = run.state, run.source, run.trial
        if state == "gathering":
            if not self._gather(source):
                return True
        elif state != "writing":
            return True
        if is_trial:
            self._finish_trial()
            return True
        until = None if seconds is None else time.monotonic() + seconds
        while self._write_batch():
            if until is not None and time.monotonic() >= until:
                return False
        self._finish()
        return True

    def _gather(self, source: HarvestSource) -> bool:
        """Read the source; False when that failed, and the run with it."""
        gathering = Gathering(self.database, self.clock, self.lease, self.run_id, self.progress)
        try:
            options = self.secrets.options_of(source)
            gathering.go(read_source(SourceReading(source, options, self.answers)))
        except HeaderChanged as error:
            self._fail(str(error), sample=error.sample)
            return False
        except SecretsUnreadable as error:
            self._fail(error.text())
            return False
        except SourceFailed as error:
            self._fail(str(error))
            return False
        return True

    def _fail(self, error: str, *, sample: SheetSample | None = None) -> None:
        with self.database.writing() as session:
            self.lease.hold(session, self.clock)
            run = get_run(session, self.run_id)
            if sample is not None:
                run.source.sample = sample_json(sample, self.clock())
            end_failed(session, self.clock, run, error)

    def _finish_trial(self) -> None:
        """Say what would be retired; nothing else is done, told or noted."""
        with self.database.writing() as session:
            self.lease.hold(session, self.clock)
            run = get_run(session, self.run_id)
            if missing_share(session, run) <= REMOVAL_BRAKE:
                session.execute(
                    update(HarvestItem)
                    .where(HarvestItem.run_id == run.id, HarvestItem.state == MISSING)
                    .values(state=GONE)
                )
            run.counts = {"live": run.counts.get("live", 0), **count_items(session, run.id)}
            run.state, run.finished_at = "done", self.clock()
            _forget_old_runs(session, run)

    def _write_batch(self) -> bool:
        """Settle the next items in one transaction; False when there are none."""
        with self.database.writing() as session:
            self.lease.hold(session, self.clock)
            run = get_run(session, self.run_id)
            states = _writable_states(session, run)
            items = session.scalars(
                select(HarvestItem)
                .where(HarvestItem.run_id == run.id, HarvestItem.state.in_(states))
                .order_by(HarvestItem.id)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            ).all()
            if not items:
                return False
            _Settler(session, self.clock, run).settle_all(items)
            done, total = _how_far(session, run, states)
        self.progress("writing", done, total)
        return True

    def _finish(self) -> None:
        with self.database.writing() as session:
            self.lease.hold(session, self.clock)
            run = get_run(session, self.run_id)
            run.counts = {"live": run.counts.get("live", 0), **count_items(session, run.id)}
            run.state = "waiting" if run.counts.get(MISSING) else "done"
            run.finished_at = self.clock()
            changed = sum(run.counts.get(s, 0) for s in ("created", "updated", GONE, "back"))
            is_news = bool(changed) or _differs_from_last(session, run)
            is_contested = bool(run.counts.get(CONFLICT)) and is_news
            if changed or is_contested or run.state == "waiting" or _has_started(session, run):
                event = record_run_event(session, self.clock, run, "finish", dict(run.counts))
                if is_news:
                    session.flush()
                    tell_of_run(session, self.clock, run, event)
            _forget_old_runs(session, run)


def end_failed(session: Session, clock: Clock, run: HarvestRun, error: str) -> None:
    """End a run that could not be carried through; what it wrote stays, nothing was retired."""
    run.counts = count_items(session, run.id)
    run.state, run.error, run.finished_at = "failed", error[:2000], clock()
    if run.trial:
        return
    event = record_run_event(session, clock, run, "finish", dict(run.counts))
    if _differs_from_last(session, run):
        session.flush()
        tell_of_run(session, clock, run, event)


def count_items(session: Session, run_id: int) -> dict[str, int]:
    """Return the number of a run's items by state."""
    query = select(HarvestItem.state, func.count(HarvestItem.id).label("number"))
    rows = session.execute(query.where(HarvestItem.run_id == run_id).group_by(HarvestItem.state))
    return {row.state: row.number for row in rows}


def missing_share(session: Session, run: HarvestRun) -> float:
    """Return which share of what was public before the run is missing now."""
    query = select(func.count(HarvestItem.id)).where(
        HarvestItem.run_id == run.id, HarvestItem.state.in_((MISSING, CONFIRMED, GONE))
    )
    live = run.counts.get("live", 0)
    return (session.scalar(query) or 0) / live if live else 0.0


def _writable_states(session: Session, run: HarvestRun) -> tuple[str, ...]:
    if missing_share(session, run) > REMOVAL_BRAKE:
        return (GATHERED, CONFIRMED)
    return (GATHERED, CONFIRMED, MISSING)


def _how_far(session: Session, run: HarvestRun, states: tuple[str, ...]) -> tuple[int, int]:
    counts = count_items(session, run.id)
    total = sum(counts.values())
    return total - sum(counts.get(state, 0) for state in states), total


class _Settler:
    """Settles items one by one, each behind a savepoint: a bad record fails alone, named."""

    def __init__(self, session: Session, clock: Clock, run: HarvestRun) -> None:
        self._session = session
        self._clock = clock
        self._run = run
        self._writer = RecordWriter(session, clock, run.source)
        self._many = ManyNew(session, clock, run.source)

    def settle_all(self, items: Sequence[HarvestItem]) -> None:
        """Settle a batch; its records are judged together: none of them moves another one."""
        records = {item.id: record_of(item.record) for item in items if item.state == GATHERED}
        judged = judge(self._session, self._run.source, list(records.values()))
        judgements = dict(zip(records, judged, strict=True))
        together = self._create_together(records, judgements)
        for item in items:
            written = together.get(item.id)
            if written is None:
                self._settle(item, records.get(item.id), judgements.get(item.id))
            else:
                self._note(item, written)
        self._session.flush()

    def _create_together(
        self, records: Mapping[int, SourceRecord], judgements: Mapping[int, Judgement]
    ) -> dict[int, Written]:
        """Write the plain new records of a batch in few statements; empty if one is refused."""
        pairs = [(record, judgements[key]) for key, record in records.items()]
        plain = self._many.plain_ones(pairs)
        if len(plain) <= FEW:
            return {}
        try:
            with self._session.begin_nested():
                made = self._many.create(plain)
                self._session.flush()
        except (PortalError, IntegrityError):
            return {}  # one by one, so that only that one fails
        keys = {record.remote_id: key for key, record in records.items()}
        return {
            keys[record.remote_id]: Written("created", entry_id, remarks)
            for record, (entry_id, remarks) in zip(plain, made, strict=True)
        }

    def _settle(
        self, item: HarvestItem, record: SourceRecord | None, judgement: Judgement | None
    ) -> None:
        try:
            with self._session.begin_nested():
                written = self._write(item, record, judgement)
        except (OperationalError, InterfaceError, LeaseLost):
            raise  # the database, not the record
        except Invalid as error:
            written = Written(FAULTY, None, [d.text() for d in error.defects])
        except PortalError as error:
            written = Written(FAULTY, None, [error.text()])
        except Exception as error:
            log.exception("a harvested record was not written", item=item.id, run=self._run.id)
            written = Written(FAULTY, None, [f"写入时出错：{type(error).__name__}"])
        self._note(item, written)
        self._session.flush()

    def _note(self, item: HarvestItem, written: Written) -> None:
        """Say in the item what became of it."""
        title = item.record.get("title") or item.record.get("content", {}).get("title", "")
        item.record = {"title": str(title)[:200], "remote_id": item.remote_id}
        item.state, item.entry_id = written.state, written.entry_id or item.entry_id
        item.reason = " ".join([*([item.reason] if item.reason else []), *written.remarks])

    def _write(
        self, item: HarvestItem, record: SourceRecord | None, judgement: Judgement | None
    ) -> Written:
        if record is not None:
            written = self._writer.write(record, judgement)
        else:
            written = self._retire(item)
        self._session.flush()
        return written

    def _retire(self, item: HarvestItem) -> Written:
        entry = self._session.get_one(CatalogueEntry, item.entry_id)
        version = entry.published_version
        if version is None or entry.retired_at is not None:
            return Written("unchanged", entry.id, ["该目录已由人工撤下。"])
        EntryService(self._session, self._clock).retire(
            SYSTEM,
            entry,
            reason=f"来源“{self._run.source.name}”中已没有这条记录",
            consequences_shown=False,
            event="source_gone",
            missing_share=missing_share(self._session, self._run),
            confirmed=item.state == CONFIRMED,
            notify=False,
        )
        tell_followers(self._session, self._clock, version, "来源中已消失，已撤下")
        return Written(GONE, entry.id, [])


def _has_started(session: Session, run: HarvestRun) -> bool:
    """Say whether the run had anything to write; one that had not leaves no trace in the trail."""
    event = select(AuditEvent.id).where(
        AuditEvent.flow == "harvest_run", AuditEvent.subject_id == run.id
    )
    return session.scalar(event.limit(1)) is not None


def _differs_from_last(session: Session, run: HarvestRun) -> bool:
    """The same trouble, hour after hour, is told once."""
    last = session.scalars(
        select(HarvestRun)
        .where(
            HarvestRun.source_id == run.source_id,
            HarvestRun.id < run.id,
            HarvestRun.trial.is_(False),
        )
        .order_by(HarvestRun.id.desc())
        .limit(1)
    ).first()
    if last is None or last.error != run.error:
        return True
    state = "waiting" if last.state == "superseded" else last.state
    return (state, last.counts) != (run.state, run.counts)


def _forget_old_runs(session: Session, run: HarvestRun) -> None:
    alike = (HarvestRun.source_id == run.source_id) & HarvestRun.trial.is_(run.trial)
    kept = (
        select(HarvestRun.id)
        .where(alike)
        .order_by(HarvestRun.id.desc())
        .limit(KEPT_TRIALS if run.trial else KEPT_RUNS)
    )
    old = alike & HarvestRun.id.not_in(kept)
    session.execute(delete(HarvestRun).where(old).execution_options(synchronize_session=False))
