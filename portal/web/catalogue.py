"""The results of a search in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext
from markupsafe import Markup, escape

from portal.errors import NotFound
from portal.services.downloads import is_robot
from portal.services.search import PUBLIC, search_catalogue, suggest_entries
from portal.services.search_counts import FOUND, NONE, PART
from portal.services.search_explanations import explain_hits
from portal.web.access import public
from portal.web.asked import SORTS, Asked, box_text, read_asked
from portal.web.context import actor, platform, session
from portal.web.facets import Chip, asked_facets, chips, show_facets
from portal.web.hits import hit_body
from portal.web.paging import Paging, address, page_number
from portal.web.search_empty import data_requests, tried_ways
from portal.web.search_reasons import Reason, reasons_of
from portal.web.security import client_address
from search.explanations import Match
from search.highlights import END, START
from search.request import SearchHit, SearchRequest, SearchResult
from search.words import analyse

blueprint = Blueprint("catalogue", __name__)
PAGE_ROWS = 20
DEEPEST_PAGE = 500
OFFERED_WORDS = 5


@dataclass(frozen=True)
class Hit:
    """One result as the page shows it: what the index stored, with the words marked.

    `reasons` say which words were found where; None until somebody asks.
    """

    stored: Any
    title: Markup
    abstract: Markup
    body: Markup
    score: float
    text_score: float | None
    exact: bool
    reasons: Sequence[Reason] | None
    explain_url: str


@blueprint.get("/dataset")
@public
def results() -> Any:
    asked = read_asked(request.args)
    paging = Paging(
        page_number(request.args, most=DEEPEST_PAGE), PAGE_ROWS, 0, request.path, asked.pairs
    )
    query = _query(asked, paging)
    found = search_catalogue(session(), platform().engine, query, actor())
    paging = replace(paging, total=found.total)
    _check_page(paging)
    _count(asked, paging, found)
    matches = explain_hits(session(), query, found, PUBLIC) if asked.explain else None
    return render_template(
        "search.html",
        asked=asked,
        words=asked.words,
        sort=asked.sort,
        sorts=_sorts(asked),
        total=found.total,
        relaxed=found.relaxed,
        whole=found.whole,
        correction=found.correction,
        as_typed_url=address(request.path, [*asked.pairs, ("as_typed", "1")]),
        hits=[_hit(hit, paging, matches) for hit in found.hits],
        facets=show_facets(found.facets, asked.filters, request.path, asked.pairs),
        chips=_chips(asked),
        hidden=[(k, v) for k, v in asked.pairs if k not in ("q", "as_typed")],
        cleared=address(request.path, [("q", asked.words)] if asked.words else []),
        paging=paging,
        beta=query.beta,
        **(_empty(asked, found) if not found.total else {}),
    )


def _query(asked: Asked, paging: Paging) -> SearchRequest:
    order, descending = SORTS[asked.sort]
    return SearchRequest(
        words=asked.words,
        filters=asked.filters,
        ranges=asked.ranges,
        area=asked.box,
        sort=order,
        descending=descending,
        start=paging.start,
        rows=PAGE_ROWS,
        facets=asked_facets(),
        highlight=True,
        as_typed=asked.as_typed,
    )


def _count(asked: Asked, paging: Paging, found: SearchResult) -> None:
    """Count a person's search, once: not its further pages, and not what filters took away."""
    agent = request.headers.get("User-Agent", "")
    if not asked.words or asked.is_narrowed or paging.number > 1 or is_robot(agent):
        return
    who = actor()
    visitor = f"account:{who.account_id}" if who.account_id else f"{client_address()}|{agent}"
    whole = found.total and not found.relaxed and found.correction is None
    outcome = FOUND if whole else PART if found.total else NONE
    platform().searches.note(asked.words, outcome, visitor)


def _sorts(asked: Asked) -> list[tuple[str, str, bool]]:
    """Return (address, text, is current) of each order."""
    texts = {
        "": gettext("综合"),
        "value": gettext("价值"),
        "modified": gettext("最近更新"),
        "created": gettext("最新发布"),
        "downloads": gettext("下载最多"),
        "title": gettext("名称"),
    }
    return [
        (address(request.path, replace(asked, sort=name).pairs), text, name == asked.sort)
        for name, text in texts.items()
    ]


def _chips(asked: Asked) -> list[Chip]:
    found = chips(asked.filters, request.path, asked.pairs)
    if asked.since or asked.until:
        since = asked.since.isoformat() if asked.since else "…"
        until = asked.until.isoformat() if asked.until else "…"
        rest = replace(asked, since=None, until=None)
        found.append(
            Chip(gettext("更新时间"), f"{since} – {until}", address(request.path, rest.pairs))
        )
    if asked.box:
        rest = replace(asked, box=None)
        found.append(
            Chip(gettext("地理范围"), box_text(asked.box), address(request.path, rest.pairs))
        )
    return found


def _check_page(paging: Paging) -> None:
    if paging.number > 1 and paging.number > paging.pages:
        raise NotFound(
            "没有第 {number} 页，一共 {pages} 页。", number=paging.number, pages=paging.pages
        )


def _hit(hit: SearchHit, paging: Paging, matches: Mapping[int, Sequence[Match]] | None) -> Hit:
    stored = hit.stored
    page = [("page", str(paging.number))] if paging.number > 1 else []
    return Hit(
        stored,
        marked(hit.highlights.get("title", stored["title"])),
        marked(hit.highlights.get("abstract", stored["abstract"])),
        hit_body(stored),
        hit.score,
        hit.text_score,
        hit.exact,
        None if matches is None else reasons_of(matches.get(hit.id, ())),
        address(request.path, [*paging.pairs, *page, ("explain", "1")], f"hit-{hit.id}"),
    )


def marked(text: str) -> Markup:
    """Return the text as HTML with the found words in <mark>."""
    return Markup(str(escape(text)).replace(START, "<mark>").replace(END, "</mark>"))


def _empty(asked: Asked, found: SearchResult) -> dict[str, Any]:
    """Return what an empty page says besides: what was tried, and what can be done now."""
    return {
        "offers": _offers(asked.words) if asked.words else [],
        "tried": tried_ways(asked, found),
        "requests": data_requests(asked.words),
    }


def _offers(words: str) -> list[tuple[str, str]]:
    """Return (address, text) of what may have been meant and finds something: near titles, words."""
    near = suggest_entries(session(), platform().engine, words, limit=3)
    parts = dict.fromkeys(word.text for word in analyse(words).required)
    offered = [suggestion.title for suggestion in near]
    offered += [part for part in list(parts)[:OFFERED_WORDS] if _finds(part)]
    return [(address(request.path, [("q", text)]), text) for text in dict.fromkeys(offered)]


def _finds(words: str) -> bool:
    asked = SearchRequest(words=words, rows=0)
    return search_catalogue(session(), platform().engine, asked, actor()).total > 0
