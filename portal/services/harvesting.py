"""Runs of harvest sources: start one, confirm what it would retire, start what is due."""

from __future__ import annotations

from croniter import croniter
from sqlalchemy import Select, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import SHANGHAI, Clock
from portal.errors import Conflict
from portal.models.harvest import (
    LIVE,
    HarvestItem,
    HarvestRun,
    HarvestSource,
    find_last_run,
    find_live_run,
)
from portal.permissions import Permission, require
from portal.services import audit
from portal.services.harvest_gathering import MISSING
from portal.services.harvest_lease import enqueue_run, find_job
from portal.services.harvest_run import CONFIRMED, end_failed


class HarvestService:
    """Everything that a person or a schedule may do to runs. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def start(self, actor: Actor, source: HarvestSource, *, trial: bool = False) -> HarvestRun:
        """Start a run; its job is queued in the same transaction.

        Args:
            trial: only find out what a run would do.

        Raises:
            Conflict: a run of this source is under way; the source is paused or was removed.
        """
        require(actor, Permission.SOURCE_MANAGE)
        if source.removed_at is not None:
            raise Conflict("该采集源已移除。")
        if source.paused and not trial:
            raise Conflict("来源“{name}”已暂停，请先恢复。", name=source.name)
        if find_live_run(self._session, source.id) is not None:
            raise _under_way(source)
        run = HarvestRun(
            source=source,
            source_id=source.id,
            state="gathering",
            started_at=self._clock(),
            counts={},
            trial=trial,
        )
        try:
            with self._session.begin_nested():
                self._session.add(run)
        except IntegrityError as error:  # somebody was quicker
            raise _under_way(source) from error
        enqueue_run(self._session, self._clock, run)
        return run

    def confirm_removals(self, actor: Actor, run: HarvestRun) -> HarvestRun:
        """A person agrees that what a waiting run found missing is retired; the run goes on.

        Raises:
            Conflict: the run does not wait, a later one has found out anew, or one is under way.
        """
        require(actor, Permission.SOURCE_MANAGE)
        if run.state != "waiting":
            raise Conflict("该次采集没有等待确认的撤下。")
        if find_live_run(self._session, run.source_id) is not None:
            raise _under_way(run.source)
        confirmed = self._session.execute(
            update(HarvestItem)
            .where(HarvestItem.run_id == run.id, HarvestItem.state == MISSING)
            .values(state=CONFIRMED)
        )
        moved = self._session.execute(
            update(HarvestRun)
            .where(HarvestRun.id == run.id, HarvestRun.state == "waiting")
            .values(state="writing", finished_at=None)
        )
        if moved.rowcount != 1:  # type: ignore[attr-defined]
            raise Conflict()
        self._session.refresh(run)
        audit.record(
            self._session,
            self._clock,
            actor,
            flow="harvest_run",
            event="confirm_removals",
            subject_id=run.id,
            to_state="writing",
            details={"source": run.source.name, "confirmed": confirmed.rowcount},  # type: ignore[attr-defined]
        )
        enqueue_run(self._session, self._clock, run)
        return run

    def start_due(self, actor: Actor) -> int:
        """Start every scheduled source whose time has come; pick up runs that nobody works on."""
        require(actor, Permission.SOURCE_MANAGE)
        self._pick_up()
        started = 0
        for source in self._session.scalars(_scheduled().order_by(HarvestSource.id)).all():
            is_free = find_live_run(self._session, source.id) is None
            if is_free and self._is_due(source):
                self.start(actor, source)
                started += 1
        return started

    def is_any_due(self) -> bool:
        """Reads only, so that a minute in which nothing is due locks nothing."""
        live = select(func.count(HarvestRun.id)).where(HarvestRun.state.in_(LIVE))
        if self._session.scalar(live):
            return True
        return any(self._is_due(source) for source in self._session.scalars(_scheduled()))

    def _is_due(self, source: HarvestSource) -> bool:
        last = find_last_run(self._session, source.id)
        since = last.started_at if last else source.created_at
        following = croniter(source.schedule, since.astimezone(SHANGHAI)).get_next(float)
        return bool(following <= self._clock().timestamp())

    def _pick_up(self) -> None:
        """A run whose job broke down for good has failed; one without a job gets one."""
        for run in self._session.scalars(select(HarvestRun).where(HarvestRun.state.in_(LIVE))):
            job = find_job(self._session, run.id)
            if job is not None and job.state == "quarantined":
                end_failed(self._session, self._clock, run, f"任务多次中断：{job.error}")
            elif job is None or job.state == "done":
                enqueue_run(self._session, self._clock, run)


def _scheduled() -> Select[HarvestSource]:
    return select(HarvestSource).where(
        HarvestSource.schedule != "",
        HarvestSource.paused.is_(False),
        HarvestSource.removed_at.is_(None),
    )


def _under_way(source: HarvestSource) -> Conflict:
    return Conflict("来源“{name}”的采集正在进行，同一来源同时只能有一次采集。", name=source.name)
