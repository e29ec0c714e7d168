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
    """Return what an action does, who may call it, and what it takes."""
    action = current_app.extensions["xiangyun_actions"].get(given.name)
    if action is None:
        raise NotFound("没有名为“{key}”的操作。", key=given.name)
    return "\n\n".join([action.help, _WHO[action.access], *_parameters(action)])


_WHO = {
    Access.PUBLIC: "Access: anybody, by GET or POST; private data by the token's labels.",
    Access.READ: "Access: a token, by GET or POST.",
    Access.WRITE: "Access: a token, by POST.",
}


def _parameters(action: Action) -> list[str]:
    """Return the parameters as the schema that checks them has them."""
    schema = action.schema.model_json_schema(by_alias=True)
    required = schema.get("required", [])
    lines = []
    for name, one in schema.get("properties", {}).items():
        kinds = [one, *one.get("anyOf", [])]
        kind = " or ".join(k["type"] for k in kinds if k.get("type", "null") != "null") or "any"
        choices = f", one of {', '.join(map(str, one['enum']))}" if "enum" in one else ""
        default = one.get("default")
        says = ", required" if name in required else f", default {default}" if default else ""
        lines.append(f"  {name}: {kind}{choices}{says}")
    if action.before_upload is not None:
        lines.append("  upload: file (multipart/form-data)")
    return ["\n".join(["Parameters:", *lines])] if lines else []


ACTIONS = (
    Action("status_show", Access.PUBLIC, status_show),
    Action("site_read", Access.PUBLIC, site_read),
    Action("license_list", Access.PUBLIC, license_list),
    Action("help_show", Access.PUBLIC, help_show, HelpShow),
)
