"""How a form that did not go through is answered: 422 for what was typed, 409 where things moved.

The flow's guards refuse both alike. What a field of the form can put right is wrong input; what it
cannot (another state, another version, an agreement that changed meanwhile) is a conflict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.errors import Defect, GuardRefused, Invalid, PortalError
from portal.web.work import decisions
from portal.web.work.decisions import Page

NOT_TYPED = frozenset({"", "entry", "open_type", "valid_until"})
"""Fields of defects that stand for the thing itself."""
MOVED = frozenset({"changed", "unchanged"})


def decide(
    act: Callable[[], object], page: Page, *, done: str, target: str | Callable[[], str]
) -> Any:
    """Act and go to the target; a refusal shows the page again, with nothing written."""

    def acted() -> None:
        try:
            act()
        except GuardRefused as error:
            raise of_form(error) from None

    return decisions.decide(acted, page, done=done, target=target)


def refused(error: PortalError, page: Page) -> Any:
    """Return the page with the refusal on it; what was written is rolled back."""
    return decisions.refused(of_form(error) if isinstance(error, GuardRefused) else error, page)


def of_form(error: GuardRefused) -> PortalError:
    """Return the refusal as the form's reader has to take it."""
    if error.defects and all(map(_is_typed, error.defects)):
        return Invalid(error.defects)
    return error


def _is_typed(defect: Defect) -> bool:
    return defect.field not in NOT_TYPED and defect.code not in MOVED
