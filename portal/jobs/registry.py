"""What kinds of job there are, and which recur."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portal.platform import Platform

Handler = Callable[["Platform", dict[str, Any]], None]
"""Does the work in transactions of its own; may run twice with the same payload."""


@dataclass(frozen=True)
class JobKind:
    """`name` of the jobs, their handler, and a cron expression (Asia/Shanghai) when they recur."""

    name: str
    handler: Handler
    cron: str = ""


class JobRegistry:
    def __init__(self) -> None:
        self._kinds: dict[str, JobKind] = {}

    def add(self, kind: JobKind) -> None:
        if kind.name in self._kinds and self._kinds[kind.name] != kind:
            raise ValueError(f"the job kind {kind.name} is defined twice")
        self._kinds[kind.name] = kind

    def __getitem__(self, name: str) -> JobKind:
        return self._kinds[name]

    def names(self) -> list[str]:
        return list(self._kinds)

    def recurring(self) -> list[JobKind]:
        return [kind for kind in self._kinds.values() if kind.cron]
