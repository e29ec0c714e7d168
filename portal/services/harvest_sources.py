"""Harvest sources: named, changed, paused and removed by the Bureau's administrator."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from croniter import croniter
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict, Defect, Invalid
from portal.models.harvest import LINK, MIRROR, HarvestRun, HarvestSource, find_live_run
from portal.models.organisation import Organisation
from portal.permissions import Permission, require
from portal.services import audit
from portal.services.source_secrets import SourceSecrets

_NAME = re.compile(r"[\w.-]{1,100}")
_SHOWN = ("name", "kind", "url", "trusted", "schedule", "keep_files")
FLOW = "harvest_source"


class SourceService:
    """Everything that a person may do to a source. Never commits."""

    def __init__(self, session: Session, clock: Clock, secrets: SourceSecrets) -> None:
        self._session = session
        self._clock = clock
        self._secrets = secrets

    def add(
        self,
        actor: Actor,
        organisation: Organisation,
        *,
        name: str,
        kind: str,
        url: str,
        trusted: bool = False,
        schedule: str = "",
        keep_files: str = LINK,
        options: Mapping[str, Any] | None = None,
    ) -> HarvestSource:
        """Name a source.

        Args:
            organisation: whose data it is.
            trusted: it is this organisation's own published list: its records go out at once.
            schedule: a cron expression in Asia/Shanghai; empty: runs when somebody starts it.
            keep_files: "link" or "mirror".
            options: of the kind; secret ones (`is_secret`) are sealed.

        Raises:
            Invalid: every value at fault is named.
        """
        require(actor, Permission.SOURCE_MANAGE)
        source = HarvestSource(created_at=self._clock(), row_version=1)
        values = {
            "name": name,
            "kind": kind,
            "url": url,
            "trusted": trusted,
            "schedule": schedule,
            "keep_files": keep_files,
        }
        self._set(source, organisation, values)
        self._secrets.put(source, options or {})
        self._session.add(source)
        self._session.flush()
        self._record(actor, source, "add", {name: values[name] for name in _SHOWN})
        return source

    def edit(
        self,
        actor: Actor,
        source: HarvestSource,
        *,
        organisation: Organisation | None = None,
        options: Mapping[str, Any] | None = None,
        forget: frozenset[str] = frozenset(),
        **values: Any,
    ) -> HarvestSource:
        """Change what is given; the rest stays, keys too.

        Args:
            options: added to those that stand, or put in their place one by one.
            forget: names of options to drop.
            values: as `add` has them.

        Raises:
            Invalid: every value at fault is named.
            Conflict: a run of the source is under way; it was removed.
        """
        self._check_free(actor, source)
        before = {name: getattr(source, name) for name in _SHOWN}
        self._set(source, organisation or source.organisation, {**before, **values})
        if options or forget:
            kept = {k: v for k, v in self._kept(source).items() if k not in forget}
            self._secrets.put(source, {**kept, **(options or {})})
        changed = {n: getattr(source, n) for n in _SHOWN if getattr(source, n) != before[n]}
        if changed.keys() & {"kind", "url"}:
            source.sample = None
        if "kind" in changed:
            source.columns = None
        source.row_version += 1
        self._session.flush()
        details = {**changed, "options": sorted({*(options or {}), *forget})}
        self._record(actor, source, "edit", details)
        return source

    def pause(self, actor: Actor, source: HarvestSource, *, paused: bool) -> None:
        """Stop the schedule, or let it go on; a run that is under way ends as it would."""
        require(actor, Permission.SOURCE_MANAGE)
        self._check_there(source)
        if source.paused != paused:
            source.paused = paused
            source.row_version += 1
            self._record(actor, source, "pause" if paused else "resume", {})

    def remove(self, actor: Actor, source: HarvestSource, *, reason: str) -> None:
        """Take a source off the list. Its entries stay; its keys are forgotten, its name is free.

        A later source of the same organisation takes the entries over by their ids, so that
        nothing comes twice.
        """
        self._check_free(actor, source)
        if not reason.strip():
            raise Invalid.one("reason", "missing", "请写明移除的原因。")
        name = source.name
        self._session.execute(
            update(HarvestRun)
            .where(HarvestRun.source_id == source.id, HarvestRun.state == "waiting")
            .values(state="superseded")
        )
        source.name, source.removed_at = f"{name[:80]} 已移除 {source.id}", self._clock()
        source.schedule, source.sealed, source.sample = "", "", None
        source.row_version += 1
        self._record(actor, source, "remove", {"name": name}, reason)

    def secret_names(self, source: HarvestSource) -> list[str]:
        """Return which keys the source has; what they say is never given out."""
        return self._secrets.names(source)

    def _kept(self, source: HarvestSource) -> dict[str, Any]:
        """Return the options that stand; those sealed under another SECRET_KEY are lost."""
        if source.sealed and not self._secrets.names(source):
            return dict(source.options)
        return self._secrets.options_of(source)

    def _check_free(self, actor: Actor, source: HarvestSource) -> None:
        require(actor, Permission.SOURCE_MANAGE)
        self._check_there(source)
        if find_live_run(self._session, source.id) is not None:
            raise Conflict("来源“{name}”的采集正在进行，请等它结束后再修改。", name=source.name)

    def _check_there(self, source: HarvestSource) -> None:
        if source.removed_at is not None:
            raise Conflict("该采集源已移除。")

    def _set(
        self, source: HarvestSource, organisation: Organisation, values: Mapping[str, Any]
    ) -> None:
        found = list(self._defects(source.id, values))
        if found:
            raise Invalid(found)
        source.organisation, source.organisation_id = organisation, organisation.id
        for name in _SHOWN:
            setattr(source, name, values[name])

    def _defects(self, own_id: int | None, values: Mapping[str, Any]) -> Iterator[Defect]:
        from harvesters.kinds import kind_names  # with all their libraries: only when needed

        name, kind = values["name"], values["kind"]
        if not _NAME.fullmatch(name):
            yield Defect("name", "pattern", "名称只能含字母、数字、汉字、点、横线和下划线。")
        taken = select(HarvestSource.id).where(HarvestSource.name == name)
        if self._session.scalar(taken) not in (None, own_id):
            yield Defect("name", "taken", "采集源“{name}”已存在。", {"name": name})
        if kind not in kind_names():
            message = "没有采集方式“{kind}”，可用：{known}。"
            known = "、".join(kind_names())
            yield Defect("kind", "unknown", message, {"kind": kind, "known": known})
        if not _is_web_address(values["url"]):
            message = "地址须是 http:// 或 https:// 开头的完整网址，不含用户名和口令。"
            yield Defect("url", "scheme", message)
        schedule = values["schedule"]
        if schedule and not (len(schedule.split()) == 5 and croniter.is_valid(schedule)):
            message = "“{schedule}”不是有效的时间表，请写五段 cron 表达式，如 30 2 * * *。"
            yield Defect("schedule", "cron", message, {"schedule": schedule})
        if values["keep_files"] not in (LINK, MIRROR):
            yield Defect("keep_files", "unknown", "文件的处理方式应为 link 或 mirror。")

    def _record(
        self,
        actor: Actor,
        source: HarvestSource,
        event: str,
        details: dict[str, Any],
        reason: str = "",
    ) -> None:
        audit.record(
            self._session,
            self._clock,
            actor,
            flow=FLOW,
            event=event,
            subject_id=source.id,
            reason=reason,
            details={"name": source.name, **details, "organisation": source.organisation.code},
        )


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    is_complete = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in url
    return is_complete and "@" not in parts.netloc  # it is shown, logged and reported
