"""Gather the recorded facts behind a value score and keep the computed score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.clock import Clock, local_date
from portal.codes import code_list
from portal.models.distribution import INTERFACE, Distribution, Download
from portal.models.entry import CatalogueEntry
from portal.models.freshness import Freshness
from portal.rules.value_score import ValueSignals, value_score

USE_WINDOW_DAYS = 180
REQUEST_WINDOW_DAYS = 365

SignalSource = Callable[[Session, int], Mapping[str, Any]]
"""Returns fields of ValueSignals that an extension counts for an entry (voters, reuses, …)."""

_SOURCES: list[SignalSource] = []


def add_signal_sources(sources: Iterable[SignalSource]) -> None:
    for source in sources:
        if source not in _SOURCES:
            _SOURCES.append(source)


def gather_signals(session: Session, clock: Clock, entry: CatalogueEntry) -> ValueSignals:
    """Return the recorded facts about a published entry as of now."""
    formats, kinds = _distributions(session, entry.id)
    freshness = session.scalars(select(Freshness).where(Freshness.entry_id == entry.id)).first()
    signals = replace(
        first_signals(entry, formats, kinds),
        users=_distinct_downloaders(session, clock, entry.id),
        overdue=freshness is not None and freshness.state == "overdue",
    )
    for source in _SOURCES:
        signals = replace(signals, **source(session, entry.id))
    return signals


def first_signals(entry: CatalogueEntry, formats: set[str], kinds: set[str]) -> ValueSignals:
    """Return the facts about an entry that nobody has used yet."""
    version = entry.published_version
    theme = code_list("themes").find(version.theme) if version else None
    known = code_list("formats")
    return ValueSignals(
        theme_name=theme.name if theme else "",
        theme_livelihood=theme.is_yes("livelihood") if theme else False,
        theme_priority=theme.is_yes("priority_2015") if theme else False,
        livelihood_confirmed=entry.livelihood_confirmed,
        hvd="tagged" if entry.hvd_tagged else "candidate" if theme and theme["eu_hvd"] else "",
        machine_readable=any(known[f].is_yes("machine_readable") for f in formats if f in known),
        interface_or_daily=INTERFACE in kinds
        or bool(version and version.update_frequency in ("realtime", "daily")),
    )


def _distributions(session: Session, entry_id: int) -> tuple[set[str], set[str]]:
    rows = session.execute(
        select(Distribution.format, Distribution.kind).where(
            Distribution.entry_id == entry_id, Distribution.deleted_at.is_(None)
        )
    ).all()
    return {row.format.lower() for row in rows}, {row.kind for row in rows}


def _distinct_downloaders(session: Session, clock: Clock, entry_id: int) -> int:
    since = local_date(clock()) - timedelta(days=USE_WINDOW_DAYS)
    query = select(func.count(func.distinct(Download.visitor))).where(
        Download.entry_id == entry_id, Download.day >= since
    )
    return session.scalar(query) or 0


def recompute_value(session: Session, clock: Clock, entry: CatalogueEntry) -> bool:
    """Compute and keep the entry's score with its reasons and inputs; True if it changed."""
    return keep_value(clock, entry, gather_signals(session, clock, entry))


def keep_value(clock: Clock, entry: CatalogueEntry, signals: ValueSignals) -> bool:
    """Keep the score that the facts give; True if anything of it changed."""
    score = value_score(signals, had_badge=entry.value_badge)
    values: dict[str, Any] = {
        "score": score.score,
        "badge": score.badge,
        "badge_by": score.badge_by,
        "method_version": score.method_version,
        "reasons": [dict(vars(reason)) for reason in score.reasons],
        "inputs": dict(vars(signals)),
    }
    changed = (
        values != {k: v for k, v in entry.value.items() if k != "computed_at"}
        if entry.value
        else True
    )
    if changed:
        entry.value = {**values, "computed_at": clock().isoformat(timespec="seconds")}
        entry.value_score, entry.value_badge = score.score, score.badge
    return changed
