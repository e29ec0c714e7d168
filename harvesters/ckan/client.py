"""Reading every package of a CKAN while its catalogue goes on changing.

The pages are sorted by (metadata_modified, id), oldest first. In this order a new or edited
package goes to the end, where we meet it later, and an edited or deleted one lets all behind it
move forward by one place, so that the next page would leave one out. Therefore each page begins
with the last package of the page before. If it does not begin with one that we know in that very
state, something moved: we step back until it does; nothing unknown can stand before a known,
unchanged package. Packages are kept by id, so that none is given twice. Where a server refuses
the order, a weaker one is taken, and passes are repeated until as many packages are known as the
server counts.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import requests
from ckanapi import RemoteCKAN
from ckanapi.errors import (
    CKANAPIError,
    NotAuthorized,
    NotFound,
    SearchError,
    SearchQueryError,
    ServerIncompatibleError,
    ValidationError,
)

from harvesters.json_weight import check_json
from harvesters.patience import AnswerTooLarge, Patience, patient_get
from harvesters.plain_text import text_of_bytes
from harvesters.record import FaultyRecord, SourceFailed, SourceSettings

SORTS = ("metadata_modified asc, id asc", "metadata_modified asc", "id asc", "name asc", "")
PASSES = 3
MAX_PAGE_BYTES = 12_000_000
_BESIDE = re.compile(r"/(api(/\d)?(/action(/\w*)?)?|dataset)/?$")
"""What people copy after the address of a portal: of its API, or of its list of data sets."""


def gather_packages(
    settings: SourceSettings, http: requests.Session, patience: Patience
) -> Iterator[tuple[str, Any]]:
    """Yield (place, package) once for each package; places are "result[N]", from 0.

    A second package with the same id in one page comes as a `FaultyRecord`.

    Raises:
        SourceFailed: no complete answer; what was yielded before is right but not everything.
    """
    yield from _Walk(_PatientCKAN(settings, http, patience), settings).packages()


class _Refused(Exception):
    """The server does not accept the query, perhaps because of the order asked for."""


class _PatientCKAN(RemoteCKAN):  # type: ignore[misc]
    """ckanapi with GET only (its POST does not follow redirects) and our way of asking again."""

    def __init__(
        self, settings: SourceSettings, http: requests.Session, patience: Patience
    ) -> None:
        super().__init__(
            _BESIDE.sub("", settings.url.partition("?")[0].rstrip("/")),
            apikey=settings.options.get("apikey") or None,
            user_agent=str(http.headers.get("User-Agent") or "xiangyun"),
            get_only=True,
            session=http,
        )
        self._patience = patience

    def _request_fn_get(
        self, url: str, data_dict: Any, headers: dict[str, str], requests_kwargs: Any
    ) -> tuple[int, str]:
        headers.pop("Content-Type", None)  # there is no body
        response = patient_get(
            self.session,
            url,
            self._patience,
            params=data_dict,
            headers=headers,
            max_bytes=MAX_PAGE_BYTES,
        )
        body = response.content.strip()
        if not body:
            raise SourceFailed(f"来源的应答是空的（HTTP {response.status_code}）。")
        if body.startswith(b"<"):
            raise SourceFailed(_web_page(response.status_code))
        check_json(body)
        return response.status_code, text_of_bytes(body)

    def search(self, query: Mapping[str, str]) -> _Page:
        try:
            return _Page.of(self.call_action("package_search", dict(query)))
        except (SearchQueryError, SearchError, ValidationError) as error:
            raise _Refused(str(error)) from error
        except NotAuthorized as error:
            raise SourceFailed("来源拒绝访问：请检查该来源的 API 密钥。") from error
        except NotFound as error:
            raise SourceFailed("该地址没有 CKAN 的检索接口。") from error
        except (CKANAPIError, ServerIncompatibleError, KeyError) as error:
            raise SourceFailed(_in_words(error)) from error


def _web_page(status: int) -> str:
    said = f"来源返回的是网页，不是数据（HTTP {status}）。"
    if status in (401, 403):
        return said + "来源拒绝访问：请检查该来源的 API 密钥，或请来源放行本平台。"
    return said + "请填写 CKAN 门户的首页地址，如 https://data.example.cn。"


def _in_words(error: Exception) -> str:
    """Return what the server said; ckanapi gives the text of [address, status, body]."""
    status, body = "", str(error)
    with suppress(ValueError, SyntaxError, TypeError):
        _, status, body = ast.literal_eval(str(error))
    try:
        said = json.loads(body)
    except (TypeError, ValueError):
        return f"来源的应答不是有效的 CKAN 数据，可能被截断（HTTP {status or '未知'}）：{str(body)[:200]}"
    told = said.get("error") if isinstance(said, Mapping) else None
    words = told.get("message") if isinstance(told, Mapping) else told
    if words:
        return f"来源报告出错（HTTP {status}）：{str(words)[:300]}"
    return f"来源的应答不是 CKAN 的格式（HTTP {status}），请核对地址和采集方式：{str(body)[:200]}"


@dataclass(frozen=True)
class _Page:
    count: int
    results: list[Any]

    @classmethod
    def of(cls, result: Any) -> _Page:
        if isinstance(result, Mapping):
            count, results = result.get("count"), result.get("results")
            if isinstance(count, str) and count.isascii() and count.isdigit():
                count = int(count[:9])
            if isinstance(count, int) and count >= 0 and isinstance(results, list):
                return cls(count, results)
        raise SourceFailed("来源的检索结果缺少 count 或 results。")


class _Walk:
    """One reading of the source: what is known so far, and where the next page begins."""

    def __init__(self, ckan: _PatientCKAN, settings: SourceSettings) -> None:
        self._ckan = ckan
        self._query = _base_query(settings)
        self._may_be_empty = bool(settings.options.get("allow_empty"))
        self._sort = SORTS[0]
        self._known: set[str] = set()  # ids
        self._states: set[str] = set()  # ids with their time of change
        self._count: int | None = None
        self._is_disturbed = False

    def packages(self) -> Iterator[tuple[str, Any]]:
        self._choose_sort()
        try:
            for _ in range(PASSES):
                yield from self._one_pass()
                if len(self._known) >= (self._count or 0):
                    break
        except _Refused as error:
            raise SourceFailed(f"来源中途不再接受检索请求：{str(error)[:200]}") from error
        self._check_totals()

    def _choose_sort(self) -> None:
        refusal = ""
        for self._sort in SORTS:
            try:
                self._page(0, rows=1)
                return
            except _Refused as error:
                refusal = str(error)
        raise SourceFailed(f"来源不接受检索请求：{refusal[:200]}")

    def _one_pass(self) -> Iterator[tuple[str, Any]]:
        start, asked, step = 0, 0, 1
        while True:
            page = self._page(start)
            asked += 1
            step = max(step, len(page.results) - 1)
            if asked > 10 + 3 * (page.count // step + 1):
                return  # it changes faster than we read, or pays no heed to `start`
            if page.results and start > 0 and _state(page.results[0]) not in self._states:
                self._is_disturbed = True
                start = max(0, start - step)
                continue
            yield from self._new_ones(start, page)
            if not page.results or start + len(page.results) >= page.count:
                return
            start += max(1, len(page.results) - 1)

    def _new_ones(self, start: int, page: _Page) -> Iterator[tuple[str, Any]]:
        in_this_page: set[str] = set()
        for offset, package in enumerate(page.results):
            place, key = f"result[{start + offset}]", _key(package)
            self._states.add(_state(package))
            if key in in_this_page:
                key += " (again)"
                package = FaultyRecord(place, _key(package), "来源中有两条记录使用同一个 id。")
            in_this_page.add(key)
            if key not in self._known:
                self._known.add(key)
                yield place, package

    def _page(self, start: int, rows: int | None = None) -> _Page:
        query = {**self._query, "start": str(start)}
        if self._sort:
            query["sort"] = self._sort
        if rows is not None:
            query["rows"] = str(rows)
        page = self._fitting_page(query)
        if self._count not in (None, page.count):
            self._is_disturbed = True
        self._count = page.count
        return page

    def _fitting_page(self, query: dict[str, str]) -> _Page:
        """Return the page, or a smaller one where packages are so large that it is too much."""
        while True:
            try:
                return self._ckan.search(query)
            except AnswerTooLarge:
                rows = int(query["rows"]) // 2
                if rows < 2:
                    raise
                query["rows"] = self._query["rows"] = str(rows)

    def _check_totals(self) -> None:
        known, count = len(self._known), self._count or 0
        if known < count or (known != count and not self._is_disturbed):
            raise SourceFailed(f"来源称有 {count} 条记录，实际取得 {known} 条，未作任何处理。")
        if known == 0 and not self._may_be_empty:
            raise SourceFailed("来源没有给出任何记录；空的目录不作为依据。")


def _base_query(settings: SourceSettings) -> dict[str, str]:
    query = {"q": "*:*", "rows": str(max(2, settings.page_size))}
    filters = [str(settings.options.get("fq") or "")]
    since = settings.options.get("modified_since")
    if since:
        filters.append(f"metadata_modified:[{since} TO *]")
    if any(filters):
        query["fq"] = " ".join(filter(None, filters))
    return query


def _key(package: Any) -> str:
    if isinstance(package, Mapping) and package.get("id"):
        return str(package["id"])
    return json.dumps(package, sort_keys=True, ensure_ascii=False)


def _state(package: Any) -> str:
    changed = package.get("metadata_modified") if isinstance(package, Mapping) else ""
    return f"{_key(package)} {changed}"
