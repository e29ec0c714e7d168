"""Whatever stands in an address, a result page answers or says what is wrong, and quickly."""

from __future__ import annotations

import time

from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.portal.web.conftest import Site

NASTY = st.sampled_from(
    ["\0", "\u202e公交\u202c", "\u200f", "'; DROP TABLE catalogue_entry;--", "title:(a OR", "((((", '"',
     "(a+)+$", "*", "?", "公交 AND", "${jndi:ldap://x}", "{{7*7}}", "<script>alert(1)</script>",
     "../../etc/passwd", "%00", "\\", "1e999", "-1", "nan", "公" * 300, "😀" * 100, "ﷺ" * 50,
     "\ufeff", "a\u0301" * 90, "220100", "NaN,NaN,NaN,NaN", "0,0,1,1", "2026-11-24"]
)  # fmt: skip
VALUES = st.one_of(NASTY, st.text(max_size=30))
NAMES = st.sampled_from(
    ["q", "theme", "region", "organisation", "format", "tags", "sort", "page", "since", "until",
     "bbox", "west", "south", "east", "north", "as_typed", "explain", "licence", "state"]
)  # fmt: skip


def test_no_address_breaks_the_page(site: Site, visitor: FlaskClient) -> None:
    site.opened(title="长春市公交线路")

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(st.lists(st.tuples(NAMES, VALUES), max_size=5))
    @example([("q", "(a+)+$" * 40), ("explain", "1")])
    @example([("tags", f"词{n}") for n in range(1_000)])
    @example([("q", "公" * 10_000)])
    @example([("q", "(" * 500 + "公交" + ")" * 500)])
    @example([("region", "220100\0"), ("region", "\u202e")])
    def run(pairs: list[tuple[str, str]]) -> None:
        query: dict[str, list[str]] = {}
        for name, value in pairs:
            query.setdefault(name, []).append(value)
        answer = visitor.get("/dataset", query_string=query)
        assert answer.status_code in (200, 400, 404, 422), (pairs, answer.status_code)
        assert "<script>alert" not in answer.text
        if "q" in query:
            suggested = visitor.get("/search/suggest", query_string={"q": query["q"]})
            assert suggested.status_code == 200

    run()


def test_broken_bytes_in_an_address_are_text(site: Site, visitor: FlaskClient) -> None:
    for raw in ("%ED%A0%80", "%FF%FE", "%C0%80", "%F4%90%80%80", "%E5%85"):
        for path in (f"/dataset?q={raw}", f"/dataset?tags={raw}", f"/search/suggest?q={raw}",
                     f"/api/3/action/package_search?q={raw}", f"/api/3/action/package_search?fq=tags:{raw}"):  # fmt: skip
            assert visitor.get(path).status_code in (200, 400), path


def test_the_longest_query_answers_at_once(site: Site, visitor: FlaskClient) -> None:
    site.opened(title="长春市公交线路")
    visitor.get("/dataset?q=公交")  # whatever is loaded at the first search
    started = time.process_time()
    for words in ("公" * 10_000, "a-" * 5_000, "ab " * 3_000, "(a+)+$" * 1_000):
        assert visitor.get("/dataset", query_string={"q": words}).status_code == 200
    assert time.process_time() - started < 4, "none of them runs away"
