"""Gather the recorded facts behind a value score and keep the computed score."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from portal.rules.value_score import ValueScore, ValueSignals, value_score

USE_WINDOW_DAYS = 180
REQUEST_WINDOW_DAYS = 365
ACCOUNT = "account:"  # how the visitor of a download begins who was signed in
ANONYMOUS_A_DAY = 20

SignalSource = Callable[[Session, int], Mapping[str, Any]]
"""Returns fields of ValueSignals that an extension counts for an entry (voters, reuses, …)."""

_SOURCES: list[SignalSource] = []


def add_signal_sources(sources: Iterable[SignalSource]) -> None:
    for source in sources:
        if source not in _SOURCES:
            _SOURCES.append(source)


def gather_signals(session: Session, clock: Clock, entry: CatalogueEntry) -> ValueSignals:
    """Return the recorded facts about a published entry as of now."""
    return gather_signals_of(session, clock, [entry])[entry.id]


def gather_signals_of(
    session: Session, clock: Clock, entries: Sequence[CatalogueEntry]
) -> dict[int, ValueSignals]:
    """Return entry id -> the recorded facts as of now, in a few queries for all of them."""
    ids = [entry.id for entry in entries]
    distributions = _distributions(session, ids)
    users = _distinct_users(session, clock, ids)
    overdue = set(
        session.scalars(
            select(Freshness.entry_id).where(
                Freshness.entry_id.in_(ids), Freshness.state == "overdue"
            )
        )
    )
    found: dict[int, ValueSignals] = {}
    for entry in entries:
        signals = replace(
            first_signals(entry, *distributions.get(entry.id, (set(), set()))),
            users=users.get(entry.id, 0),
            overdue=entry.id in overdue,
        )
        for source in _SOURCES:
            signals = replace(signals, **source(session, entry.id))
        found[entry.id] = signals
    return found


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


def _distributions(session: Session, ids: Sequence[int]) -> dict[int, tuple[set[str], set[str]]]:
    """Return entry id -> (formats in lower case, kinds)."""
    found: dict[int, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    rows = session.execute(
        select(Distribution.entry_id, Distribution.format, Distribution.kind).where(
            Distribution.entry_id.in_(ids), Distribution.deleted_at.is_(None)
        )
    )
    for row in rows:
        formats, kinds = found[row.entry_id]
        formats.add(row.format.lower())
        kinds.add(row.kind)
    return found


def _distinct_users(session: Session, clock: Clock, ids: Sequence[int]) -> dict[int, int]:
    """Return entry id -> people who downloaded: each account once, however often and how long.

    Nobody knows an anonymous visitor again on the next day, and a program may pose as many of them:
    of one day, at most `ANONYMOUS_A_DAY` count.
    """
    since = local_date(clock()) - timedelta(days=USE_WINDOW_DAYS)
    in_window = (Download.entry_id.in_(ids), Download.day >= since)
    is_account = Download.visitor.startswith(ACCOUNT)
    people = func.count(func.distinct(Download.visitor))
    accounts = session.execute(
        select(Download.entry_id, people).where(*in_window, is_account).group_by(Download.entry_id)
    )
    days = session.execute(
        select(Download.entry_id, Download.day, people)
        .where(*in_window, ~is_account)
        .group_by(Download.entry_id, Download.day)
    )
    found: dict[int, int] = defaultdict(int)
    for entry_id, count in accounts:
        found[entry_id] += count
    for entry_id, _day, count in days:
        found[entry_id] += min(count, ANONYMOUS_A_DAY)
    return found


def recompute_value(session: Session, clock: Clock, entry: CatalogueEntry) -> bool:
    """Compute and keep the entry's score with its reasons and inputs; True if it changed."""
    return keep_value(clock, entry, gather_signals(session, clock, entry))


def keep_value(clock: Clock, entry: CatalogueEntry, signals: ValueSignals) -> bool:
    """Keep the score that the facts give; True if anything of it changed."""
    score = value_score(signals, had_badge=entry.value_badge)
    values = _values(signals, score)
    if not _differs(entry, values):
        return False
    entry.value = {**values, "computed_at": clock().isoformat(timespec="seconds")}
    entry.value_score, entry.value_badge = score.score, score.badge
    return True


def is_outdated(entry: CatalogueEntry, signals: ValueSignals) -> bool:
    """Say whether the facts give another score, reason or input than the one kept."""
    return _differs(entry, _values(signals, value_score(signals, had_badge=entry.value_badge)))


def _values(signals: ValueSignals, score: ValueScore) -> dict[str, Any]:
    return {
        "score": score.score,
        "badge": score.badge,
        "badge_by": score.badge_by,
        "method_version": score.method_version,
        "reasons": [dict(vars(reason)) for reason in score.reasons],
        "inputs": dict(vars(signals)),
    }


def _differs(entry: CatalogueEntry, values: Mapping[str, Any]) -> bool:
    kept = entry.value or {}
    return values != {name: value for name, value in kept.items() if name != "computed_at"}
