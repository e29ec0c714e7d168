"""The developer centre: quick start, my applications, and the way of one application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext

from extensions.access.flow import BINDING, grantable_of, is_open_conditionally
from extensions.access.models.agreement import find_agreement
from extensions.access.models.application import (
    LIVE,
    AccessApplication,
    find_undecided,
    get_application,
    list_applications_of,
)
from extensions.access.models.attachment import list_attachments
from extensions.access.models.interface import DataInterface, list_interfaces
from extensions.access.models.key import list_keys, working_keys
from extensions.access.models.use_report import list_reports
from extensions.access.permissions import AccessPermission, is_applicant
from extensions.access.policy import PolicyRow
from extensions.access.rules import (
    MAX_KEY_OVERLAP_HOURS,
    MAX_KEYS,
    REJECT_GROUNDS,
    UNDERTAKINGS,
    grantable_items,
    is_sensitive,
)
from extensions.access.services.applications import ApplicationService
from extensions.access.services.attachments import MAX_BYTES, MAX_FILES, add_attachments
from extensions.access.services.grants import agreement_of
from extensions.access.services.hooks import listed_interfaces
from extensions.access.services.keys import NewKey
from extensions.access.services.policies import row_for
from extensions.access.services.review_facts import similar_uses
from extensions.access.services.usage import list_days
from extensions.access.web.answers import decide, refused
from extensions.access.web.attachments import received_files
from extensions.access.web.forms import Typed, plain, whole
from extensions.access.web.history import clocks_of, history_of
from extensions.access.web.words import KINDS, REPORT_KINDS
from portal.errors import Forbidden, NotFound
from portal.models.entry import EntryVersion, get_entry
from portal.permissions import require
from portal.services.content import content_of
from portal.web.access import public, signed_in, writes
from portal.web.context import actor, clock, commit, platform, session
from portal.web.identity import check_may_apply
from portal.web.translated import translated
from portal.web.work.decisions import REFUSALS, Problem, form_key, form_seen, fresh_key

blueprint = Blueprint("access_developer", __name__)
ID = "int(max=2147483647)"


@blueprint.get("/developer")
@public
def centre() -> Any:
    account_id = actor().account_id
    found = list_applications_of(session(), account_id) if account_id is not None else []
    live = [a.id for a in found if a.state in LIVE]
    return render_template(
        "access/developer.html",
        applications=[(a, clocks_of(session(), clock(), a.id)) for a in found],
        states=translated(BINDING.state_labels),
        days=list_days(session(), clock()(), live) if live else [],
        site_url=_site_url(),
        api_code=_example_code(),
    )


@blueprint.get("/dataset/<key>/apply")
@signed_in
def apply_form(key: str) -> Any:
    interface = _interface(key)
    waiting = find_undecided(session(), actor().account_id or 0, interface.id)
    if waiting is not None:
        return redirect(f"/applications/{waiting.id}")
    return _form_page(interface, None, Typed.proposed(interface), None)


@blueprint.post("/dataset/<key>/apply")
@writes
def apply(key: str) -> Any:
    """Keep the draft; hand it in at once when asked to."""
    typed = Typed.of_request()
    try:
        received = received_files()
        interface = _interface(key)
        application = _service().create(
            actor(), interface, typed.request(), form_key=form_key()[:36]
        )
        add_attachments(session(), clock(), actor(), application, received)
    except REFUSALS as error:
        return refused(error, lambda problem: _form_page(_interface(key), None, typed, problem))
    return _kept(application, typed)


@blueprint.get(f"/applications/<{ID}:application_id>/edit")
@signed_in
def edit_form(application_id: int) -> Any:
    application = own_application(application_id)
    typed = Typed.of_application(application)
    return _form_page(application.interface, application, typed, None)


@blueprint.post(f"/applications/<{ID}:application_id>/edit")
@writes
def edit(application_id: int) -> Any:
    typed = Typed.of_request()

    def page(problem: Problem | None) -> Any:
        application = own_application(application_id)
        return _form_page(application.interface, application, typed, problem)

    try:
        received = received_files()
        application = own_application(application_id)
        _service().edit(actor(), application, typed.request())
        add_attachments(session(), clock(), actor(), application, received)
    except REFUSALS as error:
        return refused(error, page)
    return _kept(application, typed)


def _kept(application: AccessApplication, typed: Typed) -> Any:
    """The draft stands; a refused submission takes nothing of it away."""
    target = f"/applications/{application.id}"
    if plain("action") != "submit":
        return decide(
            lambda: None, lambda _p: "", done=gettext("草稿已保存，尚未提交。"), target=target
        )
    commit()

    def act() -> None:
        check_may_apply()
        if application.state == "correction_needed":
            _service().resubmit(actor(), application, typed.answers, key=form_key())
        else:
            _service().submit(actor(), application, key=form_key())

    def page(problem: Problem | None) -> Any:
        return _form_page(application.interface, application, typed, problem)

    return decide(act, page, done=gettext("申请已提交，提供单位会在期限内答复。"), target=target)


@blueprint.get(f"/applications/<{ID}:application_id>")
@signed_in
def show(application_id: int) -> Any:
    application = get_application(session(), application_id)
    require(actor(), AccessPermission.APPLICATION_READ, application)
    if not is_applicant(actor(), application):
        return redirect(f"/work/applications/{application.id}")
    return application_page(application, None)


@blueprint.post(f"/applications/<{ID}:application_id>/withdraw")
@writes
def withdraw(application_id: int) -> Any:
    return _decide(
        application_id,
        lambda a: _service().withdraw(actor(), a, seen=None, key=form_key()),
        gettext("申请已撤回。"),
    )


@blueprint.post(f"/applications/<{ID}:application_id>/renew")
@writes
def renew(application_id: int) -> Any:
    application = own_application(application_id)
    following: list[AccessApplication] = []

    def act() -> None:
        following.append(_service().renew(actor(), application, key=form_key()))

    return decide(
        act,
        lambda problem: application_page(application, problem),
        done=gettext("已按原申请填好续期草稿，请核对后提交。"),
        target=lambda: f"/applications/{following[0].id}/edit",
    )


@blueprint.get(f"/applications/<{ID}:application_id>/agreement")
@signed_in
def agreement(application_id: int) -> Any:
    return _agreement_page(own_application(application_id), None)


@blueprint.post(f"/applications/<{ID}:application_id>/agreement")
@writes
def accept_agreement(application_id: int) -> Any:
    """Accept the agreement; the answer shows the secret, once."""
    application = own_application(application_id)
    try:
        new = _service().issue_key(
            actor(),
            application,
            accepted=plain("accepted") == "yes",
            agreement_hash=plain("agreement_hash"),
            seen=form_seen(),
            key=form_key(),
        )
    except REFUSALS as error:
        return refused(error, lambda problem: _agreement_page(application, problem))
    return key_page(application, new)


@blueprint.post(f"/applications/<{ID}:application_id>/rotate")
@writes
def rotate(application_id: int) -> Any:
    application = own_application(application_id)
    hours = whole(plain("overlap_hours") or "0")
    try:
        new = _service().rotate_key(
            actor(),
            application,
            overlap_hours=-1 if hours is None else hours,
            key_id=whole(plain("key_id")),
            seen=form_seen(),
            key=form_key(),
        )
    except REFUSALS as error:
        return refused(error, lambda problem: application_page(application, problem))
    return key_page(application, new)


def _decide(application_id: int, act: Callable[[AccessApplication], object], done: str) -> Any:
    application = own_application(application_id)
    return decide(
        lambda: act(application),
        lambda problem: application_page(application, problem),
        done=done,
        target=f"/applications/{application.id}",
    )


def _service() -> ApplicationService:
    return ApplicationService(session(), clock())


def _example_code() -> str:
    """Return the code of an interface that can be called, for the commands of the quick start."""
    listed = listed_interfaces(session())
    return listed[0].address.rsplit("/", 1)[-1] if listed else gettext("接口代码")


def _site_url() -> str:
    return platform().settings.site_url.rstrip("/")


def own_application(application_id: int) -> AccessApplication:
    application = get_application(session(), application_id)
    if not is_applicant(actor(), application):
        raise Forbidden()
    return application


def _interface(key: str) -> DataInterface:
    """Return the entry's interface that is applied for: the one named, else the first."""
    entry = get_entry(session(), key)
    found = list_interfaces(session(), entry.id) if entry.is_public else []
    named = request.values.get("interface", "")
    chosen = next((i for i in found if not named or i.api_code == named), None)
    if chosen is None or not is_open_conditionally(session(), entry.id):
        raise NotFound("该数据目前没有可以申请的接口。")
    return chosen


def _form_page(
    interface: DataInterface,
    application: AccessApplication | None,
    typed: Typed,
    problem: Problem | None,
) -> Any:
    version = interface.entry.published_version
    items = grantable_items(content_of(version), interface.fields) if version else {}
    return render_template(
        "access/apply.html",
        interface=interface,
        entry=interface.entry,
        content=content_of(version) if version else None,
        application=application,
        items=items,
        typed=typed,
        problem=problem,
        undertakings=list(translated(UNDERTAKINGS).items()),
        policy=_policy_row(version, typed.fields),
        sensitive={name for name, item in items.items() if is_sensitive(item)},
        attachments=list_attachments(session(), application.id) if application else [],
        most_files=MAX_FILES,
        most_bytes=MAX_BYTES,
        similar=similar_uses(session(), interface.id),
        kinds=translated(KINDS),
        names={name: item.name for name, item in items.items()},
        key=fresh_key(),
    )


def _policy_row(version: EntryVersion | None, fields: Sequence[str]) -> PolicyRow | None:
    return row_for(session(), content_of(version), fields) if version is not None else None


def application_page(application: AccessApplication, problem: Problem | None) -> Any:
    items = grantable_of(application)
    granted = application.granted_fields
    return render_template(
        "access/application.html",
        application=application,
        state=gettext(BINDING.state_labels[application.state]),
        clocks=clocks_of(session(), clock(), application.id),
        names={n: items[n].name if n in items else n for n in (*application.fields, *granted)},
        grounds=translated(REJECT_GROUNDS),
        keys=list_keys(session(), application.id),
        attachments=list_attachments(session(), application.id),
        agreement=find_agreement(session(), application.id),
        working=working_keys(session(), application.id, clock()()),
        most_keys=MAX_KEYS,
        reports=list_reports(session(), application.id),
        report_kinds=translated(REPORT_KINDS),
        typed={name: plain(name) for name in request.form if name != "csrf_token"},
        days=list_days(session(), clock()(), [application.id]) if application.activated_at else [],
        history=history_of(session(), application.id),
        now=clock()(),
        overlap_hours=MAX_KEY_OVERLAP_HOURS,
        site_url=_site_url(),
        problem=problem,
        key=fresh_key(),
    )


def _agreement_page(application: AccessApplication, problem: Problem | None) -> Any:
    kept = find_agreement(session(), application.id)
    return render_template(
        "access/agreement.html",
        application=application,
        kept=kept,
        agreement=kept or agreement_of(application),
        problem=problem,
        key=fresh_key(),
    )


def key_page(application: AccessApplication, new: NewKey) -> Response:
    """The only answer that ever holds the secret; no cache may keep it."""
    page = render_template(
        "access/key.html", application=application, secret=new.secret, site_url=_site_url()
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response
