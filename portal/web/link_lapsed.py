"""The page of a mailed link that opens nothing (any more)."""

from __future__ import annotations

from typing import Any

from flask import render_template

from portal.services.mailed_links import LinkLapsed
from portal.web.errors import message_of


def lapsed(error: LinkLapsed, again: str) -> Any:
    """Return the page, with where to get a new link ("" for nowhere)."""
    return render_template("link_lapsed.html", message=message_of(error), again=again), 410
