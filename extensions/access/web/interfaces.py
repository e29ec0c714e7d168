"""An agency registers a data interface on its conditionally open entry, or ends one."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext

from extensions.access.models.interface import get_interface, list_interfaces
from extensions.access.rules import grantable_items
from extensions.access.services.interfaces import InterfaceOffer, InterfaceService
from extensions.access.services.policies import row_for
from extensions.access.web.answers import decide
from extensions.access.web.forms import plain, whole
from portal.errors import NotFound
from portal.models.distribution import FILE, get_distribution, list_distributions
from portal.models.entry import CatalogueEntry, get_entry
from portal.permissions import Permission, require
from portal.services.content import content_of
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.work.blueprint import work_blueprint
from portal.web.work.decisions import Problem, fresh_key

blueprint = work_blueprint("access_interfaces")


@blueprint.get("/work/entries/<key>/interfaces")
@signed_in
def interfaces(key: str) -> Any:
    return _page(_entry(key), None)


@blueprint.post("/work/entries/<key>/interfaces")
@writes
def register(key: str) -> Any:
    entry = _entry(key)

    def act() -> None:
        InterfaceService(session(), clock()).register(actor(), entry, _typed_offer())

    return decide(
        act,
        lambda problem: _page(entry, problem),
        done=gettext("数据接口已登记。"),
        target=f"/work/entries/{key}/interfaces",
    )


@blueprint.post("/work/interfaces/<api_code>/withdraw")
@writes
def withdraw(api_code: str) -> Any:
    interface = get_interface(session(), api_code)
    entry = interface.entry
    return decide(
        lambda: InterfaceService(session(), clock()).withdraw(
            actor(), interface, reason=plain("reason")
        ),
        lambda problem: _page(entry, problem),
        done=gettext("数据接口已停用，调用立即停止。"),
        target=f"/work/entries/{entry.slug}/interfaces",
    )


def _typed_offer() -> InterfaceOffer:
    file_id = plain("table_distribution")
    return InterfaceOffer(
        api_code=plain("api_code"),
        fields=request.form.getlist("fields")[:200],
        table_distribution=get_distribution(session(), file_id) if file_id else None,
        name=plain("name")[:200],
        description=plain("description")[:4000],
        sort_field=plain("sort_field"),
        daily_quota=whole(plain("daily_quota")) or 0,
        per_minute=whole(plain("per_minute")) or 0,
    )


def _entry(key: str) -> CatalogueEntry:
    entry = get_entry(session(), key)
    require(actor(), Permission.DISTRIBUTION_WRITE, entry)
    if entry.published_version is None:
        raise NotFound("目录发布后才能登记数据接口。")
    return entry


def _page(entry: CatalogueEntry, problem: Problem | None) -> Any:
    version = entry.published_version
    assert version is not None
    content = content_of(version)
    given = {name: plain(name) for name in request.form if name != "csrf_token"}
    offered = grantable_items(content, [item.field_name for item in content.items])
    policy = row_for(session(), content, list(offered))
    values = {"daily_quota": policy.daily_quota, "per_minute": policy.per_minute, **given}
    return render_template(
        "access/interfaces.html",
        entry=entry,
        content=content,
        interfaces=list_interfaces(session(), entry.id),
        items=offered,
        files=[d for d in list_distributions(session(), entry.id) if d.kind == FILE],
        values=values,
        chosen=request.form.getlist("fields") if given else list(offered),
        problem=problem,
        key=fresh_key(),
    )
