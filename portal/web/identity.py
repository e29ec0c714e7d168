"""Sign in with the unified identity, or link it to the own account. The browser goes and comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext

from portal.errors import Invalid, NotFound, PortalError, Unavailable
from portal.services.identities import (
    Identity,
    IdentityRefused,
    account_of,
    check_verified_by,
    read_levels,
)
from portal.services.login_sessions import begin
from portal.services.login_steps import OIDC, new_step, take_step
from portal.web.access import public
from portal.web.context import actor, platform, session
from portal.web.errors import message_of, status_of
from portal.web.login import go_on, local_target
from portal.web.security import client_address

if TYPE_CHECKING:
    from portal.services.identity_provider import IdentityProvider

blueprint = Blueprint("identity", __name__)
CALLBACK = "/login/identity/callback"
STEP = "identity"


def _provider() -> IdentityProvider:
    settings = platform().settings
    if not settings.oidc_issuer:
        raise NotFound("本平台没有设置统一身份认证。")
    # Authlib and its cryptography: only where an issuer is set.
    from portal.services.identity_provider import IdentityProvider

    return IdentityProvider(
        platform().clock,
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        secret=settings.oidc_client_secret,
        allowed_hosts=frozenset(settings.fetch_allowed_hosts),
    )


def _redirect_uri() -> str:
    return platform().settings.site_url.rstrip("/") + CALLBACK


@blueprint.get("/login/identity")
@public
def leave() -> Any:
    """Send the browser to the provider; what must come back with it is kept for some minutes."""
    provider, parts = _provider(), platform()
    try:
        url, kept = provider.begin(_redirect_uri())
    except (Unavailable, IdentityRefused) as error:
        return _failed(error)
    kept["next"] = local_target(request.args.get("next", ""))
    with parts.database.writing() as writing:
        cookie[STEP] = new_step(writing, parts.clock, OIDC, actor().account_id, dict(kept))
    return redirect(url)


@blueprint.get(CALLBACK)
@public
def come_back() -> Any:
    """Take the provider's answer: once, in the browser that asked, for the account that asked."""
    provider, parts = _provider(), platform()
    try:
        with parts.database.writing() as writing:
            step = take_step(writing, parts.clock, OIDC, cookie.pop(STEP, ""))
        if step.account_id != actor().account_id:
            raise IdentityRefused()
        identity = provider.finish(step.facts, request.args, _redirect_uri())
        return _signed_in(identity, step.account_id, step.facts["next"])
    except (Unavailable, IdentityRefused, Invalid) as error:
        return _failed(error)


def _signed_in(identity: Identity, linking: int | None, target: str) -> Any:
    parts = platform()
    levels = read_levels(parts.settings.oidc_levels)
    with parts.database.writing() as writing:
        account = account_of(writing, parts.clock, identity, levels, linking)
        if linking is not None:
            flash(gettext("统一身份已关联。"))
            return redirect(target or "/account")
        begun = begin(
            writing,
            parts.clock,
            account,
            agent=request.user_agent.string,
            address=client_address(),
            factor_required=parts.settings.staff_second_factor,
        )
    return go_on(begun, target)


def _failed(error: PortalError) -> Any:
    message = message_of(error)
    defects = getattr(error, "defects", ())
    if defects:
        message = gettext(defects[0].message)
    settings = platform().settings
    page = render_template(
        "login.html",
        next="",
        username="",
        error=message,
        has_mail=bool(settings.smtp_url),
        has_identity=True,
    )
    return page, (status_of(error) if isinstance(error, Unavailable) else 401)


def check_may_apply() -> None:
    """Where OIDC_TO_APPLY is set: raise GuardRefused unless the issuer verified the account."""
    settings = platform().settings
    if settings.oidc_to_apply:
        check_verified_by(session(), actor(), settings.oidc_issuer)
