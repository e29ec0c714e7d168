"""What people typed into the forms of applications: kept as it came, read as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import request

from extensions.access.models.application import AccessApplication
from extensions.access.models.interface import DataInterface
from extensions.access.policy import PolicyRow
from extensions.access.rules import Request, Terms

MAX_DIGITS = 9
ANSWERS_MAX = 50
DEFECTS_SHOWN = 5
DEFECTS_MAX = 20
FILTERS_SHOWN, FILTERS_MAX = 2, 10
MAX_NAMED = 200


@dataclass(frozen=True)
class Typed:
    """Texts of the application form; numbers stay texts so that a wrong one is shown again."""

    purpose: str = ""
    scenario: str = ""
    fields: tuple[str, ...] = ()
    volume_a_day: str = ""
    term_days: str = ""
    capability: str = ""
    undertakings: tuple[str, ...] = ()
    answers: Mapping[int, str] = field(default_factory=dict)
    storage: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_request(cls) -> Typed:
        form = request.form
        return cls(
            purpose=plain("purpose"),
            scenario=plain("scenario"),
            fields=tuple(form.getlist("fields"))[:200],
            volume_a_day=plain("volume_a_day"),
            term_days=plain("term_days"),
            capability=plain("capability"),
            undertakings=tuple(form.getlist("undertakings"))[:20],
            answers={
                n: plain(f"answers.{n}") for n in range(ANSWERS_MAX) if f"answers.{n}" in form
            },
            storage=plain("storage"),
            reasons=_named("reason."),
        )

    @classmethod
    def of_application(cls, application: AccessApplication) -> Typed:
        return cls(
            purpose=application.purpose,
            scenario=application.scenario,
            fields=tuple(application.fields),
            volume_a_day=_text(application.volume_a_day),
            term_days=_text(application.term_days),
            capability=application.capability,
            undertakings=tuple(application.undertakings),
            answers={n: one.get("answer", "") for n, one in enumerate(application.correction)},
            storage=application.storage or "",
            reasons=application.field_reasons or {},
        )

    @classmethod
    def proposed(cls, interface: DataInterface) -> Typed:
        """What a new form begins with."""
        return cls(volume_a_day=_text(min(1000, interface.daily_quota)), term_days="365")

    def request(self) -> Request:
        return Request(
            purpose=self.purpose,
            scenario=self.scenario,
            fields=self.fields,
            volume_a_day=whole(self.volume_a_day),
            term_days=whole(self.term_days),
            capability=self.capability,
            undertakings=self.undertakings,
            storage=self.storage,
            field_reasons=self.reasons,
        )


@dataclass(frozen=True)
class TypedTerms:
    """Texts of the approval form."""

    fields: tuple[str, ...]
    quota_day: str
    per_minute: str
    term_days: str
    conditions: str = ""
    per_second: str = ""
    quota_term: str = ""
    masking: Mapping[str, str] = field(default_factory=dict)
    row_filters: tuple[Mapping[str, str], ...] = ()

    @classmethod
    def of_request(cls) -> TypedTerms:
        return cls(
            fields=tuple(request.form.getlist("fields"))[:200],
            quota_day=plain("quota_day"),
            per_minute=plain("per_minute"),
            term_days=plain("term_days"),
            conditions=plain("conditions"),
            per_second=plain("per_second"),
            quota_term=plain("quota_term"),
            masking=_named("mask."),
            row_filters=_row_filters(),
        )

    @classmethod
    def proposed(cls, application: AccessApplication, policy: PolicyRow) -> TypedTerms:
        """What was asked, no more than the interface proposes and the policy allows."""
        interface = application.interface
        most = min(interface.daily_quota, policy.max_daily_quota)
        return cls(
            fields=tuple(application.fields),
            quota_day=_text(min(application.volume_a_day or 1, most)),
            per_minute=_text(interface.per_minute),
            term_days=_text(application.term_days),
        )

    def terms(self) -> Terms:
        return Terms(
            fields=self.fields,
            quota_day=whole(self.quota_day) or 0,
            per_minute=whole(self.per_minute) or 0,
            term_days=whole(self.term_days) or 0,
            conditions=self.conditions,
            per_second=_optional(self.per_second),
            quota_term=_optional(self.quota_term),
            masking={n: rule for n, rule in self.masking.items() if n in self.fields},
            row_filters=self.row_filters,
        )

    def shown_filters(self) -> list[Mapping[str, str]]:
        """Return the filters as the form shows them, blank ones to fill at the end."""
        blank = {"field": "", "op": "eq", "value": ""}
        return [*self.row_filters, *[blank] * max(1, FILTERS_SHOWN - len(self.row_filters))]


def _named(start: str) -> dict[str, str]:
    """Return the filled-in inputs `<start><field>`, by field."""
    names = [name for name in request.form if name.startswith(start)][:MAX_NAMED]
    return {name.removeprefix(start)[:63]: text for name in names if (text := plain(name))}


def _row_filters() -> tuple[Mapping[str, str], ...]:
    """Return the rows of the form in which a field is chosen."""
    parts = (request.form.getlist(name)[:FILTERS_MAX] for name in ("rf_field", "rf_op", "rf_value"))
    return tuple(
        {"field": field, "op": op, "value": _clean(value)}
        for field, op, value in zip(*parts, strict=False)
        if field
    )


def _optional(text: str) -> int | None:
    """Return None for nothing; 0, which is refused, for what is no number."""
    return (whole(text) or 0) if text else None


def typed_defects() -> list[dict[str, str]]:
    """Return the rows of the correction form, blank ones to fill at the end."""
    fields = request.form.getlist("defect_field")[:DEFECTS_MAX]
    texts = request.form.getlist("defect_text")[:DEFECTS_MAX]
    rows = [{"field": f, "text": _clean(t)} for f, t in zip(fields, texts, strict=False)]
    return rows + [{"field": "", "text": ""} for _ in range(max(0, DEFECTS_SHOWN - len(rows)))]


def plain(name: str) -> str:
    return _clean(request.form.get(name, ""))


def whole(text: str) -> int | None:
    text = text.replace(",", "").replace("，", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None


def _clean(text: str) -> str:
    """Line ends as one character, and none that no database text may hold."""
    return text.replace("\r\n", "\n").replace("\x00", "").strip()


def _text(value: int | None) -> str:
    return "" if value is None else str(value)
