"""Sandbox keys in the developer centre: any account makes its own, at once."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, render_template
from flask_babel import gettext

from extensions.access.models.sandbox import list_sandbox_keys
from extensions.access.services.hooks import listed_interfaces
from extensions.access.services.sandbox_gate import PER_DAY, PER_MINUTE
from extensions.access.services.sandbox_keys import (
    MOST_KEYS,
    NewSandboxKey,
    SandboxKeyService,
    client_id_of,
)
from extensions.access.services.sandbox_use import count_calls_today
from extensions.access.web.answers import decide, refused
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, platform, session
from portal.web.work.decisions import REFUSALS, Problem

blueprint = Blueprint("access_sandbox", __name__)
ID = "int(max=2147483647)"


@blueprint.get("/developer/sandbox")
@signed_in
def keys() -> Any:
    return _page(None)


@blueprint.post("/developer/sandbox/keys")
@writes
def make_key() -> Any:
    """Make a key; the answer shows its secret, once."""
    try:
        new = SandboxKeyService(session(), clock()).make(actor())
    except REFUSALS as error:
        return refused(error, _page)
    return _key_page(new)


@blueprint.post(f"/developer/sandbox/keys/<{ID}:key_id>/revoke")
@writes
def revoke_key(key_id: int) -> Any:
    return decide(
        lambda: SandboxKeyService(session(), clock()).revoke(actor(), key_id),
        _page,
        done=gettext("沙箱密钥已停用。"),
        target="/developer/sandbox",
    )


def _page(problem: Problem | None) -> Any:
    account_id = actor().account_id or 0
    return render_template(
        "access/sandbox.html",
        keys=list_sandbox_keys(session(), account_id),
        most_keys=MOST_KEYS,
        calls_today=count_calls_today(session(), clock()(), account_id),
        limits=(PER_DAY, PER_MINUTE),
        interfaces=_interfaces(),
        problem=problem,
    )


def _key_page(new: NewSandboxKey) -> Response:
    """The only answer that ever holds the secret; no cache may keep it."""
    interfaces = _interfaces()
    page = render_template(
        "access/sandbox_key.html",
        secret=new.secret,
        client_id=client_id_of(new.key.id),
        api_code=interfaces[0][0] if interfaces else "",
        site_url=platform().settings.site_url.rstrip("/"),
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


def _interfaces() -> list[tuple[str, str]]:
    """Return (code, name) of the interfaces that have a page."""
    return [(one.address.rsplit("/", 1)[-1], one.name) for one in listed_interfaces(session())]
