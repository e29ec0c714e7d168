"""The developer centre: how to call, what may be called, and the machine-readable description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, current_app, render_template

from portal.extension import ListedInterface
from portal.web.access import Access, public
from portal.web.context import platform, session

if TYPE_CHECKING:
    from portal.api.action import Action

blueprint = Blueprint("developers", __name__)
ACTIONS = "xiangyun_actions"  # where portal.api.dispatch keeps its table
GROUPS = (
    ("package_", "数据集"),
    ("datastore_", "表格"),
    ("resource_", "文件"),
    ("organization_", "机构"),
    ("group_", "主题"),
    ("user_", "账号"),
    ("", "其他"),
)


@blueprint.get("/developers")
@public
def developers() -> Any:
    return render_template(
        "developers.html",
        interfaces=_interfaces(),
        groups=_grouped(),
        site_url=platform().settings.site_url.rstrip("/"),
        rate=platform().settings.anonymous_rate,
        applications=any(e.name == "access" for e in platform().extensions),
        dumps=any(e.name == "exchange" for e in platform().extensions),
    )


def _interfaces() -> list[ListedInterface]:
    """Return the interfaces of conditionally open data that extensions serve."""
    return [
        interface
        for extension in platform().extensions
        for source in extension.interfaces
        for interface in source(session())
    ]


def _actions() -> dict[str, Action]:
    """Return the actions as `portal.api.dispatch` answers them."""
    return cast("dict[str, Action]", current_app.extensions[ACTIONS])


def _grouped() -> list[tuple[str, list[tuple[str, Access]]]]:
    """Return (heading, its actions with who may call them), reads before writes."""
    left = {name: action.access for name, action in sorted(_actions().items())}
    groups = []
    for start, heading in GROUPS:
        names = [name for name in left if name.startswith(start)]
        found = [(name, left.pop(name)) for name in names]
        if found:
            groups.append((heading, sorted(found, key=lambda one: one[1] is Access.WRITE)))
    return groups
