"""Messages to the reader: for every account, staff or not."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template
from flask_babel import gettext
from werkzeug.wrappers import Response

from portal.services.notices import list_notices, mark_read
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.work.blueprint import sections_of

blueprint = Blueprint("notices", __name__)
SHOWN = 100


@blueprint.get("/notices")
@signed_in
def notices() -> Any:
    found = list_notices(session(), actor().account_id or 0, limit=SHOWN)
    return render_template(
        "work/notices.html",
        notices=found,
        unread=sum(1 for notice in found if notice.read_at is None),
        work_sections=sections_of(actor()) if actor().organisation_ids else [],
    )


@blueprint.get("/work/notices")
@signed_in
def work_notices() -> Response:
    return redirect("/notices")


@blueprint.post("/notices/read")
@writes
def read() -> Response:
    mark_read(session(), clock(), actor().account_id or 0)
    flash(gettext("已全部标为已读。"))
    return redirect("/notices", 303)
