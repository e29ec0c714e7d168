"""Decision forms: what they carry, and what happens when a decision is refused.

Every form carries `seen` (the row version that was shown) and `key` (made for each rendered form,
so that a double click decides once). A refused decision shows its page again with the input kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from flask import flash, redirect, request
from flask_babel import gettext
from sqlalchemy import select

from portal.errors import Conflict, IllegalEvent, Invalid, PortalError, TooLarge
from portal.models.audit import AuditEvent
from portal.web.context import session
from portal.web.errors import defects_of, message_of, status_of

KEY_MAX = 80
REASON_MAX = 4000
REFUSALS = (Invalid, Conflict, IllegalEvent, TooLarge)


@dataclass(frozen=True)
class Problem:
    """Why a decision did not happen, in the reader's language."""

    status: int
    message: str
    defects: list[dict[str, str]]

    @classmethod
    def of(cls, error: PortalError) -> Problem:
        return cls(status_of(error), message_of(error), defects_of(error))


Page = Callable[[Problem | None], Any]


def decide(
    act: Callable[[], object], page: Page, *, done: str, target: str | Callable[[], str]
) -> Any:
    """Act and go to the target; a refusal shows the page again, with nothing written."""
    try:
        act()
    except REFUSALS as error:
        return refused(error, page)
    flash(done)
    return redirect(target if isinstance(target, str) else target(), 303)


def refused(error: PortalError, page: Page) -> Any:
    """Return the page with the refusal on it; what was written is rolled back."""
    session().rollback()
    problem = Problem.of(error)
    return page(problem), problem.status


def fresh_key() -> str:
    return str(uuid4())


def form_key() -> str:
    """Return the form's key. Raises Invalid if the form has none: it is not one of ours."""
    key = request.form.get("key", "")
    if not 8 <= len(key) <= KEY_MAX or not key.isascii():
        raise _stale()
    return key


def form_seen() -> int:
    """Return the row version that the reader decided on. Raises Invalid."""
    seen = request.form.get("seen", "")
    if not (seen.isascii() and seen.isdigit() and len(seen) < 10):
        raise _stale()
    return int(seen)


def pin(flow: str, subject: Any) -> None:
    """Hold a decision to the row version that was shown; the same click again passes.

    Raises:
        Conflict: somebody else moved the subject meanwhile.
    """
    if subject.row_version == form_seen():
        return
    query = select(AuditEvent.id).where(
        AuditEvent.flow == flow,
        AuditEvent.subject_id == subject.id,
        AuditEvent.event_key == form_key(),
    )
    if session().scalar(query) is None:
        raise Conflict()


def _stale() -> Invalid:
    return Invalid.one("", "stale_form", "页面已过期，请刷新后重新操作。")


def form_text(name: str, *, longest: int = REASON_MAX, label: str = "") -> str:
    """Return a text field without characters that no database text may hold. Raises Invalid."""
    text = request.form.get(name, "").replace("\r\n", "\n").replace("\x00", "").strip()
    if len(text) > longest:
        label = label or gettext("内容")
        raise Invalid.one(name, "too_long", "“{label}”不能超过{n}个字。", label=label, n=longest)
    return text


def form_date(name: str, label: str) -> date | None:
    """Return a date field, None when empty. Raises Invalid."""
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid.one(
            name, "date_parsing", "“{label}”应为日期，如 2026-11-24。", label=label
        ) from None
