"""OAI-PMH 2.0 at `/oai` (https://www.openarchives.org/OAI/openarchivesprotocol.html)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from extensions.exchange.oai import Provider
from extensions.exchange.web.answering import answer, site_url
from portal.web.access import public
from portal.web.context import clock, platform, session

blueprint = Blueprint("oai", __name__)


@blueprint.route("/oai", methods=["GET", "POST"])
@public
def oai() -> Any:
    """Answer any of the six verbs; the protocol's own errors come with status 200."""
    given = request.form if request.method == "POST" else request.args
    provider = Provider(
        session(writing=False), clock()(), site_url(), platform().settings.site_title
    )
    return answer(provider.answer(given.to_dict(flat=False)), "text/xml; charset=utf-8")
