"""An agency lets an interface answer from its own service: set up, test call, switch off."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask_babel import gettext

from extensions.access.errors import REFUSALS as CALL_REFUSALS
from extensions.access.models.interface import DataInterface, get_interface
from extensions.access.models.upstream import UpstreamService
from extensions.access.services.upstreams import (
    MAX_SECONDS,
    UpstreamForm,
    UpstreamSetup,
    as_lines,
    try_upstream,
)
from extensions.access.upstream import Target
from extensions.access.web.answers import decide
from extensions.access.web.forms import plain, whole
from portal.errors import NotFound
from portal.permissions import Permission, require
from portal.services.content import content_of
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, platform, session
from portal.web.presentation import language_code
from portal.web.work.blueprint import work_blueprint
from portal.web.work.decisions import Problem, form_seen, fresh_key

blueprint = work_blueprint("access_upstream")
ADDRESS = "/work/interfaces/<api_code>/upstream"


@blueprint.get(ADDRESS)
@signed_in
def show(api_code: str) -> Any:
    return _page(_interface(api_code), None)


@blueprint.post(ADDRESS)
@writes
def save(api_code: str) -> Any:
    interface = _interface(api_code)
    form = UpstreamForm(
        url=plain("url"),
        rows_path=plain("rows_path"),
        parameters=plain("parameters"),
        seconds=whole(plain("seconds")) or 0,
        secret_header=plain("secret_header"),
        secret=plain("secret"),
        drops_secret=plain("drops_secret") == "yes",
    )
    return decide(
        lambda: _setup().save(actor(), interface, form, seen=form_seen()),
        lambda problem: _page(interface, problem),
        done=gettext("上游服务已保存，请做一次测试调用。"),
        target=f"/work/interfaces/{api_code}/upstream",
    )


@blueprint.post(f"{ADDRESS}/test")
@writes
def test(api_code: str) -> Any:
    """Call the service once. No transaction is open meanwhile: it may take seconds."""
    parts = platform()
    with parts.database.reading() as reading:
        interface = get_interface(reading, api_code)
        require(actor(), Permission.DISTRIBUTION_WRITE, interface.entry)
        kept = reading.get(UpstreamService, interface.id)
        version = interface.entry.published_version
        if kept is None or version is None:
            raise NotFound("这个接口没有使用上游服务。")
        target = Target.of(kept)
        content, fields = content_of(version), tuple(interface.fields)
    typed = {one.send_as: plain(f"value.{one.name}") for one in target.parameters}
    values = {name: value for name, value in typed.items() if value}
    result = try_upstream(
        content,
        fields,
        target,
        values,
        secret_key=parts.settings.secret_key,
        allowed_hosts=frozenset(parts.settings.fetch_allowed_hosts),
    )
    _setup().tested(target.interface_id, target.row_version, result)
    if result.code:
        flash(gettext("测试调用没有成功：%(why)s", why=_words(result.code)))
    else:
        filled = "、".join(result.fields)
        flash(gettext("测试调用成功：返回 %(n)s 行，有值的信息项：%(f)s", n=result.rows, f=filled))
    return redirect(f"/work/interfaces/{api_code}/upstream", 303)


@blueprint.post(f"{ADDRESS}/disable")
@writes
def disable(api_code: str) -> Any:
    interface = _interface(api_code)
    return decide(
        lambda: _setup().disable(actor(), interface),
        lambda problem: _page(interface, problem),
        done=gettext("已停用上游服务。"),
        target=f"/work/interfaces/{api_code}/upstream",
    )


def _setup() -> UpstreamSetup:
    return UpstreamSetup(session(), clock(), platform().settings.secret_key)


def _interface(api_code: str) -> DataInterface:
    interface = get_interface(session(), api_code)
    require(actor(), Permission.DISTRIBUTION_WRITE, interface.entry)
    return interface


def _words(code: str) -> str:
    refusal = CALL_REFUSALS[code]
    text = refusal.en if language_code() == "en" else refusal.zh
    return text.format(seconds=30)


def _page(interface: DataInterface, problem: Problem | None) -> Any:
    kept = _setup().find(interface)
    is_on = kept is not None and kept.disabled_at is None
    values: dict[str, Any] = {"seconds": 5}
    if kept is not None:
        values = {
            "url": kept.url,
            "rows_path": kept.rows_path,
            "parameters": as_lines(kept.parameters),
            "seconds": kept.seconds,
            "secret_header": kept.secret_header,
        }
    if problem is not None:  # what was typed, but the secret
        values |= {n: plain(n) for n in request.form if n not in ("csrf_token", "secret")}
    return render_template(
        "access/upstream.html",
        interface=interface,
        kept=kept,
        is_on=is_on,
        seen=kept.row_version if kept else 0,
        has_secret=bool(kept and kept.sealed_secret),
        tested=_words(kept.test_code) if kept and kept.test_code in CALL_REFUSALS else "",
        values=values,
        most_seconds=MAX_SECONDS,
        problem=problem,
        key=fresh_key(),
    )
