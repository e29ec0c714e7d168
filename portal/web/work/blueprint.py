"""What every work page shares: it is for staff, and it knows the sections its reader may open."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, url_for
from flask_babel import gettext

from portal.actor import Actor
from portal.permissions import Permission, is_allowed, may_manage_members, require
from portal.web.context import actor, platform

ID = "int(max=2147483647)"
"""Converter of row numbers in addresses; a longer number is no row and answers 404."""


def work_blueprint(name: str) -> Blueprint:
    """Return a blueprint whose pages only members of an organisation may open."""
    blueprint = Blueprint(name, __name__)
    blueprint.before_request(_staff_only)
    blueprint.context_processor(_sections)
    return blueprint


def _staff_only() -> None:
    require(actor(), Permission.WORK_READ)


def _sections() -> dict[str, Any]:
    return {"work_sections": sections_of(actor())}


def sections_of(reader: Actor) -> list[tuple[str, str]]:
    """Return (address, words) of the work sections that the reader may open."""
    sections = [
        ("/work", gettext("待办")),
        ("/work/entries", gettext("目录")),
        ("/work/open-list", gettext("开放清单")),
        ("/work/freshness", gettext("更新日历")),
    ]
    if reader.is_kind("city_authority") or reader.is_kind("bureau"):
        sections.append(("/work/supplementary", gettext("补充目录")))
    if reader.acts_for("agency") or reader.acts_for("responsible_dept"):
        sections.append(("/work/import", gettext("导入清单")))
        sections.append(("/work/harvest", gettext("采集情况")))
    for permission, address, words in (
        (Permission.ENTRY_REVIEW, "/work/review", gettext("目录审核")),
        (Permission.OVERVIEW_READ, "/work/overview", gettext("总览")),
        (Permission.SUPERVISION_READ, "/work/duties", gettext("监督管理")),
        (Permission.SOURCE_MANAGE, "/work/sources", gettext("采集源")),
        (Permission.ACCOUNT_MANAGE, "/work/accounts", gettext("账号管理")),
        (Permission.ORGANISATION_MANAGE, "/work/organisations", gettext("机构管理")),
        (Permission.SEARCHES_READ, "/work/searches", gettext("检索统计")),
        (Permission.AUDIT_READ, "/work/audit", gettext("审计")),
    ):
        if is_allowed(reader, permission):
            sections.append((address, words))
    if may_manage_members(reader):
        sections.append(("/work/members", gettext("人员")))
    sections += [
        (url_for(item.endpoint), gettext(item.label))
        for extension in platform().extensions
        for item in extension.navigation
        if item.audience == "work"
    ]
    sections.append(("/notices", gettext("消息")))
    sections.append(("/account", gettext("我的账号")))
    return sections
