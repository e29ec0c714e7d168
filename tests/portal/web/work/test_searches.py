"""The Bureau's page of what people search for."""

from __future__ import annotations

import csv
import io

import pytest

from tests.portal.web.work.conftest import Office


@pytest.fixture
def office_with_searches(office: Office) -> Office:
    counts = office.platform.searches
    for visitor in "ab":
        counts.note("学区 划片", "none", visitor)
    counts.note("=1+1", "none", "a")
    counts.note("gongjiao", "part", "a")
    counts.note("公交", "found", "a")
    counts.flush()
    return office


def test_the_bureau_sees_what_finds_nothing_first(office_with_searches: Office) -> None:
    browser = office_with_searches.browser("bureau_reviewer", "JL-BUR")
    page = browser.get("/work/searches").text
    assert "学区 划片" in page
    assert "公交" not in page.split("<table")[1]
    assert "/work/searches" in browser.get("/work").text
    assert "公交" in browser.get("/work/searches?outcome=found&days=7").text
    assert "gongjiao" in browser.get("/work/searches?outcome=part").text


def test_the_table_is_a_file_too_and_no_cell_is_a_formula(office_with_searches: Office) -> None:
    answer = office_with_searches.browser("bureau_reviewer", "JL-BUR").get("/work/searches.csv")
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert rows[0] == ["检索词", "次数", "访客", "天数", "最近一天"]
    assert [row[0] for row in rows[1:]] == ["学区 划片", "'=1+1"]
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("path", ["/work/searches", "/work/searches.csv"])
def test_nobody_else_sees_it(office_with_searches: Office, path: str) -> None:
    editor = office_with_searches.browser("agency_editor")
    assert editor.client.get(path).status_code == 403
    assert "/work/searches" not in editor.get("/work").text
    assert office_with_searches.app.test_client().get(path).status_code in (302, 401)


@pytest.mark.parametrize("query", ["outcome=all", "days=1e9", "days=", "page=0"])
def test_a_wrong_choice_is_named(office_with_searches: Office, query: str) -> None:
    browser = office_with_searches.browser("bureau_reviewer", "JL-BUR")
    answer = browser.client.get(f"/work/searches?{query}")
    assert answer.status_code == 422
