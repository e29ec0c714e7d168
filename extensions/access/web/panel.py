"""The section about interfaces on a data set's page."""

from __future__ import annotations

from flask import render_template
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy.orm import Session

from extensions.access.flow import BINDING, is_open_conditionally
from extensions.access.models.application import find_undecided
from extensions.access.models.interface import has_interfaces, list_interfaces
from extensions.access.rules import grantable_items
from extensions.access.services.policies import row_for
from portal.actor import Actor
from portal.extension import EntryPanel
from portal.models.entry import CatalogueEntry
from portal.permissions import Permission, is_allowed
from portal.services.content import content_of
from portal.web.context import platform
from portal.web.translated import translated

ANCHOR = "access"


def interface_panel(session: Session, actor: Actor, entry: CatalogueEntry) -> EntryPanel | None:
    """Return how the entry's interfaces are applied for and called; None if it has none."""
    if actor.is_anonymous and not has_interfaces(session, entry.id):
        return None
    found = list_interfaces(session, entry.id)
    may_manage = is_allowed(actor, Permission.DISTRIBUTION_WRITE, entry)
    version = entry.published_version
    conditional = version is not None and version.open_type == "conditional"
    if version is None or not (found or (may_manage and conditional)):
        return None
    content = content_of(version)
    is_open = bool(found) and is_open_conditionally(session, entry.id)
    waiting = None
    if found and actor.account_id is not None:
        waiting = find_undecided(session, actor.account_id, found[0].id)
    html = render_template(
        "access/panel.html",
        entry=entry,
        content=content,
        interfaces=[(i, grantable_items(content, i.fields)) for i in found],
        is_open=is_open,
        policy=row_for(session, content, ()),
        may_manage=may_manage,
        waiting=waiting,
        states=translated(BINDING.state_labels),
        site_url=platform().settings.site_url.rstrip("/"),
    )
    action = ""
    if is_open and not may_manage:
        target = f"/applications/{waiting.id}" if waiting else f"/dataset/{entry.slug}/apply"
        words = gettext("查看我的申请") if waiting else gettext("申请接口")
        action = str(
            Markup('<a class="button" href="{}">{}</a>').format(target, words)  # escapes both
        )
    return EntryPanel(ANCHOR, gettext("申请和调用接口"), html, action)
