"""Bulk edit: choose entries, say what changes, look at the difference, then all or none."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask_babel import gettext
from sqlalchemy import select

from portal.errors import Invalid
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.organisation import Organisation
from portal.services.bulk_edit import FIELDS as CHANGEABLE
from portal.services.bulk_edit import MOST, BulkRow, Chosen, bulk_edit
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.work.blueprint import work_blueprint
from portal.web.work.decisions import (
    REFUSALS,
    Problem,
    form_key,
    form_text,
    fresh_key,
    refused,
)
from portal.web.work.difference import difference
from portal.web.work.entry_editor import departments
from portal.web.work.entry_fields import FIELDS
from portal.web.work.visibility import may_work_on

blueprint = work_blueprint("work_bulk_edit")


@blueprint.get("/work/bulk-edit")
@signed_in
def choose() -> Any:
    return _page()


def _page(problem: Problem | None = None, rows: list[BulkRow] | None = None) -> str:
    return render_template(
        "work/bulk_edit.html",
        chosen=_shown(),
        fields=[(FIELDS[name], request.form.get(name, "")) for name in CHANGEABLE],
        departments=[(o.code, o.name) for o in departments()],
        department=request.form.get("responsible_dept", ""),
        rows=[(row, difference(row.before, row.after)) for row in rows or []],
        given=request.form,
        problem=problem,
        most=MOST,
        key=fresh_key(),
    )


def _shown() -> list[tuple[str, EntryVersion]]:
    """Return (pin, newest version) of each chosen entry that the reader may work on."""
    numbers = {one.entry_id for one in _chosen(request.values.getlist("item"))}
    found = []
    query = (
        select(EntryVersion)
        .join(CatalogueEntry, CatalogueEntry.id == EntryVersion.entry_id)
        .where(EntryVersion.entry_id.in_(numbers))
        .order_by(EntryVersion.entry_id, EntryVersion.number.desc())
    )
    seen: set[int] = set()
    for version in session().scalars(query):
        if version.entry_id in seen or not may_work_on(actor(), version.entry):
            continue
        seen.add(version.entry_id)
        found.append((f"{version.entry_id}:{version.id}:{version.row_version}", version))
    return found


def _chosen(items: list[str]) -> list[Chosen]:
    """Read "entry:version:row_version", or an entry's number alone. Raises Invalid."""
    found = []
    for item in items[: MOST + 1]:
        parts = item.split(":")
        if len(item) > 40 or not all(part.isascii() and part.isdigit() for part in parts):
            raise Invalid.one("item", "stale_form", "页面已过期，请刷新后重新操作。")
        numbers = [int(part) for part in parts[:3]] + [0, 0]
        found.append(Chosen(*numbers[:3]))
    return found


@blueprint.post("/work/bulk-edit")
@writes
def change() -> Any:
    """Try it and roll back, or do it; refused as a whole if one of them cannot take it."""
    dry = request.form.get("action") != "apply"
    try:
        rows = bulk_edit(
            session(),
            clock(),
            actor(),
            _own(_chosen(request.form.getlist("item"))),
            _changes(),
            department=_department(),
            key=form_key(),
        )
    except REFUSALS as error:
        return refused(error, _page)
    if dry:
        session().rollback()
        return _page(rows=rows)
    changed = sum(1 for row in rows if row.outcome != "same" or row.department)
    flash(gettext("已修改 %(n)s 条目录，均为草稿或修订中的版本，请由责任部门提交审核。", n=changed))
    return redirect("/work/entries?state=draft", 303)


def _own(chosen: list[Chosen]) -> list[Chosen]:
    """Leave out what the reader may not even see; the flow decides on the rest."""
    query = select(CatalogueEntry).where(CatalogueEntry.id.in_([c.entry_id for c in chosen]))
    own = {entry.id for entry in session().scalars(query) if may_work_on(actor(), entry)}
    return [one for one in chosen if one.entry_id in own]


def _changes() -> dict[str, str]:
    """Return what is to change. Raises Invalid for a text that is too long."""
    found = {}
    for name in CHANGEABLE:
        field = FIELDS[name]
        value = form_text(name, longest=field.longest, label=gettext(field.label))
        if value:
            found[name] = value
    return found


def _department() -> Organisation | None:
    code = request.form.get("responsible_dept", "")
    return next((one for one in departments() if one.code == code), None) if code else None
