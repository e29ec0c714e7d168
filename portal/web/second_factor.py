"""The second factors of the reader's own account. All of it but passkeys works without script."""

from __future__ import annotations

import io
from typing import Any

import segno
from flask import Blueprint, flash, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext
from markupsafe import Markup

from portal.services import second_factors
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, platform, session
from portal.web.security import ENROLMENT, SESSION_TOKEN
from portal.web.work.blueprint import ID, sections_of
from portal.web.work.decisions import REFUSALS, Problem, decide, form_text, refused

blueprint = Blueprint(ENROLMENT, __name__)
HOME = "/account/second-factor"
PASSKEY_STEP = "passkey"


@blueprint.get(HOME)
@signed_in
def second_factor() -> Any:
    return _page()


def _page(problem: Problem | None = None, **shown: Any) -> str:
    settings, who = platform().settings, actor()
    account_id = who.account_id or 0
    totp = second_factors.unfinished_totp(session(), who, settings.secret_key, settings.site_title)
    values: dict[str, Any] = {"codes": [], "options": "", **shown}
    return render_template(
        "work/second_factor.html",
        factors=second_factors.list_factors(session(), account_id),
        codes_left=second_factors.count_recovery_codes(session(), account_id),
        totp=totp,
        picture=_picture(totp.address) if totp else "",
        has_passkeys=second_factors.may_have_passkeys(settings.site_url),
        problem=problem,
        given=request.form,
        work_sections=sections_of(who) if who.organisation_ids else [],
        **values,
    )


def _picture(address: str) -> Markup:
    """Return a QR code as SVG without style attributes, which the page's policy forbids."""
    out = io.BytesIO()
    segno.make(address, error="m").save(
        out, kind="svg", xmldecl=False, svgns=True, scale=5, border=3, light="#fff", omitsize=False
    )
    return Markup(out.getvalue().decode())


@blueprint.post(f"{HOME}/totp")
@writes
def begin_totp() -> Any:
    settings = platform().settings
    return decide(
        lambda: second_factors.begin_totp(
            session(), clock(), actor(), settings.secret_key, settings.site_title
        ),
        _page,
        done=gettext("请用身份验证器扫描二维码，再输入验证码。"),
        target=f"{HOME}#totp-heading",
    )


@blueprint.post(f"{HOME}/totp/confirm")
@writes
def confirm_totp() -> Any:
    """Confirm with a code; new recovery codes stand on the answer's page and nowhere else."""
    try:
        codes = second_factors.confirm_totp(
            session(),
            clock(),
            actor(),
            platform().settings.secret_key,
            code=form_text("code", longest=40),
            name=form_text("name", longest=60),
            token=cookie.get(SESSION_TOKEN, ""),
        )
    except REFUSALS as error:
        return refused(error, _page)
    session().flush()
    flash(gettext("二次验证已启用，其他设备上的登录已退出。"))
    return _page(codes=codes) if codes else redirect(HOME, 303)


@blueprint.post(f"{HOME}/passkey")
@writes
def begin_passkey() -> Any:
    from portal.services import passkeys  # with WebAuthn's libraries: only when needed

    settings = platform().settings
    try:
        token, options = passkeys.begin_passkey(
            session(), clock(), actor(), settings.site_url, settings.site_title
        )
    except REFUSALS as error:
        return refused(error, _page)
    cookie[PASSKEY_STEP] = token
    return _page(options=options)


@blueprint.post(f"{HOME}/passkey/confirm")
@writes
def confirm_passkey() -> Any:
    from portal.services import passkeys

    try:
        codes = passkeys.finish_passkey(
            session(),
            clock(),
            actor(),
            platform().settings.site_url,
            step_token=cookie.pop(PASSKEY_STEP, ""),
            credential=request.form.get("credential", ""),
            name=form_text("name", longest=60),
            token=cookie.get(SESSION_TOKEN, ""),
        )
    except REFUSALS as error:
        return refused(error, _page)
    session().flush()
    flash(gettext("通行密钥已添加，其他设备上的登录已退出。"))
    return _page(codes=codes) if codes else redirect(HOME, 303)


@blueprint.post(f"{HOME}/codes")
@writes
def renew_codes() -> Any:
    try:
        codes = second_factors.renew_recovery_codes(
            session(), clock(), actor(), request.form.get("password", "")
        )
    except REFUSALS as error:
        return refused(error, _page)
    session().flush()
    return _page(codes=codes)


@blueprint.post(f"{HOME}/<{ID}:factor_id>/remove")
@writes
def remove(factor_id: int) -> Any:
    def act() -> None:
        second_factors.remove_factor(
            session(),
            clock(),
            actor(),
            factor_id,
            password=request.form.get("password", ""),
            required=platform().settings.staff_second_factor,
        )

    return decide(act, _page, done=gettext("已移除。"), target=HOME)
