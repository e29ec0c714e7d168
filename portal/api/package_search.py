"""`package_search`: CKAN's way of asking, our search behind it, packages out of kept documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

import orjson
from pydantic import BeforeValidator, Field
from sqlalchemy import func, select

from portal.actor import ANONYMOUS
from portal.api.action import Action, Call, Raw
from portal.api.errors import SearchQueryError
from portal.api.inputs import Count, Flag, Input, TextList
from portal.api.package_query import ReadQuery
from portal.api.search_explained import explain_scores
from portal.api.search_fields import FACET_FIELDS, SearchFields
from portal.models.entry import CatalogueEntry
from portal.services.kept_packages import kept_packages
from portal.services.package_document import with_site
from portal.services.search import PUBLIC, search_catalogue
from portal.web.access import Access
from search.box import Box, read_box
from search.cursors import read_cursor
from search.engine import SearchRefused
from search.query import DEEPEST
from search.request import FacetAsk, SearchHit, SearchRequest, SearchResult, Sort

ROWS_MAX = 1000
DEFAULT_SORT = "score desc, metadata_modified desc"
_SORTS = {
    "score": Sort.RELEVANCE,
    "metadata_modified": Sort.MODIFIED,
    "metadata_created": Sort.CREATED,
    "title_string": Sort.TITLE,
    "title": Sort.TITLE,
    "name": Sort.TITLE,
    "id": Sort.CREATED,
    "views_recent": Sort.DOWNLOADS,
    "views_total": Sort.DOWNLOADS,
    "jl_value_score": Sort.VALUE,
    "jl_downloads": Sort.DOWNLOADS,
}
_PASSED_OVER = frozenset(
    {
        "qf", "defType", "mm", "tie", "bf", "boost", "df", "fl", "q.op", "wt", "hl", "facet.mincount",
        "facet.sort", "use_default_schema", "include_deleted", "extras", "callback",
        "include_tracking", "hl.fl", "echoParams",
    }
)  # fmt: skip
"""Parameters of Solr's or CKAN's own that change nothing here; any other unknown one is refused."""


def _texts(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class PackageSearch(Input):
    q: str = Field(default="", max_length=4000)
    fq: Annotated[list[str], BeforeValidator(_texts)] = Field(default_factory=list)
    fq_list: Annotated[list[str], BeforeValidator(_texts)] = Field(default_factory=list)
    sort: str = Field(default=DEFAULT_SORT, max_length=300)
    rows: Count = 10
    start: Count = 0
    facet: Flag = True
    facet_field: TextList = Field(default_factory=list, alias="facet.field")
    facet_limit: int = Field(default=50, alias="facet.limit", ge=-1)
    include_private: Flag = False
    include_drafts: Flag = False
    explain: Flag = False
    as_typed: Flag = False
    cursor: str | None = Field(default=None, max_length=80)
    ext_bbox: str = Field(default="", max_length=200)


def package_search(call: Call, given: PackageSearch) -> Raw:
    """Search for data sets.

    q: words, or Solr's field syntax; fq: filters (organization, groups, tags, res_format,
    license_id, name, id, jl_open_type, jl_share_type, jl_region, jl_update_frequency,
    metadata_modified and metadata_created as ranges); sort, rows (at most 1000), start;
    facet.field (a JSON list), facet.limit; include_private: with the caller's own drafts;
    cursor: walks everything that is found, deeper than start goes: begin with an empty one and go
    on with next_cursor until it is null; in the order of an unchanging key (no start, no sort).
    ext_bbox: west,south,east,north in degrees, for what lies there or reaches into it;
    as_typed: look for the words as they are, without corrections (see jl_correction of an answer);
    explain: with the parts of each score, and which words are found where.
    """
    _refuse_unknown(call)
    rows = min(given.rows, ROWS_MAX)
    fields = SearchFields(call.session, call.platform.clock)
    asked = fields.reader().read(given.q, [*given.fq, *given.fq_list])
    request = _request(asked, given, rows)
    private = given.include_private or given.include_drafts
    result = _search(call, request, private=private)
    labels = call.actor.labels if private else PUBLIC
    scores = explain_scores(call.session, request, result, labels) if given.explain else {}
    body: dict[str, Any] = {
        "count": result.total,
        "facets": {},
        "results": [orjson.Fragment(raw) for raw in _packages(call, result.hits, scores)],
        "sort": given.sort,
        "search_facets": {},
    }
    if result.correction is not None:
        body["jl_correction"] = {"typed": result.correction.typed, "used": result.correction.used}
    if given.cursor is not None:
        body["next_cursor"] = result.next_cursor
    for field in given.facet_field if given.facet else ():
        items = fields.facet_items(field, result.facets[FACET_FIELDS[field][0]])
        body["facets"][field] = {one["name"]: one["count"] for one in items}
        body["search_facets"][field] = {"title": field, "items": items}
    return Raw(orjson.dumps(body))


def _refuse_unknown(call: Call) -> None:
    known = {f.alias or name for name, f in PackageSearch.model_fields.items()}
    unknown = [
        key
        for key in call.data
        if key not in known and key not in _PASSED_OVER and not key.startswith(("ext_", "f."))
    ]
    if unknown:
        raise SearchQueryError(
            "不认识检索参数：{names}。", names="、".join(map(str, unknown))[:200]
        )


def _request(asked: ReadQuery, given: PackageSearch, rows: int) -> SearchRequest:
    limit = 100_000 if given.facet_limit < 0 else given.facet_limit
    facets = []
    for field in given.facet_field if given.facet else ():
        if field not in FACET_FIELDS:
            raise SearchQueryError("不能按字段“{field}”统计。", field=field[:80])
        facets.append(FacetAsk(FACET_FIELDS[field][0], limit))
    sort, descending = _sort(given.sort)
    return SearchRequest(
        words=" ".join(asked.words),
        strictly=asked.strictly,
        where=asked.where,
        question=asked.question,
        area=_area(given.ext_bbox),
        as_typed=given.as_typed,
        bare=not given.explain,
        sort=sort,
        descending=descending,
        start=given.start,
        rows=rows,
        after=_cursor(given, rows),
        facets=tuple(dict.fromkeys(facets)),
    )


def _area(text: str) -> Box | None:
    try:
        return read_box(text) if text.strip() else None
    except ValueError as error:
        raise SearchQueryError(
            "ext_bbox 须写成 西,南,东,北 四个经纬度（度），如 124.0,43.2,127.1,45.3。"
        ) from error


def _cursor(given: PackageSearch, rows: int) -> str | None:
    """Return the cursor to go on after; None where no walk is asked for."""
    if given.cursor is None:
        return None
    if given.start or not rows:
        raise SearchQueryError("用 cursor 遍历时不能再用 start，rows 至少为 1。")
    try:
        if given.cursor:
            read_cursor(given.cursor)
    except SearchRefused as error:
        raise SearchQueryError("游标 cursor 无效，请从空游标重新开始遍历。") from error
    return given.cursor


def _sort(text: str) -> tuple[Sort, bool]:
    """Return the order of the first key; the others decide ties, which are settled here already."""
    orders = []
    for part in text.split(","):
        words = part.split()
        if not words or len(words) > 2 or words[0] not in _SORTS:
            raise SearchQueryError("不能按“{sort}”排序。", sort=part.strip()[:80])
        direction = words[1].lower() if len(words) == 2 else "asc"
        if direction not in ("asc", "desc"):
            raise SearchQueryError("排序方向只能是 asc 或 desc：“{sort}”。", sort=part.strip()[:80])
        orders.append((_SORTS[words[0]], direction == "desc"))
    return orders[0]


def _search(call: Call, request: SearchRequest, *, private: bool) -> SearchResult:
    actor = call.actor if private else ANONYMOUS
    if request.start + request.rows <= DEEPEST:
        return search_catalogue(
            call.session, call.platform.engine, request, actor, include_private=private
        )
    first = replace(request, start=0, rows=0)
    counted = search_catalogue(
        call.session, call.platform.engine, first, actor, include_private=private
    )
    if request.start >= counted.total:
        return counted
    return replace(counted, hits=_deep(call, request))


def _deep(call: Call, request: SearchRequest) -> tuple[SearchHit, ...]:
    """Page through the whole public catalogue out of the database, deeper than an engine goes.

    Raises:
        SearchQueryError: the search is narrowed; then its first pages are what it is for.
    """
    narrowed = (request.words, request.where, request.question, request.area)
    columns = {
        Sort.MODIFIED: CatalogueEntry.metadata_modified_at,
        Sort.CREATED: func.coalesce(CatalogueEntry.issued_at, CatalogueEntry.created_at),
    }
    if any(narrowed) or request.sort not in columns:
        raise SearchQueryError(
            "翻页太深：start + rows 最多{n}。请缩小范围，或从空的 cursor 开始遍历。",
            n=DEEPEST,
        )
    column = columns[request.sort]
    order = column.desc() if request.descending else column.asc()
    ids = call.session.scalars(
        select(CatalogueEntry.id)
        .where(
            CatalogueEntry.published_version_id.is_not(None), CatalogueEntry.retired_at.is_(None)
        )
        .order_by(order, CatalogueEntry.code.asc())
        .offset(request.start)
        .limit(request.rows)
    )
    return tuple(SearchHit(id=one, code="", score=0.0, stored={}) for one in ids)


def _packages(
    call: Call, hits: Sequence[SearchHit], scores: Mapping[int, Mapping[str, Any]]
) -> list[bytes]:
    """Return the hits' packages, out of the kept documents by one query for all."""
    site_url = call.platform.settings.site_url
    packages = []
    for entry_id, kept in kept_packages(call.session, [hit.id for hit in hits]).items():
        raw = with_site(kept, site_url)
        if entry_id in scores:
            raw = raw[:-1] + b',"jl_score":' + orjson.dumps(scores[entry_id]) + b"}"
        packages.append(raw)
    return packages


ACTIONS = (
    Action("package_search", Access.PUBLIC, package_search, PackageSearch),
    Action("dataset_search", Access.PUBLIC, package_search, PackageSearch),
)
