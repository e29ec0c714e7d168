"""Random inspections at work: announce, draw, record findings, conclude (art. 47)."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext

from portal.codes import code_list
from portal.errors import Invalid
from portal.permissions import Permission, is_allowed, require
from portal.services.inspection_findings import mendings_of, usual_due_date
from portal.services.inspections import (
    PROBLEM,
    SIZE_MAX,
    InspectionService,
    Scope,
    get_check,
    get_item,
    list_checks,
    list_items,
    titles_of,
)
from portal.services.organisations import list_organisations
from portal.services.overview import city_of
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import Problem, decide, form_date, form_key, form_text, fresh_key

blueprint = work_blueprint("work_inspections")
ADDRESS = "/work/duties/inspections"


@blueprint.get(ADDRESS)
@signed_in
def inspections() -> Any:
    return _list()


def _list(problem: Problem | None = None) -> str:
    require(actor(), Permission.SUPERVISION_READ)
    cities = [r for r in code_list("regions") if r.code == city_of(r.code)]
    return render_template(
        "work/duties/inspections.html",
        checks=list_checks(session()),
        organisations=[(o.code, o.name) for o in list_organisations(session())],
        cities=[(r.code, r.name) for r in cities],
        may_manage=is_allowed(actor(), Permission.INSPECTION_MANAGE),
        problem=problem,
        given=request.form,
        key=fresh_key(),
    )


@blueprint.post(ADDRESS)
@writes
def announce() -> Any:
    made: list[int] = []

    def act() -> None:
        size = request.form.get("size", "")
        if not (size.isascii() and size.isdigit() and len(size) < 6):
            raise Invalid.one("size", "range", "抽取数量应在1和{most}之间。", most=SIZE_MAX)
        scope = Scope(*(form_text(n, longest=60) for n in ("organisation", "region", "theme")))
        check = InspectionService(session(), clock()).announce(
            actor(),
            form_text("title", longest=200, label=gettext("名称")),
            scope,
            int(size),
            public_rule=form_text("public_rule", longest=500),
            key=form_key(),
        )
        made.append(check.id)

    done = gettext("已公告，抽样范围和密钥摘要已公开。")
    return decide(act, _list, done=done, target=lambda: f"{ADDRESS}/{made[0]}")


@blueprint.get(f"{ADDRESS}/<{ID}:check_id>")
@signed_in
def inspection(check_id: int) -> Any:
    return _page(check_id)


def _page(check_id: int, problem: Problem | None = None) -> str:
    require(actor(), Permission.SUPERVISION_READ)
    check = get_check(session(), check_id)
    items = list_items(session(), check.id)
    return render_template(
        "work/duties/inspection.html",
        check=check,
        items=items,
        titles=titles_of(session(), items),
        waiting=sum(not item.finding for item in items),
        mendings=mendings_of(session(), [item.id for item in items if item.finding]),
        usual=usual_due_date(session(), clock()),
        problems=sum(item.finding == PROBLEM for item in items),
        may_manage=is_allowed(actor(), Permission.INSPECTION_MANAGE),
        problem=problem,
        given=request.form,
    )


@blueprint.post(f"{ADDRESS}/<{ID}:check_id>/draw")
@writes
def draw(check_id: int) -> Any:
    def act() -> None:
        check = get_check(session(), check_id)
        value = form_text("public_value", longest=200)
        InspectionService(session(), clock()).draw(actor(), check, value)

    return _decide(check_id, act, gettext("样本已抽出，有关单位已收到通知。"))


@blueprint.post(f"{ADDRESS}/items/<{ID}:item_id>")
@writes
def find(item_id: int) -> Any:
    require(actor(), Permission.INSPECTION_MANAGE)
    item = get_item(session(), item_id)
    check_id = item.check_id

    def act() -> None:
        InspectionService(session(), clock()).record_finding(
            actor(), item, request.form.get("finding", ""), form_text("note", longest=2000)
        )

    return _decide(check_id, act, gettext("检查结果已记录。"))


@blueprint.post(f"{ADDRESS}/<{ID}:check_id>/conclude")
@writes
def conclude(check_id: int) -> Any:
    def act() -> None:
        InspectionService(session(), clock()).conclude(
            actor(),
            get_check(session(), check_id),
            form_text("conclusion"),
            due_on=form_date("due_on", gettext("整改期限")),
        )

    return _decide(check_id, act, gettext("抽查已结束，结果已公布。"))


def _decide(check_id: int, act: Any, done: str) -> Any:
    return decide(
        act, lambda problem: _page(check_id, problem), done=done, target=f"{ADDRESS}/{check_id}"
    )
