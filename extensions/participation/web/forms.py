"""What the forms of participation share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request

from extensions.participation.permissions import ParticipationPermission
from portal.errors import Forbidden, NotFound, TooManyRequests
from portal.models.entry import CatalogueEntry
from portal.permissions import is_allowed
from portal.web.context import actor
from portal.web.dataset import readable_entry
from portal.web.work.decisions import REFUSALS, Page, Problem, refused

LINES_MAX = 50


def attempt(
    act: Callable[[], object], page: Page, *, done: str, target: str | Callable[[], str]
) -> Any:
    """Act and go to the target; a refusal, also of one too many, keeps the input on the page."""
    try:
        act()
    except (*REFUSALS, TooManyRequests) as error:
        answer, status = refused(error, page)
        if isinstance(error, TooManyRequests):
            return answer, status, {"Retry-After": str(error.params["retry_after_seconds"])}
        return answer, status
    flash(done)
    return redirect(target if isinstance(target, str) else target(), 303)


def typed(name: str) -> str:
    """Return a text as typed, one kind of line ends, without what no database may hold."""
    return request.values.get(name, "").replace("\r\n", "\n").replace("\x00", "").strip()


def typed_lines(name: str) -> list[str]:
    """Return the lines of a text; an address of a data set gives its last part."""
    lines = (line.strip().rstrip("/") for line in typed(name).split("\n")[:LINES_MAX])
    return [line.split("?")[0].split("#")[0].rsplit("/", 1)[-1] for line in lines if line]


def readable(text: Any) -> Any:
    """Return the text if the caller may read it; what is not shown is not there for others."""
    if not is_allowed(actor(), ParticipationPermission.TEXT_READ, text):
        raise NotFound()
    return text


def public_entry(key: str) -> CatalogueEntry:
    """Return a published entry that people talk about. Raises: NotFound, Gone, Forbidden."""
    entry = readable_entry(key)
    if not entry.is_public:
        raise Forbidden()
    return entry


__all__ = ["Problem", "attempt", "public_entry", "readable", "typed", "typed_lines"]
