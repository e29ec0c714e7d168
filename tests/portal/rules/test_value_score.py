"""The value score: the worked examples and the invariants."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.value_score import ValueSignals, value_score

TRANSPORT = {"theme_livelihood": True, "theme_priority": True}


@pytest.mark.parametrize(
    ("signals", "score", "badge"),
    [
        (
            ValueSignals(
                **TRANSPORT, livelihood_confirmed=True, voters=30, users=400, hvd="tagged",
                reuses=8, machine_readable=True, interface_or_daily=True,
            ),
            89.3,
            True,
        ),
        (
            ValueSignals(
                **TRANSPORT, voters=12, users=250, hvd="tagged", reuses=5, machine_readable=True
            ),
            71.8,
            True,
        ),
        (
            ValueSignals(
                **TRANSPORT, voters=22, approved_applications=14, reuses=2,
                machine_readable=True, interface_or_daily=True,
            ),
            62.6,
            True,
        ),
        (
            ValueSignals(
                **TRANSPORT, livelihood_confirmed=True, hvd="tagged",
                machine_readable=True, interface_or_daily=True,
            ),
            55.0,
            True,
        ),
        (ValueSignals(theme_priority=True, voters=2, users=60, hvd="candidate"), 20.9, False),
        (
            ValueSignals(**TRANSPORT, users=3, hvd="candidate", machine_readable=True, overdue=True),
            32.4,
            False,
        ),
        (ValueSignals(voters=1, users=12, machine_readable=True), 7.4, False),
    ],
)  # fmt: skip
def test_the_worked_examples(signals: ValueSignals, score: float, badge: bool) -> None:
    found = value_score(signals)
    assert (found.score, found.badge) == (score, badge)


counts = st.integers(0, 10_000)
signals = st.builds(
    ValueSignals,
    theme_livelihood=st.booleans(),
    theme_priority=st.booleans(),
    livelihood_confirmed=st.booleans(),
    voters=counts,
    users=counts,
    approved_applications=counts,
    hvd=st.sampled_from(["", "candidate", "tagged"]),
    reuses=counts,
    machine_readable=st.booleans(),
    interface_or_daily=st.booleans(),
    overdue=st.booleans(),
)


@given(signals)
def test_the_score_is_the_sum_of_its_reasons(given_signals: ValueSignals) -> None:
    found = value_score(given_signals)
    assert 0 <= found.score <= 100
    assert round(sum(reason.points for reason in found.reasons), 1) == found.score
    assert all(0 <= reason.points <= reason.max for reason in found.reasons)


@given(signals, st.sampled_from(["voters", "users", "approved_applications", "reuses"]))
def test_more_demand_never_lowers_it(given_signals: ValueSignals, name: str) -> None:
    more = replace(given_signals, **{name: getattr(given_signals, name) + 1})
    assert value_score(more).score >= value_score(given_signals).score


def test_theme_alone_never_gives_the_badge() -> None:
    assert not value_score(ValueSignals(**TRANSPORT)).badge


def test_the_badge_is_lost_later_than_it_is_won() -> None:
    between = ValueSignals(**TRANSPORT, livelihood_confirmed=True, hvd="tagged")
    assert value_score(between).score == 47.0
    between = replace(between, livelihood_confirmed=False, users=70)
    assert not value_score(between).badge
    assert value_score(between, had_badge=True).badge
