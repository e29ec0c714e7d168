"""Dates and instants as CKAN clients write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from portal.clock import SHANGHAI


def instant_of(value: Any) -> datetime | None:
    """Return the instant that a text names; one without a zone is UTC, as CKAN's are.

    None for what is no instant.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def local_instant_of(value: Any) -> datetime | None:
    """Return the instant that a text names; a date alone is midnight in Jilin."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).astimezone(UTC)
