"""The Bureau's standing duties on one page, each with how it stands."""

from __future__ import annotations

from typing import Any

from flask import render_template

from portal.clock import local_date
from portal.permissions import Permission, require
from portal.services.calendar_notices import missing_year
from portal.web.access import signed_in
from portal.web.context import actor, clock, session
from portal.web.work.blueprint import work_blueprint

blueprint = work_blueprint("work_duties")


@blueprint.get("/work/duties")
@signed_in
def duties() -> Any:
    require(actor(), Permission.SUPERVISION_READ)
    return render_template(
        "work/duties/index.html", missing=missing_year(session(), local_date(clock()()))
    )
