"""What the portal is, how it scores, and how it is used."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from portal.codes import code_list
from portal.errors import NotFound
from portal.rules.value_score import BADGE_AT, BETA, LEG_MAXIMA, MAXIMA, METHOD_VERSION
from portal.web import translated
from portal.web.access import public
from portal.web.context import platform

blueprint = Blueprint("about", __name__)
HELP_TOPICS = ("citizens", "developers", "agencies", "bureau", "accessibility")
blueprint.record_once(lambda state: translated.install(state.app))


@blueprint.get("/about")
@public
def about() -> Any:
    return render_template(
        "about.html",
        licences=list(code_list("licences")),
        maxima=MAXIMA,
        legs=LEG_MAXIMA,
        badge_at=BADGE_AT,
        beta=BETA,
        method=METHOD_VERSION,
    )


@blueprint.get("/help")
@public
def help_page() -> Any:
    return render_template("help.html", site_url=platform().settings.site_url.rstrip("/"))


@blueprint.get("/help/<topic>")
@public
def help_topic(topic: str) -> Any:
    if topic not in HELP_TOPICS:
        raise NotFound()
    return render_template(f"help/{topic}.html", topic=topic)


@blueprint.app_context_processor
def _footer() -> dict[str, Any]:
    """What the foot of a government site names; only what the operator has set."""
    settings = platform().settings
    police = "".join(c for c in settings.site_police if c.isdigit())
    lines = (
        ("主办单位：", settings.site_host, ""),
        ("承办单位：", settings.site_operator, ""),
        ("联系方式：", settings.site_contact, ""),
        ("", settings.site_icp, "https://beian.miit.gov.cn/"),
        ("", settings.site_police, f"https://beian.mps.gov.cn/#/query/webSearch?code={police}"),
        ("网站标识码：", settings.site_code, ""),
    )
    links = [link.partition("=")[::2] for link in settings.site_links]
    return {
        "site_footer": [line for line in lines if line[1]],
        "site_errata_url": settings.site_errata_url,
        "site_links": [(name, url) for name, url in links if url.startswith("http")],
    }
