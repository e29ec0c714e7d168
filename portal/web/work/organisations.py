"""Organisations, for the Bureau's administrator: made, renamed, put under another one."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext
from sqlalchemy import func, or_, select

from portal.codes import code_list
from portal.errors import NotFound
from portal.models.organisation import Organisation
from portal.permissions import Permission, require
from portal.services.organisation_management import (
    ABOVE,
    KINDS,
    OrganisationFacts,
    change_facts,
    facts_of,
    list_changes_of,
    open_organisation,
)
from portal.services.organisations import list_organisations
from portal.services.timeline import in_words
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.organisations import KINDS as KIND_NAMES
from portal.web.paging import Paging, page_number
from portal.web.presentation import language_code
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import Problem, decide, form_text

blueprint = work_blueprint("work_organisations")
HOME = "/work/organisations"
PAGE = 50
FIELDS = ("name", "name_en", "short_name", "kind", "region_code", "parent")


@blueprint.get(HOME)
@signed_in
def organisations() -> Any:
    return _list()


def _list(problem: Problem | None = None) -> str:
    require(actor(), Permission.ORGANISATION_MANAGE)
    number = page_number(request.args)
    words = request.args.get("q", "").replace("\x00", "").strip()[:60]
    region = request.args.get("region", "")[:6]
    found = select(Organisation)
    if words:
        names = (Organisation.name, Organisation.code, Organisation.short_name)
        found = found.where(or_(*(name.contains(words, autoescape=True) for name in names)))
    if region:
        found = found.where(Organisation.region_code == region)
    total = session().scalar(select(func.count()).select_from(found.subquery())) or 0
    rows = found.order_by(Organisation.code).limit(PAGE).offset((number - 1) * PAGE)
    pairs = [(name, value) for name, value in (("q", words), ("region", region)) if value]
    return render_template(
        "work/organisations.html",
        rows=list(session().scalars(rows)),
        total=total,
        words=words,
        region=region,
        paging=Paging(number, PAGE, total, HOME, pairs),
        given=request.form if problem else {"kind": "agency", "region_code": region},
        problem=problem,
        **_choices(),
    )


def _choices() -> dict[str, Any]:
    everybody = list_organisations(session())
    return {
        "kinds": [(kind, gettext(KIND_NAMES[kind])) for kind in KINDS],
        "kind_names": KIND_NAMES,
        "regions": list(code_list("regions").names(language_code()).items()),
        "parents": [(o.code, o.name) for o in everybody if o.kind in ABOVE],
        "names": {o.id: o.short_name or o.name for o in everybody},
    }


def _facts() -> OrganisationFacts:
    return OrganisationFacts(**{name: form_text(name, longest=1000) for name in FIELDS})


@blueprint.post(HOME)
@writes
def create() -> Any:
    made: list[Organisation] = []

    def act() -> None:
        code = form_text("code", longest=1000)
        made.append(open_organisation(session(), clock(), actor(), code, _facts()))

    return decide(act, _list, done=gettext("机构已建立。"), target=lambda: f"{HOME}/{made[0].id}")


@blueprint.get(f"{HOME}/<{ID}:organisation_id>")
@signed_in
def organisation(organisation_id: int) -> Any:
    return _page(organisation_id)


def _page(organisation_id: int, problem: Problem | None = None) -> str:
    require(actor(), Permission.ORGANISATION_MANAGE)
    found = _get(organisation_id)
    facts = facts_of(session(), found)
    choices = _choices()
    choices["kinds"] = [(found.kind, gettext(KIND_NAMES.get(found.kind, found.kind)))]
    choices["parents"] = [(code, name) for code, name in choices["parents"] if code != found.code]
    return render_template(
        "work/organisation.html",
        organisation=found,
        given=request.form if problem else vars(facts),
        seen=facts.mark,
        history=[(in_words(event), event.details) for event in list_changes_of(session(), found)],
        problem=problem,
        **choices,
    )


def _get(organisation_id: int) -> Organisation:
    found = session().get(Organisation, organisation_id)
    if found is None:
        raise NotFound("没有这个机构。")
    return found


@blueprint.post(f"{HOME}/<{ID}:organisation_id>")
@writes
def change(organisation_id: int) -> Any:
    def act() -> None:
        seen = form_text("seen", longest=40)
        change_facts(session(), clock(), actor(), _get(organisation_id), _facts(), seen=seen)

    return decide(
        act,
        lambda problem: _page(organisation_id, problem),
        done=gettext("已保存。"),
        target=f"{HOME}/{organisation_id}",
    )
