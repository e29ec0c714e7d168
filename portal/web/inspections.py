"""Random inspections in public: how the sample was drawn, and what was found."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template

from portal.services.inspection_findings import mendings_of
from portal.services.inspections import get_check, list_checks, list_items, titles_of
from portal.web.access import public
from portal.web.attachment import attachment
from portal.web.context import session
from portal.web.work.blueprint import ID

blueprint = Blueprint("inspections", __name__)


@blueprint.get("/inspections")
@public
def inspections() -> Any:
    return render_template("inspections.html", checks=list_checks(session()))


@blueprint.get(f"/inspections/<{ID}:check_id>")
@public
def inspection(check_id: int) -> Any:
    check = get_check(session(), check_id)
    items = list_items(session(), check.id)
    found = [item.id for item in items if item.finding] if check.concluded_at else []
    return render_template(
        "inspection.html",
        check=check,
        items=items,
        titles=titles_of(session(), items),
        mendings=mendings_of(session(), found),
    )


@blueprint.get(f"/inspections/<{ID}:check_id>/population.txt")
@public
def population(check_id: int) -> Response:
    """The codes that were drawn from, one a line: what `population_digest` is made of."""
    check = get_check(session(), check_id)
    body = "\n".join(sorted(check.population)).encode()
    name = f"inspection-{check.id}-population.txt"
    return attachment(body, "text/plain; charset=utf-8", name, name)
