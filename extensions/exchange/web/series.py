"""Series: the public page, the work pages of those who make them, the part of a data set's page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext
from sqlalchemy import select

from extensions.exchange.models.series import (
    DatasetSeries,
    SeriesMember,
    find_series,
    get_series,
    list_members,
    public_members,
)
from extensions.exchange.series import (
    SeriesService,
    SeriesText,
    may_edit_series,
    shown_version,
    suggest_series,
)
from extensions.exchange.series_names import CUTS, cut_of
from portal.actor import Actor
from portal.errors import Forbidden, NotFound
from portal.extension import EntryPanel
from portal.models.entry import CatalogueEntry
from portal.permissions import Permission, is_allowed
from portal.web.access import public, signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.translated import translated
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import Problem, decide, form_seen, form_text
from portal.web.work.visibility import entry_for_work

pages = Blueprint("exchange_series", __name__, template_folder="../templates")
work_pages = work_blueprint("exchange_series_work")
ADDRESS = "/work/series"
LIST_MOST = 500
HEADINGS = {"year": "本系列其他年份", "region": "本系列其他地区", "other": "同一系列的数据"}


@pages.get("/series/<key>")
@public
def series(key: str) -> Any:
    found = find_series(session(), key[:40])
    if found is None:
        raise NotFound("没有这个数据系列。")
    return render_template(
        "exchange/series.html",
        series=found,
        members=public_members(session(), found.id),
        cut=gettext(CUTS[found.cut_by]),
        may_edit=may_edit_series(session(), actor(), found),
    )


def series_panel(session_: Any, reader: Actor, entry: CatalogueEntry) -> EntryPanel | None:
    """Return the other data sets of the entry's series; to an editor, how to make one."""
    query = select(SeriesMember.series_id).where(SeriesMember.entry_id == entry.id)
    series_id = session_.connection().scalar(query)
    may_edit = not reader.is_anonymous and is_allowed(reader, Permission.ENTRY_EDIT, entry)
    if series_id is None:
        version = shown_version(session_, entry) if may_edit else None
        if version is None or cut_of(version.title) is None:
            return None
        html = render_template("exchange/series_panel.html", entry=entry, series=None)
        return EntryPanel("series", gettext("数据系列"), html, apart=True)
    found = get_series(session_, series_id)
    html = render_template(
        "exchange/series_panel.html",
        entry=entry,
        series=found,
        members=public_members(session_, series_id),
        may_edit=may_edit,
    )
    return EntryPanel("series", gettext(HEADINGS[found.cut_by]), html, apart=True)


@work_pages.get(ADDRESS)
@signed_in
def listed() -> Any:
    query = select(DatasetSeries).order_by(DatasetSeries.modified_at.desc(), DatasetSeries.id)
    own = [
        one
        for one in session().scalars(query.limit(LIST_MOST))
        if may_edit_series(session(), actor(), one)
    ]
    return render_template(
        "exchange/series_list.html",
        rows=[(one, len(list_members(session(), one.id))) for one in own],
        cuts=translated(CUTS),
    )


@work_pages.get(f"{ADDRESS}/new")
@signed_in
def new() -> Any:
    given = request.args.get("entry", "")[:120]
    if not given:
        return _editor(None, None, SeriesText("", "year", ()))
    entry = entry_for_work(given)
    suggested = suggest_series(session(), actor(), entry)
    return _editor(None, None, suggested or SeriesText("", "year", ((entry.code, ""),)))


@work_pages.post(f"{ADDRESS}/new")
@writes
def create() -> Any:
    made: list[int] = []
    return decide(
        lambda: made.append(SeriesService(session(), clock(), actor()).create(_typed()).id),
        lambda problem: _editor(None, problem, None),
        done=gettext("系列已建立，各数据集的页面会列出其他成员。"),
        target=lambda: f"{ADDRESS}/{made[0]}",
    )


@work_pages.get(f"{ADDRESS}/<{ID}:series_id>")
@signed_in
def edit(series_id: int) -> Any:
    found = _own(series_id)
    return _editor(found, None, _text_of(found))


@work_pages.post(f"{ADDRESS}/<{ID}:series_id>")
@writes
def change(series_id: int) -> Any:
    found = _own(series_id)
    return decide(
        lambda: SeriesService(session(), clock(), actor()).change(
            found, _typed(), seen=form_seen()
        ),
        lambda problem: _editor(_own(series_id), problem, None),
        done=gettext("系列已保存。"),
        target=f"{ADDRESS}/{series_id}",
    )


@work_pages.post(f"{ADDRESS}/<{ID}:series_id>/remove")
@writes
def remove(series_id: int) -> Any:
    found = _own(series_id)
    return decide(
        lambda: SeriesService(session(), clock(), actor()).remove(found, seen=form_seen()),
        lambda problem: _editor(_own(series_id), problem, _text_of(_own(series_id))),
        done=gettext("系列已解散，数据集不受影响。"),
        target=ADDRESS,
    )


def _own(series_id: int) -> DatasetSeries:
    """Raises: NotFound; Forbidden for people who may edit none of its members."""
    found = get_series(session(), series_id)
    if not may_edit_series(session(), actor(), found):
        raise Forbidden()
    return found


def _typed() -> SeriesText:
    """Return the form: each line of the members is a data set, a blank, and what it holds."""
    members = []
    for line in form_text("members", longest=40_000, label=gettext("成员")).split("\n"):
        key, _, label = line.replace("\t", " ").replace("　", " ").strip().partition(" ")
        if key:
            members.append((key.split("?")[0].split("#")[0].rstrip("/"), label))
    return SeriesText(
        form_text("title"), request.form.get("cut_by", ""), members, form_text("description")
    )


def _text_of(found: DatasetSeries) -> SeriesText:
    members = [(one.entry.code, one.label) for one in list_members(session(), found.id)]
    return SeriesText(found.title, found.cut_by, members, found.description)


def _editor(found: DatasetSeries | None, problem: Problem | None, text: SeriesText | None) -> str:
    """Show the form with `text`, or with what was typed where that was refused."""
    lines = "\n".join(f"{key} {label}".strip() for key, label in text.members) if text else ""
    given = {
        "title": text.title if text else request.form.get("title", ""),
        "cut_by": text.cut_by if text else request.form.get("cut_by", ""),
        "description": text.description if text else request.form.get("description", ""),
        "members": lines if text else request.form.get("members", ""),
    }
    members = list_members(session(), found.id) if found else []
    return render_template(
        "exchange/series_edit.html",
        series=found,
        given=given,
        cuts=list(translated(CUTS).items()),
        members=[(one, shown_version(session(), one.entry)) for one in members],
        problem=problem,
    )
