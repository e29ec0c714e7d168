"""The results of a search in the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext
from markupsafe import Markup, escape

from portal.errors import Invalid, NotFound
from portal.services.search import search_catalogue, suggest_entries
from portal.web.access import public
from portal.web.context import actor, platform, session
from portal.web.facets import asked_facets, chips, read_filters, show_facets
from portal.web.hits import hit_body
from portal.web.paging import Paging, Pairs, address, page_number
from search.highlights import END, START
from search.request import SearchHit, SearchRequest, SearchResult, Sort
from search.words import analyse

blueprint = Blueprint("catalogue", __name__)
PAGE_ROWS = 20
DEEPEST_PAGE = 500
WORDS_MAX = 200
OFFERED_WORDS = 5
SORTS = {
    "": (Sort.RELEVANCE, True),
    "value": (Sort.VALUE, True),
    "modified": (Sort.MODIFIED, True),
    "created": (Sort.CREATED, True),
    "downloads": (Sort.DOWNLOADS, True),
    "title": (Sort.TITLE, False),
}


@dataclass(frozen=True)
class Hit:
    """One result as the page shows it: what the index stored, with the words marked."""

    stored: Any
    title: Markup
    abstract: Markup
    body: Markup
    score: float
    text_score: float | None
    exact: bool


@blueprint.get("/dataset")
@public
def results() -> Any:
    words = request.args.get("q", "").strip()[:WORDS_MAX]
    sort = _sort_name()
    filters = read_filters(request.args)
    pairs = _pairs(words, filters, sort)
    paging = Paging(page_number(request.args, most=DEEPEST_PAGE), PAGE_ROWS, 0, request.path, pairs)
    order, descending = SORTS[sort]
    asked = SearchRequest(
        words=words,
        filters=filters,
        sort=order,
        descending=descending,
        start=paging.start,
        rows=PAGE_ROWS,
        facets=asked_facets(),
        highlight=True,
    )
    found = search_catalogue(session(), platform().engine, asked, actor())
    paging = replace(paging, total=found.total)
    _check_page(paging)
    return render_template(
        "search.html",
        words=words,
        sort=sort,
        sorts=_sorts(pairs, sort),
        total=found.total,
        relaxed=found.relaxed,
        hits=[_hit(hit) for hit in found.hits],
        facets=show_facets(found.facets, filters, request.path, pairs),
        chips=chips(filters, request.path, pairs),
        hidden=[(k, v) for k, v in pairs if k != "q"],
        cleared=address(request.path, [("q", words)] if words else []),
        paging=paging,
        beta=asked.beta,
        offers=_offers(words, found),
    )


def _sort_name() -> str:
    name = request.args.get("sort", "")
    if name in ("relevance", ""):
        return ""
    if name not in SORTS:
        raise Invalid.one("sort", "unknown", "没有名为“{value}”的排序方式。", value=name[:20])
    return name


def _pairs(words: str, filters: dict[str, tuple[str, ...]], sort: str) -> Pairs:
    """Return the address in one order, so that one result has one address."""
    pairs = [("q", words)] if words else []
    pairs += [(name, code) for name, codes in filters.items() for code in codes]
    return pairs + ([("sort", sort)] if sort else [])


def _sorts(pairs: Pairs, current: str) -> list[tuple[str, str, bool]]:
    """Return (address, text, is current) of each order."""
    texts = {
        "": gettext("综合"),
        "value": gettext("价值"),
        "modified": gettext("最近更新"),
        "created": gettext("最新发布"),
        "downloads": gettext("下载最多"),
        "title": gettext("名称"),
    }
    rest = [(k, v) for k, v in pairs if k != "sort"]
    return [
        (address(request.path, rest + ([("sort", name)] if name else [])), text, name == current)
        for name, text in texts.items()
    ]


def _check_page(paging: Paging) -> None:
    if paging.number > 1 and paging.number > paging.pages:
        raise NotFound(
            "没有第 {number} 页，一共 {pages} 页。", number=paging.number, pages=paging.pages
        )


def _hit(hit: SearchHit) -> Hit:
    stored = hit.stored
    return Hit(
        stored,
        marked(hit.highlights.get("title", stored["title"])),
        marked(hit.highlights.get("abstract", stored["abstract"])),
        hit_body(stored),
        hit.score,
        hit.text_score,
        hit.exact,
    )


def marked(text: str) -> Markup:
    """Return the text as HTML with the found words in <mark>."""
    return Markup(str(escape(text)).replace(START, "<mark>").replace(END, "</mark>"))


def _offers(words: str, found: SearchResult) -> list[tuple[str, str]]:
    """Return (address, text) of what may have been meant and finds something: near titles, words."""
    if found.total or not words:
        return []
    near = suggest_entries(session(), platform().engine, words, limit=3)
    parts = dict.fromkeys(word.text for word in analyse(words).required)
    offered = [suggestion.title for suggestion in near]
    offered += [part for part in list(parts)[:OFFERED_WORDS] if _finds(part)]
    return [(address(request.path, [("q", text)]), text) for text in dict.fromkeys(offered)]


def _finds(words: str) -> bool:
    asked = SearchRequest(words=words, rows=0)
    return search_catalogue(session(), platform().engine, asked, actor()).total > 0
