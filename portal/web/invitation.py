"""An invitation that somebody opened: with the account they hold, or with a new one."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext

from portal.errors import Invalid
from portal.services import members
from portal.services.accounts import SHORTEST_PASSWORD
from portal.services.mailed_links import LinkLapsed
from portal.services.registration import accounts_of_email
from portal.web.access import public, writes
from portal.web.context import actor as reader
from portal.web.context import clock, session
from portal.web.link_lapsed import lapsed
from portal.web.work.decisions import Problem

blueprint = Blueprint("invitation", __name__)


@blueprint.get("/invitation")
@public
def invitation() -> Any:
    return _page(request.args.get("token", ""))


def _page(token: str, problem: Problem | None = None) -> Any:
    try:
        link, organisation = members.opened(session(), clock(), token)
    except LinkLapsed as error:
        return lapsed(error, "")
    page = render_template(
        "invitation.html",
        token=token,
        email=link.email,
        organisation=organisation,
        role=link.role,
        is_known=bool(accounts_of_email(session(), link.email)),
        shortest=SHORTEST_PASSWORD,
        problem=problem,
        given=request.form,
        is_anonymous=reader().is_anonymous,
    )
    return (page, problem.status) if problem else page


@blueprint.post("/invitation/join")
@writes
def join() -> Any:
    token = request.form.get("token", "")
    try:
        members.accept(session(), clock(), reader(), token)
    except LinkLapsed as error:
        session().rollback()
        return lapsed(error, "")
    except Invalid as error:
        return _refused(token, error)
    flash(gettext("您已加入该机构。"))
    return redirect("/work", 303)


@blueprint.post("/invitation")
@public
def register() -> Any:
    form = request.form
    token = form.get("token", "")
    try:
        members.accept_as_new(
            session(),
            clock(),
            token,
            username=form.get("username", ""),
            display_name=form.get("display_name", ""),
            password=form.get("password", ""),
            again=form.get("again", ""),
        )
    except LinkLapsed as error:
        session().rollback()
        return lapsed(error, "")
    except Invalid as error:
        return _refused(token, error)
    flash(gettext("账号已建立，请登录。"))
    return redirect("/login", 303)


def _refused(token: str, error: Invalid) -> Any:
    session().rollback()
    return _page(token, Problem.of(error))
