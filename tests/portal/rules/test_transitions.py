"""Transition tables: reading, looking up, contradictions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portal.rules.transitions import TableError, TransitionTable
from portal.services import catalogue_flow
from portal.services.flow import FlowRegistry

ROW = catalogue_flow.BINDING.rows[0]


def test_the_final_states_are_those_of_the_measures() -> None:
    table = TransitionTable(catalogue_flow.TABLE)
    assert table.final_states("catalogue_entry") == {"superseded", "discarded"}
    assert table.final_states("open_list_entry") == {"rejected", "removed"}
    assert table.final_states("freshness") == frozenset()


def test_a_row_stands_once() -> None:
    with pytest.raises(TableError, match="twice"):
        TransitionTable([ROW, ROW])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"guard_id": "nobody_wrote_this"}, "not bound"),
        ({"event": "dance"}, "no Chinese label"),
        ({"next_state": "limbo"}, "no Chinese label"),
        ({"flow": "another"}, "stands in the table"),
    ],
)
def test_an_unbound_row_stops_the_start_up(change: dict[str, str], problem: str) -> None:
    broken = replace(catalogue_flow.BINDING, rows=(replace(ROW, **change),))
    with pytest.raises(TableError, match=problem):
        FlowRegistry().add(broken)
