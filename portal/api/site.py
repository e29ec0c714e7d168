"""The site itself: status, licences, help."""

from __future__ import annotations

from typing import Any

from flask import current_app
from pydantic import Field

from portal.api.action import Action, Call
from portal.api.inputs import LONGEST_KEY, Input
from portal.codes import Code, code_list
from portal.errors import NotFound
from portal.web.access import Access

CKAN_VERSION = "2.12.0"
"""The version whose answers these are; clients choose their way of asking by it."""


def status_show(call: Call, _given: Input) -> dict[str, Any]:
    """Return the site's name and address, and what it speaks."""
    settings = call.platform.settings
    return {
        "site_title": settings.site_title,
        "site_description": "",
        "site_url": settings.site_url,
        "error_emails_to": "",
        "locale_default": "zh_Hans_CN",
        "extensions": ["datastore", *(e.name for e in call.platform.extensions)],
        "ckan_version": CKAN_VERSION,
    }


def site_read(_call: Call, _given: Input) -> bool:
    """Return true: the site may be read by anybody."""
    return True


def license_list(_call: Call, _given: Input) -> list[dict[str, Any]]:
    """Return the licences that data sets may have."""
    return [_licence(code) for code in code_list("licences")]


def _licence(code: Code) -> dict[str, Any]:
    return {
        "domain_content": "False",
        "id": code.code,
        "domain_data": "True",
        "domain_software": "False",
        "family": "",
        "is_generic": "False",
        "is_okd_compliant": code.is_yes("is_open"),
        "od_conformance": "approved"
        if code["spdx_id"] and code.is_yes("is_open")
        else "not reviewed",
        "osd_conformance": "not reviewed",
        "maintainer": "",
        "status": "active",
        "url": code["url"],
        "title": code.name,
        "title_en": code.name_en,
    }


class HelpShow(Input):
    name: str = Field(min_length=1, max_length=LONGEST_KEY)


def help_show(_call: Call, given: HelpShow) -> str:
    """Return what an action does and takes."""
    action = current_app.extensions["xiangyun_actions"].get(given.name)
    if action is None:
        raise NotFound("没有名为“{key}”的操作。", key=given.name)
    return str(action.help)


ACTIONS = (
    Action("status_show", Access.PUBLIC, status_show),
    Action("site_read", Access.PUBLIC, site_read),
    Action("license_list", Access.PUBLIC, license_list),
    Action("help_show", Access.PUBLIC, help_show, HelpShow),
)
