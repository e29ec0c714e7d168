"""The measures, on rankings whose figures can be worked out by hand."""

from __future__ import annotations

from math import log2

import pytest

from search.evaluation import (
    JudgedQuery,
    compare,
    ndcg,
    outcome,
    recall,
    reciprocal_rank,
    summarise,
    value_lift,
    worst,
)

GRADES = {"a": 3, "b": 2, "c": 0}


def test_ndcg_is_measured_against_everything_judged():
    assert ndcg(["a", "b"], GRADES) == 1
    assert ndcg(["b", "a"], GRADES) == pytest.approx(
        (3 + 7 / log2(3)) / (7 + 3 / log2(3)),
    )
    assert ndcg(["x"] * 10 + ["a"], GRADES) == 0
    assert ndcg([], GRADES) == 0
    assert ndcg(["c"], {"c": 0}) == 1


def test_recall_counts_useful_entries_of_at_most_ten():
    assert recall(["a", "c"], GRADES) == 0.5
    many = {str(number): 2 for number in range(20)}
    assert recall([str(number) for number in range(10)], many) == 1
    assert recall(["c"], {"c": 1}) == 1


def test_the_reciprocal_rank_is_that_of_what_was_looked_for():
    assert reciprocal_rank(["b", "c", "a"], GRADES) == pytest.approx(1 / 3)
    assert reciprocal_rank(["c", "b"], {"b": 2, "c": 0}) == 0.5
    assert reciprocal_rank(["c"], GRADES) == 0


def test_the_lift_weighs_relevant_entries_by_rank():
    assert value_lift(["c", "x"], GRADES, {"c": 90}) is None
    first, second = 1.0, 1 / log2(3)
    expected = (80 * first + 20 * second) / (first + second)
    assert value_lift(["a", "b"], GRADES, {"a": 80, "b": 20}) == pytest.approx(expected)


def run(*rankings: list[str], kind: str = "known"):
    queries = [JudgedQuery(str(number), GRADES, kind) for number in range(len(rankings))]
    values = {"a": 10.0, "b": 50.0}
    return [outcome(*pair, values) for pair in zip(queries, rankings, strict=True)]


def test_a_summary_holds_means():
    row = summarise(run(["a", "b"], []))
    assert (row.queries, row.ndcg, row.recall, row.reciprocal_rank) == (2, 0.5, 0.5, 0.5)
    assert row.empty == 0.5
    with pytest.raises(ValueError, match="no queries"):
        summarise([])


def test_the_worst_come_first_and_perfect_ones_not_at_all():
    outcomes = run(["a", "b"], ["b", "a"], [])
    assert [one.query.text for one in worst(outcomes)] == ["2", "1"]
    assert len(worst(outcomes, 1)) == 1


def test_a_weight_that_loses_nothing_and_lifts_value_is_accepted():
    plain = run(["a", "c", "b"], ["a", "c", "b"], kind="topical")
    better = run(["a", "b", "c"], ["a", "b", "c"], kind="topical")
    assert compare(better, plain).accepted
    assert not compare(plain, plain).accepted, "no value came forward"
    assert not compare(plain, better).accepted


def test_a_weight_that_buries_a_known_entry_is_refused():
    found = compare(run(["b", "a"], ["a", "b"]), run(["a", "b"], ["a", "b"]))
    assert found.rank_difference == -0.25
    assert not found.accepted


def test_only_runs_over_the_same_queries_are_compared():
    with pytest.raises(ValueError, match="same queries"):
        compare(run(["a"]), run(["a"], ["a"]))
