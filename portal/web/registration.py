"""Pages of registration and forgotten passwords. What is typed in gets one answer, known or not."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext

from portal.errors import Invalid, NotFound, PortalError
from portal.jobs.people import site_of
from portal.services import registration
from portal.services.accounts import SHORTEST_PASSWORD
from portal.services.mailed_links import LinkLapsed
from portal.web.access import public
from portal.web.context import actor, clock, platform, session
from portal.web.link_lapsed import lapsed
from portal.web.security import client_address, network_of
from portal.web.work.decisions import Problem

blueprint = Blueprint("registration", __name__)


def _needs_mail() -> None:
    if not platform().settings.smtp_url:
        raise NotFound("本平台没有设置邮件服务，不能自行注册或重设密码，请联系平台管理员。")


def _page(template: str, problem: PortalError | None = None, **values: Any) -> Any:
    """Render a page of this file; with what is wrong, nothing that was written stays."""
    values["has_texts"] = platform().settings.sends_texts
    if problem is None:
        return render_template(template, problem=None, given={}, **values)
    session().rollback()
    shown = Problem.of(problem)
    page = render_template(template, problem=shown, given=request.form, **values)
    return page, shown.status


@blueprint.get("/register")
@public
def register() -> Any:
    _needs_mail()
    if not actor().is_anonymous:
        return redirect("/account")
    return _page("register.html")


@blueprint.post("/register")
@public
def ask() -> Any:
    _needs_mail()
    email = request.form.get("email", "")[:300]
    try:
        if request.form.get("terms") != "yes":
            raise Invalid.one("terms", "missing", "请先阅读并同意使用条款和隐私说明。")
        registration.ask_to_register(
            session(), clock(), email=email, caller=network_of(client_address())
        )
    except Invalid as error:
        return _page("register.html", error)
    return render_template("mail_sent.html", purpose="register")


@blueprint.get("/register/confirm")
@public
def confirm() -> Any:
    token = request.args.get("token", "")
    try:
        email = registration.registration_email(session(), clock(), token)
    except LinkLapsed as error:
        return lapsed(error, "/register")
    return _page("register_confirm.html", token=token, email=email, shortest=SHORTEST_PASSWORD)


@blueprint.post("/register/confirm")
@public
def create() -> Any:
    form = request.form
    token = form.get("token", "")
    try:
        email = registration.registration_email(session(), clock(), token)
        registration.register(
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
        return lapsed(error, "/register")
    except Invalid as error:
        return _page(
            "register_confirm.html", error, token=token, email=email, shortest=SHORTEST_PASSWORD
        )
    flash(gettext("账号已建立，请登录。"))
    return redirect("/login", 303)


@blueprint.get("/password/forgotten")
@public
def forgotten() -> Any:
    _needs_mail()
    return _page("password_forgotten.html")


@blueprint.post("/password/forgotten")
@public
def ask_reset() -> Any:
    _needs_mail()
    name = request.form.get("name", "")[:300].replace("\x00", "")
    try:
        registration.ask_to_reset(
            session(), clock(), name=name, caller=network_of(client_address())
        )
    except Invalid as error:
        return _page("password_forgotten.html", error)
    return render_template("mail_sent.html", purpose="reset")


@blueprint.get("/password/reset")
@public
def reset() -> Any:
    token = request.args.get("token", "")
    try:
        account = registration.reset_account(session(), clock(), token)
    except LinkLapsed as error:
        return lapsed(error, "/password/forgotten")
    return _page(
        "password_reset.html", token=token, username=account.username, shortest=SHORTEST_PASSWORD
    )


@blueprint.post("/password/reset")
@public
def set_new() -> Any:
    form = request.form
    token = form.get("token", "")
    try:
        username = registration.reset_account(session(), clock(), token).username
        registration.reset_password(
            session(),
            clock(),
            site_of(platform()),
            token,
            new=form.get("password", ""),
            again=form.get("again", ""),
        )
    except LinkLapsed as error:
        session().rollback()
        return lapsed(error, "/password/forgotten")
    except Invalid as error:
        return _page(
            "password_reset.html",
            error,
            token=token,
            username=username,
            shortest=SHORTEST_PASSWORD,
        )
    cookie.clear()
    flash(gettext("密码已重设，请用新密码登录。"))
    return redirect("/login", 303)
