"""A version's page, and every decision on it that the flow lets the reader take."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from flask import redirect, render_template, request
from flask_babel import gettext
from sqlalchemy import select

from portal.clock import local_date
from portal.errors import Defect, Invalid
from portal.extension import ReviewCheck
from portal.models.account import Account
from portal.models.distribution import list_distributions
from portal.models.entry import CatalogueEntry, EntryVersion, get_version, list_versions
from portal.models.open_list import find_open_list_entry
from portal.permissions import Permission, is_allowed
from portal.rules.entry_content import EntryContent
from portal.services.catalogue_flow import BINDING, FLOW
from portal.services.clockface import clockface
from portal.services.content import content_of
from portal.services.deadlines import list_open_deadlines
from portal.services.downloads import count_of
from portal.services.entries import EntryService
from portal.services.flow import Flow
from portal.services.freshness import find_freshness
from portal.services.notices import audience_of
from portal.services.open_list_flow import BINDING as OPEN_LIST
from portal.services.review_files import file_changes
from portal.services.scheduled_release import cancel_release
from portal.services.similar_entries import Similar, similar_to
from portal.services.timeline import timeline
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, platform, session
from portal.web.translated import translated
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.checks import review_checks
from portal.web.work.decisions import (
    Problem,
    decide,
    form_date,
    form_key,
    form_seen,
    form_text,
    fresh_key,
    pin,
)
from portal.web.work.difference import difference, item_words, words
from portal.web.work.entry_editor import gaps_of, not_own_methods
from portal.web.work.entry_fields import FIELDS, ITEM_LABELS, SECTIONS
from portal.web.work.visibility import entry_for_work, version_for_work

blueprint = work_blueprint("work_versions")
RETURN_ROWS, RETURN_ROWS_MAX = 3, 60
ITEM_PLACE = re.compile(r"items\.\d{1,4}")


@blueprint.get(f"/work/versions/<{ID}:version_id>")
@signed_in
def version(version_id: int) -> Any:
    if version_for_work(version_id).entry.is_city_compiled:
        return redirect(f"/work/supplementary/{version_id}")
    return _page(version_id)


def _page(version_id: int, problem: Problem | None = None, **values: Any) -> str:
    shown = version_for_work(version_id)
    entry, content = shown.entry, content_of(shown)
    published = entry.published_version
    earlier = published if published is not None and published.id != shown.id else None
    under_review = shown.state in ("submitted", "approved")
    similar = similar_to(session(), platform().engine, shown) if under_review else []
    return render_template(
        "work/version.html",
        version=shown,
        entry=entry,
        content=content,
        sections=SECTIONS,
        item_labels=translated(ITEM_LABELS),
        words=words,
        item_words=item_words,
        difference=difference(content_of(earlier), content) if earlier else None,
        earlier=earlier,
        similar=similar,
        findings=_findings(shown, similar),
        files=file_changes(session(), entry.id, published.published_at if published else None),
        may_cancel_release="cancel_release" in events_of(shown) and shown.release_on is not None,
        tomorrow=local_date(clock()()) + timedelta(days=1),
        versions=list_versions(session(), entry.id),
        states=translated(BINDING.state_labels),
        places=translated(OPEN_LIST.state_labels),
        events=events_of(shown),
        gaps=gaps_of(shown) if shown.state in ("draft", "returned") else [],
        clocks=clocks_of(FLOW, shown.id),
        timeline=timeline(session(), entry.id, version_id=shown.id),
        distributions=list_distributions(session(), entry.id),
        place=find_open_list_entry(session(), entry.id),
        freshness=find_freshness(session(), entry.id),
        own_edit=actor().account_id in shown.editors,
        not_own=content.acquisition_method in not_own_methods(),
        may_confirm=is_allowed(actor(), Permission.VALUE_CONFIRM, entry),
        may_write=is_allowed(actor(), Permission.DISTRIBUTION_WRITE, entry),
        may_compile=bool(_compiles_for() & {entry.provider_id, entry.responsible_dept_id}),
        may_propose=entry.provider_id in actor().acts_for("agency"),
        problem=problem,
        given=request.form,
        return_rows=return_rows(),
        field_names=field_names_of(content),
        key=fresh_key(),
        **values,
    )


def _compiles_for() -> frozenset[int]:
    return actor().acts_for("agency") | actor().acts_for("responsible_dept")


def field_names_of(content: EntryContent) -> list[tuple[str, str]]:
    """Return what a defect may be tied to: each field, and each information item by its place."""
    names = [(name, gettext(field.label)) for name, field in FIELDS.items()]
    items = [
        (f"items.{n}", gettext("信息项%(n)s：%(name)s", n=n + 1, name=item.name))
        for n, item in enumerate(content.items[:200])
    ]
    return names + items


def _findings(shown: EntryVersion, similar: list[Similar]) -> list[ReviewCheck]:
    """Return what the checks say to those who decide on a version or handed it in."""
    if shown.state not in ("submitted", "approved"):
        return []
    outside = [source for e in platform().extensions for source in e.review_checks]
    return review_checks(session(), shown, similar, outside)


def events_of(shown: EntryVersion) -> frozenset[str]:
    flow = Flow(FLOW, session(), clock())
    return frozenset(row.event for row in flow.possible_events(shown, actor()))


def clocks_of(flow: str, subject_id: int) -> list[Any]:
    """Return the open deadlines that people must keep, each due date once."""
    found = {
        d.due_on: clockface(session(), clock(), d.due_on, d.provisional)
        for d in list_open_deadlines(session(), flow, subject_id)
        if d.actor_kind != "system"
    }
    return [found[day] for day in sorted(found)]


def return_rows() -> list[tuple[str, str]]:
    """Return (field, message) of each row of the return form, as typed; blank ones to fill."""
    fields = request.form.getlist("defect_field")[:RETURN_ROWS_MAX]
    texts = request.form.getlist("defect_message")[:RETURN_ROWS_MAX]
    rows = list(zip(fields, texts, strict=False))
    more = RETURN_ROWS if not rows else 2 if "add_row" in request.form else 0
    return rows + [("", "")] * min(more, RETURN_ROWS_MAX - len(rows))


def _service() -> EntryService:
    return EntryService(session(), clock())


@blueprint.post(f"/work/versions/<{ID}:version_id>/submit")
@writes
def submit(version_id: int) -> Any:
    def act() -> None:
        _service().submit(
            actor(),
            version_for_work(version_id),
            engine=platform().engine,
            seen=form_seen(),
            key=form_key(),
        )

    done = gettext("已提交省政务服务和数字化局审核。")
    return _decide(version_id, act, done)


@blueprint.post(f"/work/versions/<{ID}:version_id>/withdraw")
@writes
def withdraw(version_id: int) -> Any:
    def act() -> None:
        _service().withdraw(actor(), _pinned_version(version_id), key=form_key())

    return _decide(version_id, act, gettext("已撤回提交，可以继续修改。"))


@blueprint.post(f"/work/versions/<{ID}:version_id>/approve")
@writes
def approve(version_id: int) -> Any:
    def act() -> None:
        _service().approve(
            actor(),
            version_for_work(version_id),
            release_on=form_date("release_on", gettext("发布日期")),
            seen=form_seen(),
            key=form_key(),
        )

    later = bool(request.form.get("release_on", "").strip())
    done = gettext("审核通过，将按所定日期发布。") if later else gettext("审核通过，目录已发布。")
    return _decide(version_id, act, done)


@blueprint.post(f"/work/versions/<{ID}:version_id>/cancel-release")
@writes
def call_release_off(version_id: int) -> Any:
    def act() -> None:
        cancel_release(
            session(),
            clock(),
            actor(),
            version_for_work(version_id),
            reason=form_text("reason"),
            seen=form_seen(),
            key=form_key(),
        )

    return _decide(version_id, act, gettext("已取消定时发布，目录回到待审核。"))


@blueprint.post(f"/work/versions/<{ID}:version_id>/return")
@writes
def return_for_correction(version_id: int) -> Any:
    if "add_row" in request.form:
        return _page(version_id)

    def act() -> None:
        _service().return_for_correction(
            actor(),
            version_for_work(version_id),
            reason=form_text("reason", label=gettext("总体意见")),
            defects=listed_defects(),
            seen=form_seen(),
            key=form_key(),
        )

    return _decide(version_id, act, gettext("已退回修改，责任部门会收到全部问题。"))


def listed_defects() -> list[Defect]:
    """Return the rows of the return form that say something. Raises Invalid on a bare field."""
    found = []
    for number, (field, text) in enumerate(return_rows(), 1):
        message = text.replace("\x00", "").strip()[:1000]
        if field and not message:
            raise Invalid.one(
                "defect_message", "missing", "第{row}行选了字段，请写明问题。", row=number
            )
        if message:
            known = field in FIELDS or ITEM_PLACE.fullmatch(field)
            found.append(Defect(field if known else "", "returned", message))
    return found


@blueprint.post(f"/work/versions/<{ID}:version_id>/discard")
@writes
def discard(version_id: int) -> Any:
    def act() -> None:
        _service().discard(
            actor(), _pinned_version(version_id), reason=form_text("reason"), key=form_key()
        )

    return _decide(version_id, act, gettext("草稿已作废。"))


def _pinned_version(version_id: int) -> EntryVersion:
    """Return the version if it still stands as it was shown. Raises Conflict."""
    found = version_for_work(version_id)
    pin(FLOW, found)
    return found


def _decide(version_id: int, act: Any, done: str) -> Any:
    return decide(
        act,
        lambda problem: _page(version_id, problem),
        done=done,
        target=f"/work/versions/{version_id}",
    )


@blueprint.post("/work/entries/<slug>/revise")
@writes
def revise(slug: str) -> Any:
    opened: list[EntryVersion] = []

    def act() -> None:
        opened.append(_service().revise(actor(), _pinned(slug), key=form_key()))
        session().flush()

    return decide(
        act,
        lambda problem: show_entry(slug, problem),
        done=gettext("已打开新版本，原版本继续对外发布。"),
        target=lambda: f"/work/versions/{opened[0].id}/edit",
    )


def show_entry(slug: str, problem: Problem | None) -> str:
    """Return the page of the published version, else of the newest one."""
    entry = entry_for_work(slug)
    return _page(entry.published_version_id or list_versions(session(), entry.id)[0].id, problem)


@blueprint.get("/work/entries/<slug>")
@signed_in
def entry(slug: str) -> Any:
    """The entry's newest version."""
    found = entry_for_work(slug)
    return redirect(f"/work/versions/{list_versions(session(), found.id)[0].id}")


@blueprint.get("/work/entries/<slug>/published")
@signed_in
def published(slug: str) -> Any:
    """The entry's published version, else its newest one."""
    found = entry_for_work(slug)
    shown = found.published_version_id or list_versions(session(), found.id)[0].id
    return redirect(f"/work/versions/{shown}")


@blueprint.get("/work/entries/<slug>/retire")
@signed_in
def retirement(slug: str) -> Any:
    return _retire_page(slug)


def _retire_page(slug: str, problem: Problem | None = None) -> str:
    entry = entry_for_work(slug)
    published = get_version(session(), entry.published_version_id or 0)
    concerned = audience_of(session(), ("grantees",), published, {}, {})
    query = select(Account.display_name).where(Account.id.in_(concerned)).order_by(Account.id)
    return render_template(
        "work/retire.html",
        entry=entry,
        version=published,
        events=events_of(published),
        place=find_open_list_entry(session(), entry.id),
        places=translated(OPEN_LIST.state_labels),
        distributions=list_distributions(session(), entry.id),
        downloads=count_of(session(), entry.id),
        grantees=list(session().scalars(query)),
        followers=len(audience_of(session(), ("followers",), published, {}, {})),
        problem=problem,
        given=request.form,
        key=fresh_key(),
    )


@blueprint.post("/work/entries/<slug>/retire")
@writes
def retire(slug: str) -> Any:
    def act() -> None:
        _service().retire(
            actor(),
            _pinned(slug),
            reason=form_text("reason"),
            consequences_shown=request.form.get("consequences") == "yes",
            key=form_key(),
        )

    return decide(
        act,
        lambda problem: _retire_page(slug, problem),
        done=gettext("目录已撤下，开放清单位置随之结束。"),
        target=f"/work/entries/{slug}",
    )


@blueprint.post("/work/entries/<slug>/restore")
@writes
def restore(slug: str) -> Any:
    def act() -> None:
        _service().restore(actor(), _pinned(slug), reason=form_text("reason"), key=form_key())

    return decide(
        act,
        lambda problem: show_entry(slug, problem),
        done=gettext("目录已恢复发布。"),
        target=f"/work/entries/{slug}",
    )


def _pinned(slug: str) -> CatalogueEntry:
    """Return the entry if its published version still stands as it was shown. Raises Conflict."""
    entry = entry_for_work(slug)
    if entry.published_version is not None:
        pin(FLOW, entry.published_version)
    return entry
