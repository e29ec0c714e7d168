"""Checks that look at a parsed table, or a document, before anybody outside may have it.

An extension adds them by its manifest. A delivery with a table is held from its first moment; the
job that parses it lets each check look, and what a check holds stays in until a person decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.models.distribution import SCAN, DataVersion, Distribution
from portal.models.entry import CatalogueEntry
from portal.tables.info import TableInfo


@dataclass(frozen=True)
class ReleaseCheck:
    """One check, in two steps, since the look is long and a transaction is to be short.

    look: (table, path of its Parquet, path of the file as delivered) -> what it found; in no
        transaction.
    keep: (session, clock, data version, what was found) -> the hold: "" sets the data free, `review`
        waits for a person, `apply` for a job. What was found is None for a file that could not be
        read. May run twice.
    again: (session, clock, entry) -> None, when another version of the entry is published: what an
        information item kept back may be open now, in the same transaction.
    documents, look_at_document: formats without a table that are looked at too, by (path, format).
    """

    name: str
    look: Callable[[TableInfo, Path, Path], Any]
    keep: Callable[[Session, Clock, DataVersion, Any], str]
    again: Callable[[Session, Clock, CatalogueEntry], None] = lambda _session, _clock, _entry: None
    documents: frozenset[str] = frozenset()
    look_at_document: Callable[[Path, str], Any] | None = None


class Skipped:
    """What a check says of a file that is none of its business."""


_CHECKS: list[ReleaseCheck] = []


def add_release_checks(checks: Iterable[ReleaseCheck]) -> None:
    """Add an extension's checks; the same one again changes nothing."""
    _CHECKS.extend(check for check in checks if check not in _CHECKS)


def first_hold(format: str, *, tabular: bool) -> str:
    """Return the hold that a fresh delivery begins with."""
    is_looked_at = tabular or any(format in check.documents for check in _CHECKS)
    return SCAN if is_looked_at and _CHECKS else ""


def look_at(info: TableInfo, path: Path, original: Path) -> list[Any]:
    return [check.look(info, path, original) for check in _CHECKS]


def look_at_document(path: Path, format: str) -> list[Any]:
    """Return what each check finds in a document, `Skipped` where it looks at no such thing."""
    return [
        check.look_at_document(path, format)
        if check.look_at_document is not None and format in check.documents
        else Skipped()
        for check in _CHECKS
    ]


def keep_findings(
    session: Session, clock: Clock, version: DataVersion, found: Sequence[Any] | None
) -> str:
    """Let every check keep what it found; return the hold that follows from all of them."""
    given = found if found is not None else [None] * len(_CHECKS)
    holds = [
        check.keep(session, clock, version, one)
        for check, one in zip(_CHECKS, given, strict=True)
        if not isinstance(one, Skipped)
    ]
    return next((hold for hold in holds if hold), "")


def judge_again(session: Session, clock: Clock, entry: CatalogueEntry) -> None:
    """Let every check judge the entry's data by the version that was just published."""
    for check in _CHECKS:
        check.again(session, clock, entry)


def list_held(session: Session, entry_id: int) -> list[Distribution]:
    """Return the entry's files whose newest data waits for a decision (not for its first look)."""
    return list(
        session.scalars(
            select(Distribution)
            .join(DataVersion, DataVersion.id == Distribution.current_version_id)
            .where(
                Distribution.entry_id == entry_id,
                Distribution.deleted_at.is_(None),
                DataVersion.hold.not_in(("", SCAN)),
            )
            .order_by(Distribution.position, Distribution.id)
        )
    )
