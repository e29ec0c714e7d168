"""Suggestions while somebody types in a search field, as JSON for `suggest.js`."""

from __future__ import annotations

import time
from typing import Any, cast
from urllib.parse import quote

from flask import Blueprint, Flask, current_app, jsonify, request
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext

from portal.errors import TooManyRequests, Unavailable
from portal.services.search_suggestions import Kind, Offered, Suggester
from portal.web.access import public
from portal.web.context import clock, platform, session
from portal.web.paging import address
from portal.web.security import AddressWindow, client_address, network_of

blueprint = Blueprint("suggest", __name__)
MOST_A_MINUTE = 300  # from one address, in each process: a fast typist needs some 100
SUGGESTER, WINDOW = "xiangyun_suggester", "xiangyun_suggest_window"


@blueprint.record_once
def _prepare(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    app.extensions[WINDOW] = AddressWindow()


def _suggester() -> Suggester:
    kept = current_app.extensions
    if SUGGESTER not in kept:
        kept[SUGGESTER] = Suggester(clock())
    return cast(Suggester, kept[SUGGESTER])


@blueprint.get("/search/suggest")
@public
def suggest() -> Any:
    """Answer with {"suggestions": [{kind, label, text, url}]}; nothing is kept of what is typed."""
    _limit()
    typed = request.args.get("q", "").strip()
    try:
        offered = _suggester().suggest(session(), platform().engine, typed)
    except Unavailable:
        offered = []  # a field without suggestions still searches
    labels = {
        Kind.DATASET: gettext("数据集"),
        Kind.THEME: gettext("主题"),
        Kind.ORGANISATION: gettext("机构"),
        Kind.SEARCH: gettext("大家在搜"),
    }
    answer = jsonify(
        suggestions=[
            {"kind": one.kind, "label": labels[one.kind], "text": one.text, "url": _url(one)}
            for one in offered
        ]
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _limit() -> None:
    """Raises: TooManyRequests for an address that asks more than people type."""
    window = cast(AddressWindow, current_app.extensions[WINDOW])
    if window.count(network_of(client_address()), time.time()) > MOST_A_MINUTE:
        raise TooManyRequests(retry_after_seconds=60)


def _url(one: Offered) -> str:
    match one.kind:
        case Kind.THEME:
            return address("/dataset", [("theme", one.code)])
        case Kind.ORGANISATION:
            return f"/organisation/{quote(one.code.lower())}"
        case Kind.DATASET:
            return f"/dataset/{quote(one.code)}"
        case Kind.SEARCH:
            return address("/dataset", [("q", one.text)])
