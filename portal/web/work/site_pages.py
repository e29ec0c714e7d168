"""The Bureau writes the site's pages: versions, preview, what is shown."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext

from portal.models.site_page import SitePage
from portal.permissions import Permission, require
from portal.services.site_pages import (
    BODY_MAX,
    KINDS,
    PageText,
    SitePageService,
    get_page,
    get_page_version,
    list_page_versions,
    newest_versions,
)
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.translated import translated
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import REFUSALS, Problem, decide, form_seen, refused

blueprint = work_blueprint("work_site_pages")
ADDRESS = "/work/duties/pages"
TEXT_FIELDS = ("title", "body", "title_en", "body_en", "note")


@blueprint.get(ADDRESS)
@signed_in
def pages() -> Any:
    require(actor(), Permission.PAGE_EDIT)
    return render_template(
        "work/duties/pages.html", versions=newest_versions(session()), kinds=translated(KINDS)
    )


@blueprint.get(f"{ADDRESS}/new")
@signed_in
def new() -> Any:
    return _editor(None)


@blueprint.post(f"{ADDRESS}/new")
@writes
def create() -> Any:
    if "preview" in request.form:
        return _editor(None)
    made: list[int] = []

    def act() -> None:
        version = SitePageService(session(), clock()).create(
            actor(), request.form.get("kind", ""), request.form.get("slug", ""), _text()
        )
        made.append(version.page_id)

    return decide(
        act,
        lambda problem: _editor(None, problem),
        done=gettext("已保存，还没有公开。"),
        target=lambda: f"{ADDRESS}/{made[0]}",
    )


@blueprint.get(f"{ADDRESS}/<{ID}:page_id>")
@signed_in
def edit(page_id: int) -> Any:
    return _editor(get_page(session(), page_id))


@blueprint.post(f"{ADDRESS}/<{ID}:page_id>")
@writes
def write(page_id: int) -> Any:
    page = get_page(session(), page_id)
    if "preview" in request.form:
        return _editor(page)
    service = SitePageService(session(), clock())
    try:
        version = service.write(actor(), page, _text(), seen=form_seen())
        if "show" in request.form:
            service.show(actor(), version)
    except REFUSALS as error:
        return refused(error, lambda problem: _editor(get_page(session(), page_id), problem))
    done = gettext("已公开。") if "show" in request.form else gettext("已保存，还没有公开。")
    return decide(
        lambda: None, lambda problem: _editor(page, problem), done=done, target=f"{ADDRESS}/{page_id}"
    )  # fmt: skip


@blueprint.post(f"{ADDRESS}/<{ID}:page_id>/show")
@writes
def show(page_id: int) -> Any:
    page = get_page(session(), page_id)
    given = request.form.get("number", "")
    number = int(given) if given.isdecimal() and len(given) < 8 else 0

    def act() -> None:
        version = get_page_version(session(), page, number)
        SitePageService(session(), clock()).show(actor(), version)

    return decide(
        act,
        lambda problem: _editor(get_page(session(), page_id), problem),
        done=gettext("已公开。"),
        target=f"{ADDRESS}/{page_id}",
    )


@blueprint.post(f"{ADDRESS}/<{ID}:page_id>/hide")
@writes
def hide(page_id: int) -> Any:
    page = get_page(session(), page_id)
    return decide(
        lambda: SitePageService(session(), clock()).hide(actor(), page),
        lambda problem: _editor(get_page(session(), page_id), problem),
        done=gettext("已不再公开，各版本保留。"),
        target=f"{ADDRESS}/{page_id}",
    )


def _text() -> PageText:
    values = {
        name: request.form.get(name, "").replace("\r\n", "\n").replace("\x00", "")
        for name in TEXT_FIELDS
    }
    return PageText(**{name: value[: BODY_MAX + 1] for name, value in values.items()})


def _editor(page: SitePage | None, problem: Problem | None = None) -> str:
    require(actor(), Permission.PAGE_EDIT)
    versions = list_page_versions(session(), page) if page else []
    typed = request.method == "POST" and "title" in request.form
    newest = versions[0] if versions else None
    values = {
        name: request.form.get(name, "")
        if typed
        else (getattr(newest, name) if newest and name != "note" else "")
        for name in TEXT_FIELDS
    }
    return render_template(
        "work/duties/page.html",
        page=page,
        versions=versions,
        values=values,
        kinds=translated(KINDS),
        preview="preview" in request.form,
        seen=request.form.get("seen") if typed else (page.row_version if page else 0),
        problem=problem,
        given=request.form,
    )
