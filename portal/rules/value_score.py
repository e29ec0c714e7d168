"""The value score of a catalogue entry: a plain sum of points with reasons.

Source: Measures, art. 29 (与民生紧密相关、社会迫切需要、商业增值潜力显著 opens first); the formula
and its grounds stand in docs/value-score.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

METHOD_VERSION = "v1"
BETA = 0.25
"""Weight of the value score in ranking: final = text relevance × (1 + β · V / 100)."""

MAXIMA = {
    "L_theme": Decimal(20),
    "L_priority": Decimal(8),
    "L_confirmed": Decimal(7),
    "D_requests": Decimal(20),
    "D_use": Decimal(15),
    "C_hvd": Decimal(12),
    "C_reuse": Decimal(10),
    "C_ready": Decimal(8),
}
HALF_REQUESTS, HALF_USE, HALF_REUSE = 10, 100, 3
APPLICATION_WEIGHT = 10
BADGE_AT, BADGE_KEPT_AT = Decimal(50), Decimal(45)
LEG_MAXIMA = {"L": Decimal(35), "D": Decimal(35), "C": Decimal(30)}


@dataclass(frozen=True)
class ValueSignals:
    """Recorded facts about one entry; counts are distinct people, never hits.

    `hvd`: "tagged" by an editor and reviewed, "candidate" by theme, or "".
    """

    theme_name: str = ""
    theme_livelihood: bool = False
    theme_priority: bool = False
    livelihood_confirmed: bool = False
    voters: int = 0
    users: int = 0
    approved_applications: int = 0
    hvd: str = ""
    reuses: int = 0
    machine_readable: bool = False
    interface_or_daily: bool = False
    overdue: bool = False


@dataclass(frozen=True)
class ValueReason:
    code: str
    points: float
    max: float
    zh: str
    en: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ValueScore:
    """`score` is the sum of the rounded points, 0 to 100; reasons run from most to fewest points."""

    score: float
    badge: bool
    badge_by: str
    reasons: tuple[ValueReason, ...]
    method_version: str = METHOD_VERSION


def value_score(signals: ValueSignals, *, had_badge: bool = False) -> ValueScore:
    """Return the score with its reasons. `had_badge`: the badge is lost later than it is won."""
    points = {code: _round(value) for code, value in _points(signals).items()}
    total = sum(points.values(), Decimal(0))
    legs = {
        leg: sum((p for code, p in points.items() if code.startswith(leg)), Decimal(0))
        for leg in LEG_MAXIMA
    }
    badge_by = _badge_by(total, legs, had_badge=had_badge)
    reasons = sorted(
        (_reason(code, value, signals) for code, value in points.items()),
        key=lambda reason: -reason.points,
    )
    return ValueScore(float(total), bool(badge_by), badge_by, tuple(reasons))


def _points(s: ValueSignals) -> dict[str, Decimal]:
    use = s.users + APPLICATION_WEIGHT * s.approved_applications
    return {
        "L_theme": MAXIMA["L_theme"] * s.theme_livelihood,
        "L_priority": MAXIMA["L_priority"] * s.theme_priority,
        "L_confirmed": MAXIMA["L_confirmed"] * s.livelihood_confirmed,
        "D_requests": MAXIMA["D_requests"] * _saturation(s.voters, HALF_REQUESTS),
        "D_use": MAXIMA["D_use"] * _saturation(use, HALF_USE),
        "C_hvd": {"tagged": Decimal(12), "candidate": Decimal(4)}.get(s.hvd, Decimal(0)),
        "C_reuse": MAXIMA["C_reuse"] * _saturation(s.reuses, HALF_REUSE),
        "C_ready": _readiness(s),
    }


def _saturation(count: int, half: int) -> Decimal:
    return Decimal(count) / Decimal(count + half) if count > 0 else Decimal(0)


def _readiness(s: ValueSignals) -> Decimal:
    if not s.machine_readable or s.overdue:
        return Decimal(0)
    return Decimal(8) if s.interface_or_daily else Decimal(4)


def _round(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.1"), rounding=ROUND_HALF_EVEN)


def _badge_by(total: Decimal, legs: Mapping[str, Decimal], *, had_badge: bool) -> str:
    share = Decimal("0.75") if had_badge else Decimal("0.80")
    if total >= (BADGE_KEPT_AT if had_badge else BADGE_AT):
        return "score"
    if any(legs[leg] > share * LEG_MAXIMA[leg] for leg in LEG_MAXIMA):
        return "leg"
    return ""


def _reason(code: str, points: Decimal, s: ValueSignals) -> ValueReason:
    zh, en, evidence = _words(code, s)
    return ValueReason(code, float(points), float(MAXIMA[code]), zh, en, evidence)


def _words(code: str, s: ValueSignals) -> tuple[str, str, dict[str, Any]]:
    use = s.users + APPLICATION_WEIGHT * s.approved_applications
    words: dict[str, tuple[str, str, dict[str, Any]]] = {
        "L_theme": (f"属于民生主题“{s.theme_name}”", "Livelihood theme", {"theme": s.theme_name}),
        "L_priority": (
            "属于国务院要求优先开放的领域",
            "On the State Council's list to open first",
            {},
        ),
        "L_confirmed": ("经主管部门确认与民生紧密相关", "Confirmed as close to people's lives", {}),
        "D_requests": (
            f"近一年有{s.voters}人提出开放需求",
            f"{s.voters} people asked for it in the last year",
            {"voters": s.voters},
        ),
        "D_use": (
            f"近半年使用量相当于{use}人次",
            f"Use in the last half year equals {use} people",
            {"users": s.users, "approved_applications": s.approved_applications},
        ),
        "C_hvd": ("具有较高的商业增值潜力", "High commercial potential", {"category": s.hvd}),
        "C_reuse": (
            f"已有{s.reuses}项应用成果使用该数据",
            f"Used by {s.reuses} published reuses",
            {"reuses": s.reuses},
        ),
        "C_ready": (
            "可机读、按时更新，可直接开发利用",
            "Machine-readable and kept up to date",
            {"machine_readable": s.machine_readable, "overdue": s.overdue},
        ),
    }
    return words[code]
