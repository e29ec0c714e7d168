"""The page of one interface: what it gives, on which terms, how well it runs, and a console."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Blueprint, Response, render_template, request
from sqlalchemy import select

from extensions.access.api.code_samples import samples_of
from extensions.access.api.openapi import describe
from extensions.access.errors import CallRefused
from extensions.access.flow import is_open_conditionally
from extensions.access.models.interface import DataInterface, get_interface
from extensions.access.rules import UNDERTAKINGS, grantable_items
from extensions.access.services.availability import SHOWN_DAYS, availability_of
from extensions.access.services.gate import Admission
from extensions.access.services.sandbox_gate import PER_DAY, PER_MINUTE, sandbox_admission
from extensions.access.upstream import find_target
from extensions.access.web import console
from extensions.access.web.figures import csv_answer
from portal.clock import local_date
from portal.errors import NotFound
from portal.models.freshness import Freshness
from portal.rules.entry_content import EntryContent
from portal.rules.metadata_profile import MASKINGS, PERSONAL_KINDS
from portal.services.content import content_of
from portal.web.access import public
from portal.web.context import clock, platform, session
from portal.web.translated import translated

blueprint = Blueprint("access_interface", __name__)
EXAMPLE_ROWS, EXAMPLE_VALUE = "2", "1"


@blueprint.get("/interfaces/<api_code>")
@public
def show(api_code: str) -> Any:
    interface, content = _offered(api_code)
    entry = interface.entry
    admission, refusal = _sandbox(interface)
    typed = console.Typed.of_request()
    tried = None
    if admission is not None and "call" in request.args:
        tried = console.try_call(admission, typed, _site_url())
    return render_template(
        "access/interface.html",
        interface=interface,
        entry=entry,
        content=content,
        items=grantable_items(content, interface.fields),
        is_open=is_open_conditionally(session(), entry.id),
        freshness=session().scalar(select(Freshness.state).where(Freshness.entry_id == entry.id)),
        availability=availability_of(session(), interface.id, local_date(clock()())),
        shown_days=SHOWN_DAYS,
        samples=samples_of(describe(interface, _site_url(), find_target(session(), interface.id))),
        examples=_examples(admission),
        refusal=refusal,
        typed=typed,
        tried=tried,
        operators=console.OPERATORS,
        upstream=admission.upstream if admission is not None else None,
        sandbox_limits=(PER_DAY, PER_MINUTE),
        undertakings=translated(UNDERTAKINGS),
        personal_kinds=translated(PERSONAL_KINDS),
        maskings=translated(MASKINGS),
        site_url=_site_url(),
    )


@blueprint.get("/interfaces/<api_code>/calls.csv")
@public
def calls_csv(api_code: str) -> Response:
    """The public totals by day."""
    interface, _content = _offered(api_code)
    found = availability_of(session(), interface.id, local_date(clock()()))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["day", "calls", "rows", "failures"])
    writer.writerows((d.day.isoformat(), d.calls, d.rows, d.failures) for d in found.days)
    return csv_answer(out.getvalue(), f"calls-{api_code}.csv")


def _offered(api_code: str) -> tuple[DataInterface, EntryContent]:
    interface = get_interface(session(), api_code)
    version = interface.entry.published_version
    if interface.withdrawn_at is not None or version is None or not interface.entry.is_public:
        raise NotFound("没有代码为“{key}”的数据接口。", key=api_code[:60])
    return interface, content_of(version)


def _sandbox(interface: DataInterface) -> tuple[Admission | None, str]:
    """Return what the console asks, or why it cannot ask."""
    try:
        return sandbox_admission(session(), interface), ""
    except CallRefused as error:
        return None, console.refused(error)


def _examples(admission: Admission | None) -> list[tuple[str, str]]:
    if admission is None:
        return []
    if admission.upstream is not None:
        needed = {one.name: EXAMPLE_VALUE for one in admission.upstream.parameters if one.required}
        return [("rows", console.example(admission, "rows", **needed))]
    return [
        ("rows", console.example(admission, "rows", limit=EXAMPLE_ROWS)),
        ("count", console.example(admission, "count")),
        ("aggregate", console.example(admission, "aggregate", measure="count")),
    ]


def _site_url() -> str:
    return platform().settings.site_url.rstrip("/")
