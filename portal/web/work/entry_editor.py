"""The entry list and the editor: drafts are kept however incomplete, nothing typed is lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request
from flask_babel import gettext
from sqlalchemy import select

from portal.codes import code_list
from portal.errors import Forbidden, IllegalEvent, Invalid, PortalError
from portal.models.entry import EntryVersion, find_entry, list_versions
from portal.models.entry_template import list_templates
from portal.models.organisation import RESPONSIBLE_DEPT, Organisation
from portal.rules.entry_content import EntryContent
from portal.rules.metadata_profile import BASIS_KINDS, JL_1, defects
from portal.services.catalogue_flow import BINDING, FLOW
from portal.services.codes_known import known_codes
from portal.services.content import content_of
from portal.services.entries import EntryService
from portal.services.entry_list import LISTED, EntryFilter, list_entries
from portal.services.entry_templates import content_of_template, copied, own_template
from portal.services.flow import Flow
from portal.services.open_list_flow import BINDING as OPEN_LIST
from portal.services.responsibility import assigned_for
from portal.services.similar_entries import similar_to
from portal.services.supplementary_flow import FLOW as SUPPLEMENTARY
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, commit, platform, session
from portal.web.errors import defects_of
from portal.web.paging import Paging, page_number
from portal.web.presentation import moment
from portal.web.translated import translated
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import REFUSALS, Problem, form_key, form_seen, fresh_key
from portal.web.work.difference import difference
from portal.web.work.entry_fields import (
    BASIS_LABELS,
    FIELDS,
    ITEM_LABELS,
    SECTIONS,
    item_choices,
    label_of,
)
from portal.web.work.entry_form import EntryForm
from portal.web.work.visibility import entry_for_work, version_for_work

blueprint = work_blueprint("work_entries")
PAGE = 50
OVERVIEW_FILTERS = (
    "organisation", "region", "theme", "freshness", "published_type", "public", "valued", "shared",
)  # fmt: skip


@blueprint.get("/work/entries")
@signed_in
def entries() -> Any:
    chosen = EntryFilter(
        words=request.args.get("q", "").replace("\x00", "").strip()[:100],
        state=request.args.get("state", ""),
        open_type=request.args.get("open_type", ""),
        listed=request.args.get("listed", ""),
        **{name: request.args.get(name, "")[:60] for name in OVERVIEW_FILTERS},
    )
    number = page_number(request.args)
    rows, total = list_entries(session(), actor(), chosen, limit=PAGE, offset=(number - 1) * PAGE)
    pairs = [(k, v) for k, v in request.args.items() if v]
    return render_template(
        "work/entries.html",
        rows=rows,
        chosen=chosen,
        states=translated(BINDING.state_labels),
        places=translated(OPEN_LIST.state_labels),
        listed=LISTED,
        narrowed=[name for name in OVERVIEW_FILTERS if request.args.get(name)],
        paging=Paging(number, PAGE, total, "/work/entries", pairs),
        may_create=bool(providers()),
    )


def providers() -> list[Organisation]:
    """Return the organisations the reader may draft for: the own ones, then those of the system."""
    own = actor().acts_for("agency") | actor().acts_for("responsible_dept")
    query = select(Organisation).order_by(Organisation.id)
    if not actor().acts_for("responsible_dept"):
        query = query.where(Organisation.id.in_(own))
    found = list(session().scalars(query))
    return sorted(found, key=lambda o: o.id not in own)


def departments() -> list[Organisation]:
    query = select(Organisation).where(Organisation.kind == RESPONSIBLE_DEPT)
    return list(session().scalars(query.order_by(Organisation.id)))


@blueprint.get("/work/entries/new")
@signed_in
def new() -> Any:
    choices = providers()
    if not choices:
        raise Forbidden()
    first = choices[0]
    if begun := _begun_with():
        return _new_page(EntryForm.from_content(begun), fresh_key())
    form = EntryForm.from_post(request.args)
    form.values |= {
        "region": first.region_code,
        "theme": first.default_theme,
        "contact_name": first.short_name or first.name,
        "resource_class": "3",
        "pooling_state": "not_pooled",
    }
    form.change_rows("add", "items")
    form.change_rows("add", "collection_basis")
    return _new_page(form, fresh_key())


def _begun_with() -> EntryContent | None:
    """Return what the new entry begins with: a template, or a copy of another one."""
    if slug := request.args.get("from", ""):
        entry = entry_for_work(slug[:200])
        version = entry.published_version or list_versions(session(), entry.id)[0]
        return copied(content_of(version))
    number = request.args.get("template", "")
    if number.isascii() and number.isdigit() and len(number) < 10:
        return content_of_template(own_template(session(), actor(), int(number)))
    return None


@blueprint.post("/work/entries/new")
@writes
def create() -> Any:
    form = EntryForm.from_post(request.form)
    key = _uuid(form_key())
    if _change_rows(form):
        return _new_page(form, key)
    existing = find_entry(session(), key)
    if existing is not None:  # a double click: the first one made the entry
        return redirect(f"/work/entries?q={existing.code}", 303)
    try:
        provider = _organisation("provider")
        assigned = assigned_for(session(), clock(), provider.id)
        version = EntryService(session(), clock()).create(
            actor(),
            provider,
            form.content(),
            responsible_dept=None if assigned else _organisation("responsible_dept"),
            public_id=key,
        )
    except Invalid as error:
        session().rollback()
        return _new_page(form, key, Problem.of(error)), 422
    return _saved(version)


def _uuid(key: str) -> str:
    try:
        return str(UUID(key))
    except ValueError:
        raise Invalid.one("", "stale_form", "页面已过期，请刷新后重新操作。") from None


def _organisation(name: str) -> Organisation:
    """Return the organisation chosen, among those that were offered. Raises Invalid."""
    offered = providers() if name == "provider" else departments()
    chosen = request.form.get(name, "")
    for organisation in offered:
        if organisation.code == chosen:
            return organisation
    label = gettext("提供单位") if name == "provider" else gettext("省级责任部门")
    raise Invalid.one(name, "missing", "请选择“{label}”。", label=label)


def _change_rows(form: EntryForm) -> bool:
    """Do what a button asks that only shows the form anew; True if it was one of them."""
    if request.form.get("show") == "department":
        return True
    for action in ("add", "remove"):
        place = request.form.get(action)
        if place is not None:
            form.change_rows(action, place)
            return True
    return False


def _new_page(form: EntryForm, key: str, problem: Problem | None = None) -> str:
    choices = providers()
    own_department = choices[0].kind == RESPONSIBLE_DEPT if choices else False
    code = request.form.get("provider", choices[0].code if choices else "")
    provider = next((one for one in choices if one.code == code), None)
    return _page(
        form,
        problem=problem,
        key=key,
        version=None,
        templates=list_templates(session(), frozenset(o.id for o in choices)),
        providers=choices,
        provider=code,
        assigned=assigned_for(session(), clock(), provider.id) if provider else None,
        departments=departments(),
        department=request.form.get("responsible_dept", choices[0].code if own_department else ""),
        may_submit=bool(actor().acts_for("responsible_dept")),
    )


def _page(form: EntryForm, *, problem: Problem | None = None, **values: Any) -> str:
    return render_template(
        "work/entry_editor.html",
        **{
            "form": form.values,
            "sections": SECTIONS,
            "item_labels": translated(ITEM_LABELS),
            "item_choices": item_choices,
            "basis_labels": translated(BASIS_LABELS),
            "basis_kinds": translated(BASIS_KINDS),
            "problem": problem,
            "gaps": [],
            "beside": [],
            "filled": None,
            "similar": [],
            "conflict": None,
            "not_own": not_own_methods(),
            "label_of": label_of,
            "seen": 0,
            **values,
        },
    )


def not_own_methods() -> frozenset[str]:
    """Return the ways of acquisition whose data may not stand on the own open list (art. 29)."""
    return frozenset(
        m.code for m in code_list("acquisition_methods") if not m.is_yes("in_own_open_list")
    )


@blueprint.get(f"/work/versions/<{ID}:version_id>/edit")
@signed_in
def edit(version_id: int) -> Any:
    version = version_for_work(version_id)
    events = _events(version)
    if "save" not in events:
        if version.state in ("draft", "returned"):
            raise Forbidden()
        return redirect(f"/work/versions/{version.id}")
    return _edit_page(version, EntryForm.from_content(content_of(version)))


def _events(version: EntryVersion) -> frozenset[str]:
    flows = (FLOW, SUPPLEMENTARY) if version.entry.is_city_compiled else (FLOW,)
    found = [Flow(flow, session(), clock()).possible_events(version, actor()) for flow in flows]
    return frozenset(row.event for rows in found for row in rows)


def _edit_page(version: EntryVersion, form: EntryForm, **values: Any) -> str:
    events = _events(version)
    gaps = values.get("gaps", gaps_of(version))
    given = {
        "version": version,
        "seen": version.row_version,
        "key": fresh_key(),
        "gaps": gaps,
        "beside": [*returned_beside(version), *gaps],
        "filled": filled_of(gaps),
        "similar": similar_to(session(), platform().engine, version),
        "may_submit": bool(events & {"submit", "resubmit"}),
        "may_save": "save" in events,
        "states": translated(BINDING.state_labels),
    }
    return _page(form, **{**given, **values})


def returned_beside(version: EntryVersion) -> list[dict[str, str]]:
    """Return what the reviewer found wrong, each to stand beside its field."""
    if version.state != "returned":
        return []
    return [
        {**defect, "message": gettext("审核意见：%(text)s", text=defect["message"])}
        for defect in version.return_defects
        if defect["field"]
    ]


def filled_of(gaps: list[dict[str, str]]) -> tuple[int, int]:
    """Return how many fields that are needed are right, and how many are needed."""
    wrong = {gap["field"].split(".")[0] for gap in gaps}
    needed = {name for name, field in FIELDS.items() if field.required} | wrong
    return len(needed - wrong), len(needed)


def gaps_of(version: EntryVersion) -> list[dict[str, str]]:
    """Return what still keeps the saved version from being submitted, in the reader's language."""
    profile = version.entry.metadata_profile or JL_1
    return defects_of(Invalid(defects(content_of(version), profile, known_codes())))


@blueprint.post(f"/work/versions/<{ID}:version_id>/edit")
@writes
def save(version_id: int) -> Any:
    version = version_for_work(version_id)
    form = EntryForm.from_post(request.form, content_of(version).foreign)
    if _change_rows(form):
        values = {"seen": request.form.get("seen", ""), "key": request.form.get("key", "")}
        return _edit_page(version, form, **values)
    try:
        content = form.content()
        EntryService(session(), clock()).save(
            actor(), version, content, seen=form_seen(), key=form_key()
        )
    except REFUSALS as error:
        session().rollback()
        return _not_saved(version_id, form, error)
    if "autosave" in request.form:
        session().flush()
        return _autosaved(version)
    return _saved(version)


def _not_saved(version_id: int, form: EntryForm, error: PortalError) -> Any:
    problem = Problem.of(error)
    if "autosave" in request.form:
        return {"message": problem.message, "defects": problem.defects}, problem.status
    if not isinstance(error, Invalid):
        return _conflict_page(version_id, form, problem), 409
    version, seen = version_for_work(version_id), request.form.get("seen", "")
    return _edit_page(version, form, seen=seen, problem=problem), problem.status


def _autosaved(version: EntryVersion) -> dict[str, Any]:
    """Say what the next save must carry, so that the page goes on without being loaded anew."""
    gaps = gaps_of(version)
    filled, needed = filled_of(gaps)
    return {
        "seen": version.row_version,
        "key": fresh_key(),
        "text": gettext("草稿已于 %(at)s 自动保存", at=moment(clock()())),
        "filled": filled,
        "needed": needed,
    }


def _conflict_page(version_id: int, form: EntryForm, problem: Problem) -> str:
    """Show both texts: what was typed stays in the form, what stands now beside it."""
    version = version_for_work(version_id)
    changes = difference(content_of(version), form.content())
    return _edit_page(version, form, problem=problem, conflict=changes)


def _saved(version: EntryVersion) -> Any:
    """Go on after saving: to the editor, or to submission if that was asked for."""
    session().flush()
    version_id = version.id
    if request.form.get("action") != "submit":
        flash(gettext("草稿已保存。"))
        return redirect(f"/work/versions/{version_id}/edit", 303)
    if version.entry.is_city_compiled:
        return redirect(f"/work/supplementary/{version_id}#decide", 303)
    commit()  # what was typed stays, even if the submission is refused
    try:
        service = EntryService(session(), clock())
        engine = platform().engine
        service.submit(actor(), version, engine=engine, key=f"{form_key()}:submit")
    except (Invalid, IllegalEvent) as error:
        session().rollback()
        version = version_for_work(version_id)
        problem = Problem.of(error)
        form = EntryForm.from_content(content_of(version))
        return _edit_page(version, form, problem=problem, gaps=[]), problem.status
    flash(gettext("已提交省政务服务和数字化局审核。"))
    return redirect(f"/work/versions/{version_id}", 303)
