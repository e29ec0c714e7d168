"""A public use of data, told by one extension and kept by others (a gallery of reuses)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock


@dataclass(frozen=True)
class PublicUse:
    """What somebody made of an entry's data and lets everybody know. `url` is http(s)."""

    title: str
    kind: str
    url: str
    maker: str
    description: str
    entry_code: str
    key: str  # the same use told again is known by it


PublicUseSink = Callable[[Session, Clock, Actor, PublicUse], None]
"""Keeps a use. Raises Invalid with every defect, which the teller shows to its user."""

_SINKS: list[PublicUseSink] = []


def add_public_use_sinks(sinks: Iterable[PublicUseSink]) -> None:
    """Add an extension's sinks; the same one again changes nothing."""
    _SINKS.extend(sink for sink in sinks if sink not in _SINKS)


def tell_public_use(session: Session, clock: Clock, actor: Actor, use: PublicUse) -> None:
    """Tell every enabled extension that keeps uses; without any, nothing happens."""
    for sink in _SINKS:
        sink(session, clock, actor, use)
