"""The supplementary catalogue of cities (F3): its list, a version with its decisions."""

from __future__ import annotations

import re
from typing import Any

from flask import redirect, render_template, request
from flask_babel import gettext
from sqlalchemy import select

from portal.codes import code_list
from portal.errors import Invalid, NotFound, Unavailable
from portal.models.entry import CatalogueEntry, EntryVersion, find_entry
from portal.models.organisation import Organisation
from portal.rules.entry_content import EntryContent
from portal.services.content import content_of
from portal.services.flow import Flow
from portal.services.overview import city_of
from portal.services.supplementary import (
    SupplementaryService,
    find_absorption,
    list_dismissals,
    list_supplementary,
)
from portal.services.supplementary_flow import BINDING, FLOW, PROVINCE
from portal.services.timeline import timeline
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, platform, session
from portal.web.translated import translated
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import (
    REFUSALS,
    Problem,
    decide,
    form_key,
    form_seen,
    form_text,
    fresh_key,
    refused,
)
from portal.web.work.difference import words
from portal.web.work.entry_editor import gaps_of
from portal.web.work.entry_fields import FIELDS
from portal.web.work.versions import clocks_of
from portal.web.work.visibility import version_for_work

blueprint = work_blueprint("work_supplementary")
ADDRESS = "/work/supplementary"
DISMISSED = re.compile(r"dismiss\.[0-9]{1,18}")
SHOWN_FIELDS = (
    "abstract", "theme", "region", "share_type", "open_type", "security_level",
    "acquisition_method", "update_frequency", "duplicate_reason", "contact_name",
)  # fmt: skip


@blueprint.get(ADDRESS)
@signed_in
def supplementary() -> Any:
    return _list()


def _list(problem: Problem | None = None) -> str:
    state = request.args.get("state", "")
    return render_template(
        "work/supplementary.html",
        versions=list_supplementary(session(), actor(), state),
        states=translated(BINDING.state_labels),
        state=state,
        providers=[(o.code, o.name) for o in providers()],
        problem=problem,
        given=request.form,
        key=fresh_key(),
    )


def providers() -> list[Organisation]:
    """Return the city organisations the reader may draft for: the own ones, an authority's city."""
    own = actor().acts_for("agency")
    cities = [
        one.region_code
        for one in session().scalars(
            select(Organisation).where(Organisation.id.in_(actor().acts_for("city_authority")))
        )
    ]
    regions = [r.code for r in code_list("regions") if city_of(r.code) in cities]
    query = select(Organisation).where(
        Organisation.id.in_(own) | Organisation.region_code.in_(regions),
        Organisation.region_code != PROVINCE,
    )
    found = list(session().scalars(query.order_by(Organisation.id)))
    return sorted(found, key=lambda one: one.id not in own)


@blueprint.post(f"{ADDRESS}/new")
@writes
def create() -> Any:
    """Start an entry with its title; the editor then asks for all the rest."""
    key = form_key()
    existing = find_entry(session(), key)
    if existing is not None:  # a double click: the first one made the entry
        return redirect(ADDRESS, 303)
    try:
        title = form_text("title", longest=200, label=gettext("名称"))
        code = request.form.get("provider", "")
        provider = next((one for one in providers() if one.code == code), None)
        if not title:
            raise Invalid.one("title", "missing", "请填写名称。")
        if provider is None:
            raise Invalid.one("provider", "missing", "请选择“{label}”。", label=gettext("提供单位"))
        content = EntryContent(
            title=title,
            theme=provider.default_theme,
            region=provider.region_code,
            contact_name=provider.short_name or provider.name,
        )
        version = _service().create(actor(), provider, content, public_id=key)
    except REFUSALS as error:
        return refused(error, _list)
    session().flush()
    return redirect(f"/work/versions/{version.id}/edit", 303)


@blueprint.get(f"{ADDRESS}/<{ID}:version_id>")
@signed_in
def version(version_id: int) -> Any:
    return _page(version_id)


def _page(version_id: int, problem: Problem | None = None) -> str:
    shown = _version(version_id)
    events = _events(shown)
    nearest: list[EntryVersion] | None = []
    if events & {"publish", "absorb"}:
        nearest = _nearest(shown)
    return render_template(
        "work/supplementary_version.html",
        version=shown,
        entry=shown.entry,
        content=content_of(shown),
        fields=[
            (gettext(FIELDS[name].label), words(FIELDS[name], getattr(content_of(shown), name)))
            for name in SHOWN_FIELDS
        ],
        states=translated(BINDING.state_labels),
        events=events,
        gaps=gaps_of(shown) if shown.state == "draft" else [],
        clocks=clocks_of(FLOW, shown.id),
        nearest=nearest,
        dismissals=list_dismissals(session(), shown.id),
        absorption=find_absorption(session(), shown.entry_id),
        own_edit=actor().account_id in shown.editors,
        timeline=timeline(session(), shown.entry_id),
        problem=problem,
        given=request.form,
        key=fresh_key(),
    )


def _version(version_id: int) -> EntryVersion:
    found = version_for_work(version_id)
    if not found.entry.is_city_compiled:
        raise NotFound()
    return found


def _events(shown: EntryVersion) -> frozenset[str]:
    flow = Flow(FLOW, session(), clock())
    return frozenset(row.event for row in flow.possible_events(shown, actor()))


def _nearest(shown: EntryVersion) -> list[EntryVersion] | None:
    """Return the nearest provincial entries; None while the search engine does not answer."""
    try:
        return _service().nearest(shown)
    except Unavailable:
        return None


def _service() -> SupplementaryService:
    return SupplementaryService(session(), clock(), platform().engine)


@blueprint.post(f"{ADDRESS}/<{ID}:version_id>/submit")
@writes
def submit(version_id: int) -> Any:
    def act() -> None:
        _service().submit(actor(), _version(version_id), seen=form_seen(), key=form_key())

    return _decide(version_id, act, gettext("已提交本市主管部门审核。"))


@blueprint.post(f"{ADDRESS}/<{ID}:version_id>/publish")
@writes
def publish(version_id: int) -> Any:
    def act() -> None:
        dismissed = {
            int(name.removeprefix("dismiss.")): form_text(name, longest=1000)
            for name in request.form
            if DISMISSED.fullmatch(name)
        }
        _service().publish(
            actor(), _version(version_id), dismissed, seen=form_seen(), key=form_key()
        )

    return _decide(version_id, act, gettext("已发布，公众随即可以检索到。"))


@blueprint.post(f"{ADDRESS}/<{ID}:version_id>/return")
@writes
def return_for_correction(version_id: int) -> Any:
    def act() -> None:
        _service().return_for_correction(
            actor(), _version(version_id), reason=form_text("reason"),
            seen=form_seen(), key=form_key(),
        )  # fmt: skip

    return _decide(version_id, act, gettext("已退回修改。"))


@blueprint.post(f"{ADDRESS}/<{ID}:version_id>/absorb")
@writes
def absorb(version_id: int) -> Any:
    def act() -> None:
        code = form_text("provincial", longest=120)
        found: CatalogueEntry | None = find_entry(session(), code) if code else None
        _service().absorb(actor(), _version(version_id), found, seen=form_seen(), key=form_key())

    return _decide(version_id, act, gettext("已并入省级目录，本条不再对外发布。"))


@blueprint.post(f"{ADDRESS}/<{ID}:version_id>/retire")
@writes
def retire(version_id: int) -> Any:
    def act() -> None:
        _service().retire(
            actor(), _version(version_id), reason=form_text("retire_reason"),
            seen=form_seen(), key=form_key(),
        )  # fmt: skip

    return _decide(version_id, act, gettext("已撤下。"))


def _decide(version_id: int, act: Any, done: str) -> Any:
    return decide(
        act,
        lambda problem: _page(version_id, problem),
        done=done,
        target=f"{ADDRESS}/{version_id}",
    )
