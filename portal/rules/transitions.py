"""Transition tables: who may fire which event in which state, and what follows.

The rows are package data (`transitions.csv`, the columns of the Measures' state machines plus
`guard_id` and `told_ids`). Nothing else in the system says who may do what in a flow.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


class TableError(Exception):
    """A transition table contradicts itself or names something unknown; the start-up stops."""


@dataclass(frozen=True)
class Transition:
    """One row. `state` is "" for creation; `due_working_days` is None when the row has no number."""

    flow: str
    state: str
    event: str
    actors: tuple[str, ...]
    guard_id: str
    guard: str
    next_state: str
    due: str
    due_from: str
    due_source: str
    told: str
    audiences: tuple[str, ...]
    article: str

    @property
    def due_working_days(self) -> int | None:
        return int(self.due) if self.due.isdigit() else None

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.flow, self.state, self.event)


def read_transitions(path: Path) -> tuple[Transition, ...]:
    """Read one table; the file is UTF-8 with a header row."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(_transition(row) for row in csv.DictReader(file))


def _transition(row: dict[str, str]) -> Transition:
    return Transition(
        flow=row["flow"],
        state=row["state"],
        event=row["event"],
        actors=tuple(part for part in row["actor"].split(";") if part),
        guard_id=row["guard_id"],
        guard=row["guard"],
        next_state=row["next_state"],
        due=row["due_wd"],
        due_from=row["due_from"],
        due_source=row["due_source"],
        told=row["told"],
        audiences=tuple(part for part in row["told_ids"].split(";") if part),
        article=row["article"],
    )


class TransitionTable:
    """All rows of all enabled flows, looked up by (flow, state, event)."""

    def __init__(self, rows: Iterable[Transition]) -> None:
        self._rows: dict[tuple[str, str, str], Transition] = {}
        for row in rows:
            if row.key in self._rows:
                raise TableError(f"the transition {row.key} stands twice")
            self._rows[row.key] = row

    def __iter__(self) -> Iterator[Transition]:
        return iter(self._rows.values())

    def find(self, flow: str, state: str, event: str) -> Transition | None:
        return self._rows.get((flow, state, event))

    def flows(self) -> frozenset[str]:
        return frozenset(row.flow for row in self)

    def leaving(self, flow: str, state: str) -> tuple[Transition, ...]:
        """Return the rows that start in `state`, in table order."""
        return tuple(row for row in self if row.flow == flow and row.state == state)

    def final_states(self, flow: str) -> frozenset[str]:
        reached = {row.next_state for row in self if row.flow == flow}
        left = {row.state for row in self if row.flow == flow}
        return frozenset(reached - left)
