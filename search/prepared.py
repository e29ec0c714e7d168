"""A write in the form that one engine takes: made where there is time, sent where there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prepared:
    """One document or removal, ready for the engine that prepared it.

    `order` is that of `search.records.order_of`; `payload` is the engine's own, in one line.
    """

    id: int
    order: int
    payload: bytes


Refusals = dict[int, str]
"""Entry id -> why the engine does not take the document. The others of the batch are written."""


def reason_of(error: Exception) -> str:
    """Return what operators read about a document that could not be made or written."""
    return f"{type(error).__name__}: {error}"[:2000]


def newest(writes: Iterable[Prepared]) -> dict[int, Prepared]:
    """Return for each id its newest write; of two at the same order, the later one."""
    found: dict[int, Prepared] = {}
    for write in writes:
        known = found.get(write.id)
        if known is None or write.order >= known.order:
            found[write.id] = write
    return found
