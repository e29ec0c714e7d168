"""`q` and `fq` of CKAN's clients: what each way of asking finds, and that nothing breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from portal.api.errors import SearchQueryError
from portal.api.package_query import MOST_CONDITIONS, QueryReader
from portal.api.query_syntax import has_fields
from search.engine import SearchEngine
from search.engines import open_engine
from search.request import FacetAsk, SearchRequest
from tests.search.conftest import ENGINES
from tests.search.documents import PUBLIC, catalogue

READER = QueryReader(
    facets={
        "groups": ("theme", list),
        "tags": ("tags", list),
        "res_format": ("format", lambda values: [value.lower() for value in values]),
        "jl_open_type": ("open_type", list),
    },
    names=lambda values: [f"220000-{int(v):05}" for v in values if v.isdigit()],
    now=datetime(2026, 11, 24, tzinfo=UTC),
)


@pytest.fixture(scope="module", params=ENGINES)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SearchEngine]:
    """The small catalogue in each engine, only read here."""
    folder: Path = tmp_path_factory.mktemp("index")
    url = ""
    if request.param == "elasticsearch":
        url = request.getfixturevalue("elasticsearch_url")
    with closing(open_engine(url, folder, index="package-query")) as opened:
        opened.rebuild(catalogue())
        yield opened


def asked(q: str = "", *fq: str) -> SearchRequest:
    read = READER.read(q, fq)
    return SearchRequest(
        words=" ".join(read.words),
        strictly=read.strictly,
        where=read.where,
        question=read.question,
        rows=100,
    )


def found(engine: SearchEngine, q: str = "", *fq: str) -> set[int]:
    return {hit.id for hit in engine.search(asked(q, *fq), PUBLIC).hits}


ALL = {1, 2, 3, 4, 5, 6, 7}
TRANSPORT = {1, 3}


@pytest.mark.parametrize(
    ("fq", "expected"),
    [
        ("groups:transport", TRANSPORT),
        ('groups:"transport"', TRANSPORT),
        ("groups:transport^4", TRANSPORT),
        ("groups:transport OR res_format:xlsx", {1, 2, 3}),
        ("groups:transport || res_format:xlsx", {1, 2, 3}),
        ("groups:transport && res_format:JSON", {1}),
        ("groups:(transport OR social) AND NOT res_format:json", {2, 3}),
        ("NOT (groups:transport OR (res_format:json AND NOT groups:weather))", {2, 5, 6, 7}),
        ("-groups:transport", ALL - TRANSPORT),
        ("!groups:transport", ALL - TRANSPORT),
        ("+groups:transport -res_format:json", {3}),
        ("*:* -groups:transport", ALL - TRANSPORT),
        ("-*:*", set()),
        ("tags:公*", {1}),
        ("tags:*", {1}),
        ("-tags:*", ALL - {1}),
        ("tags:[* TO *]", {1}),
        ("tags:(公交 AND 线路)", {1}),
        ("tags:(公交 -线路)", set()),
        ("title:公交", {1, 3}),
        ("title:公交 OR notes:家庭", {1, 3}),
        ('notes:"最低生活保障"', {2}),
        ("title:hour*", {5}),
        ("text:公交 OR text:床位", {1, 3, 4}),
        ("text:hour*", {5}),
        ("name:changchun-bus-stops OR id:2", {1, 2}),
        ("name:changchun-*", {1}),
        ("name:*", ALL),
        ("id:(1 OR 2 OR 3) AND NOT id:2", {3}),
        ("id:none", set()),
        ("dataset_type:dataset", ALL),
        ("-dataset_type:dataset", set()),
        ("dataset_type:showcase OR groups:social", {2}),
        ("metadata_modified:[2026-01-07T00:00:00Z TO *]", {1, 4}),
        ("metadata_modified:{2026-01-08T00:00:00Z TO 2026-01-10T00:00:00Z]", {1}),
        ("metadata_modified:>=2026-01-07", {1, 4}),
        ("NOT metadata_modified:[2026-01-07T00:00:00Z TO NOW]", ALL - {1, 4}),
        ("(groups:social AND metadata_modified:[* TO 2026-01-07]) OR tags:线路", {1, 2}),
        ("tags:a:b", set()),
        ("  ", ALL),
    ],
)
def test_what_a_filter_finds(engine: SearchEngine, fq: str, expected: set[int]) -> None:
    assert found(engine, "", fq) == expected


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("公交", {1, 3}),
        ("公交 AND 线路", {1}),
        ("公交 OR 床位", {1, 3, 4}),
        ("公交 NOT 线路", {3}),
        ("公交 -线路", {3}),
        ('"公交站点"', {1, 3}),
        ("+公交 +线路", {1}),
        ("公交 groups:transport", {1, 3}),
        ("公交 OR groups:social", {1, 2, 3}),
        ("(公交 AND 线路) OR (床位 AND jl_open_type:conditional)", {1, 4}),
        ("title:公交站点 -tags:线路", {3}),
        ("公交^3 线路~2", {1}),
        ("text:公交", {1, 3}),
        ("hour*", {5}),
        ("*", ALL),
        ("*:*", ALL),
    ],
)
def test_what_words_and_fields_find(engine: SearchEngine, q: str, expected: set[int]) -> None:
    assert found(engine, q) == expected


@pytest.mark.parametrize(
    "q",
    ["公交：线路", "公交: 线路", "公交 http://x.cn", "12:30 公交", "AI: 公交", "a::b", "公交 (", '公交"',
     "公交 :)", "C++ 公交", "公交/地铁", "~", "OR", "AND AND"],
)  # fmt: skip
def test_what_only_looks_like_syntax_is_text(engine: SearchEngine, q: str) -> None:
    assert READER.read(q, ()).words == [q]
    engine.search(asked(q), PUBLIC)


def test_a_colon_after_a_plain_word_names_a_field() -> None:
    known = frozenset({"groups"})
    assert has_fields("colour:red", known)
    assert has_fields("groups: transport", known)
    assert not has_fields("colour: red", known)
    assert not has_fields('"colour:red"', known)


@pytest.mark.parametrize(
    ("fq", "words"),
    [
        ("colour:red", "不认识检索字段“colour”（第1个字符处）"),
        ("groups:a AND (tags:b OR colour:red)", "第25个字符"),
        ("groups:a OR) tags:b", "第12个字符"),
        ("groups:a OR", "没有写完"),
        ("red", "缺少字段名"),
        ("tags:(a OR groups:b)", "不支持"),
        ("tags:/a.*/", "不支持"),
        ("tags:w*t", "只能放在末尾"),
        ("tags:w?t", "只能放在末尾"),
        ("id:1*", "不支持通配符"),
        ("groups:[a TO b]", "不支持范围"),
        ("metadata_modified:yesterday", "须写成范围"),
        ("metadata_modified:[then TO now]", "时间写法不对"),
        ("metadata_modified:[NOW+999999999DAYS TO *]", "时间写法不对"),
        ("(" * 500 + "tags:a" + ")" * 500, "嵌套太深"),
        ("tags:" + "(a OR (b AND " * 20 + "c" + "))" * 20, "嵌套太深"),
        ("NOT " * 900 + "tags:a", "嵌套太深"),
        ("tags:" + "a" * 5000, "最多4000个字符"),
    ],
)
def test_what_is_refused_and_where(fq: str, words: str) -> None:
    with pytest.raises(SearchQueryError) as refused:
        READER.read("", [fq])
    assert words in str(refused.value.message).format(**refused.value.params)


def test_a_thousand_filters_answer_and_more_are_refused(engine: SearchEngine) -> None:
    many = ["-tags:a"] * (MOST_CONDITIONS // 2)
    assert found(engine, "", *many) == ALL
    assert found(engine, "", "groups:(" + " OR ".join(f"t{n}" for n in range(400)) + ")") == set()
    with pytest.raises(SearchQueryError, match=str(MOST_CONDITIONS)) as refused:
        READER.read("", [*many, *many, *many])
    assert refused.value.params == {"n": MOST_CONDITIONS}


def test_counts_are_those_of_the_answer(engine: SearchEngine) -> None:
    request = asked("", "groups:transport OR groups:social")
    counted = engine.search(
        SearchRequest(where=request.where, facets=(FacetAsk("theme"),)), PUBLIC
    ).facets["theme"]
    assert {one.code: one.count for one in counted} == {"transport": 2, "social": 1}


BITS = st.sampled_from(
    ["groups:", "tags:", "title:", "text:", "name:", "id:", "metadata_modified:", "colour:", "*:*",
     "(", ")", "[", "]", "{", "}", '"', " AND ", " OR ", " NOT ", " TO ", "-", "+", "!", "*", "?",
     "~2", "^3", "\\", "/", ":", "&&", "||", ">=", "<", "NOW", "2026-01-01", "NOW/DAY-1YEAR",
     "公交", "transport", "'; DROP TABLE entry;--", "\0", "\ud800", "\u202e", "\u200f", "(a+)+$",
     "{!func}1", "${jndi:x}", "%00", " ", "　", "😀", "_query_:", "1e999"]
)  # fmt: skip
QUERIES = st.one_of(st.text(max_size=60), st.lists(BITS, max_size=14).map("".join))


def _run(engine: SearchEngine, examples: int) -> Callable[[], None]:
    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(QUERIES, QUERIES)
    @example("公" * 10_000, "tags:a")
    @example("(a+)+" * 50, "tags:(((a")
    def run(q: str, fq: str) -> None:
        try:
            request = asked(q, fq)
        except SearchQueryError:
            return
        result = engine.search(request, PUBLIC)
        assert len(result.hits) <= min(result.total, request.rows)

    return run


def test_nothing_that_is_typed_breaks_the_search(
    engine: SearchEngine, request: pytest.FixtureRequest
) -> None:
    _run(engine, 300 if "tantivy" in request.node.name else 60)()
