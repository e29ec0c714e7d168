"""The audit trail, for the Bureau and the auditor: filters, and whether the chain is whole."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from flask import render_template, request
from flask_babel import gettext

from portal.clock import SHANGHAI
from portal.errors import Invalid
from portal.permissions import Permission, require
from portal.services.audit import verify
from portal.services.audit_anchor import FileAnchor
from portal.services.flow import FLOWS
from portal.services.timeline import (
    OTHER_EVENTS,
    EventFilter,
    chain_state,
    flow_label,
    known_events,
    list_events,
)
from portal.web.access import signed_in
from portal.web.context import actor, platform, session
from portal.web.paging import Paging, page_number
from portal.web.work.blueprint import work_blueprint

blueprint = work_blueprint("work_audit")
PAGE = 100
YEARS = range(2000, 2100)


@blueprint.get("/work/audit")
@signed_in
def audit() -> Any:
    require(actor(), Permission.AUDIT_READ)
    number = page_number(request.args)
    chosen = _filter()
    events, total = list_events(session(), chosen, limit=PAGE, offset=(number - 1) * PAGE)
    occurring = known_events(session())
    pairs = [(k, v) for k, v in request.args.items() if v and k != "check"]
    return render_template(
        "work/audit.html",
        events=events,
        given=request.args,
        flows=sorted({flow: gettext(flow_label(flow)) for flow, _ in occurring}.items()),
        kinds=sorted({event: _event_label(flow, event) for flow, event in occurring}.items()),
        chain=chain_state(session()),
        faults=_verified() if "check" in request.args else None,
        paging=Paging(number, PAGE, total, "/work/audit", pairs),
    )


def _event_label(flow: str, event: str) -> str:
    binding = FLOWS.find_binding(flow)
    known = binding.event_labels.get(event) if binding else OTHER_EVENTS.get((flow, event))
    return gettext(known or OTHER_EVENTS.get((flow, event)) or event)


def _verified() -> list[Any]:
    anchor = FileAnchor(platform().settings.home / "audit-head.json")
    return list(verify(session(), anchor))


def _filter() -> EventFilter:
    since, until = _midnight("since"), _midnight("until")
    return EventFilter(
        flow=request.args.get("flow", "")[:40],
        event=request.args.get("event", "")[:60],
        actor=request.args.get("actor", "").replace("\x00", "").strip()[:120],
        since=since,
        before=until + timedelta(days=1) if until else None,
        late_only=request.args.get("late") == "yes",
    )


def _midnight(name: str) -> datetime | None:
    """Return the start of a day in Jilin. Raises Invalid."""
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        if day.year not in YEARS:
            raise ValueError(day)
        return datetime.combine(day, time(), SHANGHAI)
    except ValueError:
        label = gettext("起始日期") if name == "since" else gettext("截止日期")
        raise Invalid.one(
            name, "date_parsing", "“{label}”应为日期，如 2026-11-24。", label=label
        ) from None
