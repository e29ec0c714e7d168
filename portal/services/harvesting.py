"""Harvest sources and their runs: name a source, start a run, confirm what it would retire."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from croniter import croniter
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import SHANGHAI, Clock
from portal.errors import Conflict, Defect, Invalid
from portal.models.harvest import (
    LIVE,
    HarvestItem,
    HarvestRun,
    HarvestSource,
    find_last_run,
    find_live_run,
)
from portal.models.organisation import Organisation
from portal.permissions import Permission, require
from portal.services import audit
from portal.services.harvest_gathering import MISSING
from portal.services.harvest_lease import enqueue_run, find_job
from portal.services.harvest_run import CONFIRMED, end_failed

_NAME = re.compile(r"[\w.-]{1,100}")


class HarvestService:
    """Everything that a person or a schedule may do to sources and runs. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def add_source(
        self,
        actor: Actor,
        organisation: Organisation,
        *,
        name: str,
        kind: str,
        url: str,
        trusted: bool = False,
        schedule: str = "",
        options: Mapping[str, Any] | None = None,
    ) -> HarvestSource:
        """Name a source.

        Args:
            organisation: whose data it is.
            trusted: it is this organisation's own published list: its records go out at once.
            schedule: a cron expression in Asia/Shanghai; empty: runs when somebody starts it.

        Raises:
            Invalid: every value at fault is named.
        """
        require(actor, Permission.SOURCE_MANAGE)
        defects = list(self._defects(name, kind, url, schedule))
        if defects:
            raise Invalid(defects)
        source = HarvestSource(
            name=name,
            kind=kind,
            url=url,
            organisation=organisation,
            organisation_id=organisation.id,
            trusted=trusted,
            schedule=schedule,
            options=dict(options or {}),
            created_at=self._clock(),
        )
        self._session.add(source)
        self._session.flush()
        shown = {"name": name, "kind": kind, "url": url, "trusted": trusted, "schedule": schedule}
        audit.record(
            self._session,
            self._clock,
            actor,
            flow="harvest_source",
            event="add",
            subject_id=source.id,
            details={**shown, "organisation": organisation.code},
        )
        return source

    def _defects(self, name: str, kind: str, url: str, schedule: str) -> Iterator[Defect]:
        from harvesters.kinds import kind_names  # with all their libraries: only when needed

        if not _NAME.fullmatch(name):
            yield Defect("name", "pattern", "名称只能含字母、数字、汉字、点、横线和下划线。")
        taken = select(HarvestSource.id).where(HarvestSource.name == name)
        if self._session.scalar(taken) is not None:
            yield Defect("name", "taken", "采集源“{name}”已存在。", {"name": name})
        if kind not in kind_names():
            message = "没有采集方式“{kind}”，可用：{known}。"
            yield Defect(
                "kind", "unknown", message, {"kind": kind, "known": "、".join(kind_names())}
            )
        if not _is_web_address(url):
            message = "地址须是 http:// 或 https:// 开头的完整网址，不含用户名和口令。"
            yield Defect("url", "scheme", message)
        if schedule and not croniter.is_valid(schedule):
            message = "“{schedule}”不是有效的时间表，请写五段 cron 表达式，如 30 2 * * *。"
            yield Defect("schedule", "cron", message, {"schedule": schedule})

    def start(self, actor: Actor, source: HarvestSource) -> HarvestRun:
        """Start a run; its job is queued in the same transaction.

        Raises:
            Conflict: a run of this source is under way.
        """
        require(actor, Permission.SOURCE_MANAGE)
        if find_live_run(self._session, source.id) is not None:
            raise _under_way(source)
        run = HarvestRun(
            source=source,
            source_id=source.id,
            state="gathering",
            started_at=self._clock(),
            counts={},
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
        query = select(HarvestSource).where(HarvestSource.schedule != "")
        for source in self._session.scalars(query.order_by(HarvestSource.id)).all():
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
        query = select(HarvestSource).where(HarvestSource.schedule != "")
        return any(self._is_due(source) for source in self._session.scalars(query))

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


def _under_way(source: HarvestSource) -> Conflict:
    return Conflict("来源“{name}”的采集正在进行，同一来源同时只能有一次采集。", name=source.name)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_complete = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in url
    return is_complete and "@" not in parts.netloc  # it is shown, logged and reported
