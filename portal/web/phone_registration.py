"""Registration with a mobile number: the number, then the code with name and password."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext

from portal.errors import Invalid, NotFound
from portal.rules.mail_address import masked_mobile
from portal.services import phone_registration
from portal.services.accounts import SHORTEST_PASSWORD
from portal.web.access import public
from portal.web.context import actor, clock, platform, session
from portal.web.security import client_address, network_of
from portal.web.work.decisions import Problem

blueprint = Blueprint("phone_registration", __name__)
WISH = "phone_wish"
HOME, CODE = "/register/phone", "/register/phone/code"


def _needs_gateway() -> None:
    if not platform().settings.sends_texts:
        raise NotFound("本平台没有设置短信服务，不能用手机号注册。")


def _page(template: str, problem: Invalid | None = None, **values: Any) -> Any:
    values["has_mail"] = bool(platform().settings.smtp_url)
    if problem is None:
        return render_template(template, problem=None, given={}, **values)
    session().rollback()
    shown = Problem.of(problem)
    return render_template(template, problem=shown, given=request.form, **values), shown.status


@blueprint.get(HOME)
@public
def ask_page() -> Any:
    _needs_gateway()
    if not actor().is_anonymous:
        return redirect("/account")
    return _page("register_phone.html")


@blueprint.post(HOME)
@public
def ask() -> Any:
    """Take the number; the answer is the same whether it has an account or not."""
    _needs_gateway()
    try:
        if request.form.get("terms") != "yes":
            raise Invalid.one("terms", "missing", "请先阅读并同意使用条款和隐私说明。")
        wish, mobile = phone_registration.ask_for_code(
            session(),
            clock(),
            mobile=request.form.get("mobile", "")[:40],
            caller=network_of(client_address()),
        )
    except Invalid as error:
        return _page("register_phone.html", error)
    cookie[WISH] = [wish, mobile]
    return redirect(CODE, 303)


@blueprint.get(CODE)
@public
def code_page() -> Any:
    _needs_gateway()
    wish = _wish()
    return _code_page(wish[1]) if wish is not None else redirect(HOME)


def _wish() -> tuple[str, str] | None:
    """Return the wish of this browser and its number."""
    kept = cookie.get(WISH)
    return (str(kept[0]), str(kept[1])) if isinstance(kept, list) and len(kept) == 2 else None


def _code_page(mobile: str, problem: Invalid | None = None) -> Any:
    return _page(
        "register_phone_code.html",
        problem,
        mobile=masked_mobile(mobile),
        minutes=phone_registration.MINUTES,
        shortest=SHORTEST_PASSWORD,
    )


@blueprint.post(CODE)
@public
def create() -> Any:
    _needs_gateway()
    kept = _wish()
    if kept is None:
        return redirect(HOME, 303)
    wish, mobile = kept
    with platform().database.writing() as counting:  # before the request's own transaction
        phone_registration.count_try(counting, clock(), wish)
    form = request.form
    try:
        phone_registration.register_by_phone(
            session(),
            clock(),
            wish=wish,
            mobile=mobile,
            code=form.get("code", "")[:20],
            username=form.get("username", ""),
            display_name=form.get("display_name", ""),
            password=form.get("password", ""),
            again=form.get("again", ""),
        )
    except Invalid as error:
        return _code_page(mobile, error)
    cookie.pop(WISH, None)
    flash(gettext("账号已建立，请登录。建议登录后添加邮箱，以便找回密码。"))
    return redirect("/login", 303)
