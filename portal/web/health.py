"""Whether the process is up and its parts answer, for load balancers and operators."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify
from sqlalchemy import text

from portal.clock import local_date
from portal.services.calendar_notices import missing_year
from portal.services.index_quarantine import count_quarantined
from portal.services.indexer import count_pending
from portal.web.access import public
from portal.web.context import platform, session
from search.engine import SearchUnavailable

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
@public
def health() -> Any:
    """Answer 200 while pages can be served; name what does not answer.

    `search` is ok, full (it answers and its disk takes no writes) or unavailable; `calendar` is ok,
    or from 1 November on `missing YEAR` while no holiday notice covers the coming year.
    """
    parts = platform()
    session().execute(text("SELECT 1"))
    try:
        parts.engine.ping()
        search = "full" if parts.engine.is_full() else "ok"
    except SearchUnavailable:
        search = "unavailable"
    missing = missing_year(session(), local_date(parts.clock()))
    return jsonify(
        database="ok",
        search=search,
        index_pending=count_pending(session()),
        index_quarantined=count_quarantined(session()),
        calendar=f"missing {missing[0]}" if missing else "ok",
    )
