"""Measures of a ranking against graded judgements. Pure.

Grades: 3 what was looked for, 2 useful, 1 touches it, 0 not relevant; unjudged counts as 0.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

CUT = 10
RELEVANT = 2
SOUGHT = 3


@dataclass(frozen=True)
class JudgedQuery:
    """One query with its judgements: code of the entry → grade."""

    text: str
    grades: Mapping[str, int]
    kind: str = ""
    split: str = ""


@dataclass(frozen=True)
class Outcome:
    """How one query fared. `reciprocal_rank` is that of the first entry of grade 3.

    `lift` is the mean value score of the relevant among the first ten, each weighted by the
    discount of its rank (so that the order among them counts); None if there are none.
    """

    query: JudgedQuery
    found: tuple[str, ...]
    ndcg: float
    recall: float
    reciprocal_rank: float
    lift: float | None


@dataclass(frozen=True)
class Summary:
    """Means over queries; `known` is the mean reciprocal rank, None if no query seeks one entry."""

    queries: int
    ndcg: float
    recall: float
    reciprocal_rank: float
    empty: float
    lift: float | None


def gain(grades: Sequence[int]) -> float:
    """Return the discounted gain: 2^grade - 1, divided by log2(rank + 1), of the first ten."""
    return sum(
        (2.0**grade - 1) / log2(rank + 1) for rank, grade in enumerate(grades[:CUT], start=1)
    )


def ndcg(found: Sequence[str], grades: Mapping[str, int]) -> float:
    """Return nDCG@10, the ideal being made of everything judged; 1 where nothing is relevant."""
    ideal = gain(sorted(grades.values(), reverse=True))
    return gain([grades.get(code, 0) for code in found]) / ideal if ideal else 1.0


def recall(found: Sequence[str], grades: Mapping[str, int]) -> float:
    """Return the share of the relevant in the first ten, of at most ten."""
    relevant = {code for code, grade in grades.items() if grade >= RELEVANT}
    if not relevant:
        return 1.0
    return len(relevant.intersection(found[:CUT])) / min(CUT, len(relevant))


def reciprocal_rank(found: Sequence[str], grades: Mapping[str, int]) -> float:
    """Return 1 / rank of the first entry that was looked for, 0 if it was not found."""
    best = max(grades.values(), default=0)
    for rank, code in enumerate(found, start=1):
        if grades.get(code, 0) >= min(SOUGHT, best) > 0:
            return 1 / rank
    return 0.0


def outcome(query: JudgedQuery, found: Sequence[str], values: Mapping[str, float]) -> Outcome:
    """Measure one ranking. `values` maps codes to value scores (0 to 100)."""
    return Outcome(
        query,
        tuple(found),
        ndcg(found, query.grades),
        recall(found, query.grades),
        reciprocal_rank(found, query.grades),
        value_lift(found, query.grades, values),
    )


def value_lift(
    found: Sequence[str], grades: Mapping[str, int], values: Mapping[str, float]
) -> float | None:
    """Return the mean value score of the relevant among the first ten, weighted by discount."""
    weighted = [
        (1 / log2(rank + 1), values.get(code, 0.0))
        for rank, code in enumerate(found[:CUT], start=1)
        if grades.get(code, 0) >= RELEVANT
    ]
    total = sum(weight for weight, _ in weighted)
    return sum(weight * value for weight, value in weighted) / total if total else None


def summarise(outcomes: Sequence[Outcome]) -> Summary:
    """Return the means.

    Raises:
        ValueError: there is nothing to take the mean of.
    """
    if not outcomes:
        raise ValueError("no queries")
    lifts = [one.lift for one in outcomes if one.lift is not None]
    return Summary(
        queries=len(outcomes),
        ndcg=_mean([one.ndcg for one in outcomes]),
        recall=_mean([one.recall for one in outcomes]),
        reciprocal_rank=_mean([one.reciprocal_rank for one in outcomes]),
        empty=_mean([float(not one.found) for one in outcomes]),
        lift=_mean(lifts) if lifts else None,
    )


def worst(outcomes: Sequence[Outcome], count: int = 10) -> list[Outcome]:
    """Return the worst queries that are not perfect, the worst first."""
    flawed = [one for one in outcomes if one.ndcg < 1 or one.recall < 1]
    return sorted(flawed, key=lambda one: (one.ndcg, one.recall, one.query.text))[:count]


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


@dataclass(frozen=True)
class Comparison:
    """A value weight β against β = 0 on the same queries (docs/search.md, "Measured").

    `low` and `high` bound the mean difference in nDCG@10 with 95 % confidence.
    """

    difference: float
    low: float
    high: float
    rank_difference: float
    lift_difference: float

    @property
    def accepted(self) -> bool:
        """Say whether ranking stays good (nDCG falls by at most 0.01, no rank of a known entry
        falls) while more valuable entries come forward."""
        return self.low >= -0.01 and self.rank_difference >= 0 and self.lift_difference > 0


def compare(with_value: Sequence[Outcome], without: Sequence[Outcome]) -> Comparison:
    """Compare two runs over the same queries by a paired bootstrap of 1,000 samples.

    Raises:
        ValueError: the runs are not over the same queries, or empty.
    """
    if [one.query for one in with_value] != [one.query for one in without]:
        raise ValueError("the runs are not over the same queries")
    pairs = [a.ndcg - b.ndcg for a, b in zip(with_value, without, strict=True)]
    chance = random.Random(1)
    means = sorted(_mean(chance.choices(pairs, k=len(pairs))) for _ in range(1_000))
    known = [number for number, one in enumerate(without) if one.query.kind == "known"]
    before, after = summarise(without), summarise(with_value)
    ranks = [with_value[n].reciprocal_rank - without[n].reciprocal_rank for n in known]
    return Comparison(
        difference=_mean(pairs),
        low=means[25],
        high=means[974],
        rank_difference=_mean(ranks) if ranks else 0.0,
        lift_difference=(after.lift or 0.0) - (before.lift or 0.0),
    )
