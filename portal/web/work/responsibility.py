"""Systems, their members and the department that answers for each (art. 14)."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext

from portal.clock import local_date
from portal.errors import Invalid
from portal.models.organisation import RESPONSIBLE_DEPT, Organisation, find_organisation
from portal.permissions import Permission, is_allowed, require
from portal.services.organisations import list_organisations
from portal.services.responsibility import ResponsibilityService, get_system, list_systems
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import Problem, decide, form_date, form_text

blueprint = work_blueprint("work_responsibility")
ADDRESS = "/work/duties/responsibility"


@blueprint.get(ADDRESS)
@signed_in
def responsibility() -> Any:
    return _page()


def _page(problem: Problem | None = None) -> str:
    require(actor(), Permission.SUPERVISION_READ)
    organisations = list_organisations(session())
    views = list_systems(session(), local_date(clock()()))
    taken = {one.id for view in views for one in view.members}
    return render_template(
        "work/duties/responsibility.html",
        systems=views,
        departments=[(o.code, o.name) for o in organisations if o.kind == RESPONSIBLE_DEPT],
        free=[(o.code, o.name) for o in organisations if o.id not in taken],
        may_manage=is_allowed(actor(), Permission.RESPONSIBILITY_MANAGE),
        today=local_date(clock()()),
        problem=problem,
        given=request.form,
    )


def _service() -> ResponsibilityService:
    return ResponsibilityService(session(), clock())


def _organisation(field: str, label: str) -> Organisation:
    found = find_organisation(session(), request.form.get(field, ""))
    if found is None:
        raise Invalid.one(field, "missing", "请选择“{label}”。", label=label)
    return found


@blueprint.post(ADDRESS)
@writes
def create() -> Any:
    def act() -> None:
        name = form_text("name", longest=200, label=gettext("名称"))
        _service().create_system(actor(), form_text("code", longest=40), name)

    return decide(act, _page, done=gettext("系统已建立。"), target=ADDRESS)


@blueprint.post(f"{ADDRESS}/<{ID}:system_id>/assign")
@writes
def assign(system_id: int) -> Any:
    def act() -> None:
        day = form_date("from_on", gettext("开始日期"))
        if day is None:
            raise Invalid.one("from_on", "missing", "请填写开始日期。")
        _service().assign(
            actor(),
            get_system(session(), system_id),
            _organisation("department", gettext("责任部门")),
            day,
            basis=form_text("basis", longest=1000, label=gettext("依据")),
        )

    done = gettext("责任部门已确定，有关部门已收到通知。")
    return decide(act, _page, done=done, target=f"{ADDRESS}#system-{system_id}")


@blueprint.post(f"{ADDRESS}/<{ID}:system_id>/members")
@writes
def add_member(system_id: int) -> Any:
    def act() -> None:
        organisation = _organisation("organisation", gettext("单位"))
        _service().add_member(actor(), get_system(session(), system_id), organisation)

    return decide(
        act, _page, done=gettext("单位已归入系统。"), target=f"{ADDRESS}#system-{system_id}"
    )


@blueprint.post(f"{ADDRESS}/<{ID}:system_id>/members/remove")
@writes
def remove_member(system_id: int) -> Any:
    def act() -> None:
        organisation = _organisation("organisation", gettext("单位"))
        _service().remove_member(actor(), get_system(session(), system_id), organisation)

    return decide(
        act, _page, done=gettext("单位已移出系统。"), target=f"{ADDRESS}#system-{system_id}"
    )
