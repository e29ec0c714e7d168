"""The search page where few data sets match every word: the others follow, and it says so."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.portal.web.conftest import Site

SAID = "与全部检索词相符的有1个，排在最前"


def test_those_that_match_some_words_follow_and_the_page_says_so(
    site: Site, visitor: FlaskClient
) -> None:
    site.opened(title="长春市公交线路")
    site.opened(title="吉林市公交线路")
    page = visitor.get("/dataset?q=长春市 公交").text
    assert SAID in page
    assert page.index("长春市公交线路") < page.index("吉林市公交线路")


def test_in_another_order_only_those_that_match_every_word_are_shown(
    site: Site, visitor: FlaskClient
) -> None:
    site.opened(title="长春市公交线路")
    site.opened(title="吉林市公交线路")
    page = visitor.get("/dataset?q=长春市 公交&sort=title").text
    assert "与全部检索词相符的有" not in page
    assert "吉林市公交线路" not in page
