"""The Bureau's overview and the numbers above the work list: each is what its link then lists."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

import pytest

from tests.factories import Catalogue, People, conditional_content, content
from tests.portal.web.work.conftest import Browser, Office, text_of

ROWS = b"stop,name\n000001,a\n000002,b\n"


@pytest.fixture
def filled(office: Office) -> Office:
    """Two agencies' data in different states."""

    def make(catalogue: Catalogue, people: People) -> None:
        catalogue.planned(content(title="计划开放的站点"))
        catalogue.published(conditional_content(title="公交到站预测", theme="transport"))
        place = catalogue.planned(content(title="已开放的站点"))
        catalogue.file(place.entry, ROWS, "stops.csv")
        catalogue.open_list.publish(people.agency_reviewer, place)
        catalogue.draft(content(title="没有公开的草稿"))

    office.made(make)
    return office


def links_of(page: str) -> list[tuple[int, str]]:
    """Return (number, address) of every linked number of the page's tables."""
    found = re.findall(r'<a href="(/work/entries\?[^"]*)">([\d,]+)</a>', page)
    return [(int(number.replace(",", "")), unescape(address)) for address, number in found]


@pytest.mark.parametrize("by", ["organisation", "city", "theme"])
def test_each_number_is_what_its_link_lists(filled: Office, bureau: Browser, by: str) -> None:
    links = links_of(bureau.get(f"/work/overview?by={by}").text)
    assert len(links) >= 6
    for number, address in links:
        assert f"共 {number} 条" in text_of(bureau.get(address)), address


def test_the_csv_has_the_same_rows(filled: Office, bureau: Browser) -> None:
    answer = bureau.get("/work/overview.csv?by=theme")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0][:3] == ["代码", "名称", "公开的数据集"]
    assert ["transport", "交通运输", "3", "1"] in [row[:4] for row in rows]


def test_the_overview_is_for_the_bureau(filled: Office, bureau: Browser, editor: Browser) -> None:
    editor.get("/work/overview", 403)
    editor.get("/work/overview.csv", 403)
    bureau.get("/work/overview?by=nothing", 404)
    assert 'href="/work/overview"' in bureau.get("/work").text
    assert 'href="/work/overview"' not in editor.get("/work").text


def test_an_empty_catalogue_has_an_overview(bureau: Browser) -> None:
    assert "一年来增加 0 个数据集" in text_of(bureau.get("/work/overview"))


def test_the_work_list_begins_with_the_numbers_of_the_agency(
    filled: Office, editor: Browser
) -> None:
    page = text_of(editor.get("/work"))
    assert "1 草稿" in page
    assert "3 公开的数据集" in page
    assert "近30天下载（前30天 0）" in page
    assert "共 1 条" in text_of(editor.get("/work/entries?state=draft"))
    assert "共 3 条" in text_of(editor.get("/work/entries?public=yes"))


def test_each_number_of_deadlines_is_what_its_link_lists(filled: Office, bureau: Browser) -> None:
    page = bureau.get("/work/overview?by=city").text
    found = re.findall(r'<a href="(/work/duties/deadlines[^"]*)">(?:按时|逾期) (\d+)</a>', page)
    assert found
    for address, number in found:
        assert f"共 {number} 项" in text_of(bureau.get(unescape(address)))
    ours = text_of(bureau.get("/work/duties/deadlines?outcome=met&organisation=JL-TRA"))
    assert "已开放的站点" in ours
    own = text_of(bureau.get("/work/duties/deadlines?outcome=met&organisation=JL-BUR"))
    assert "公共数据目录" in own  # the Bureau's reviews are counted as its own
    theirs = text_of(bureau.get("/work/duties/deadlines?outcome=met&organisation=JL-HEA"))
    assert "没有期限" in theirs


def test_the_deadlines_are_for_the_bureau(editor: Browser) -> None:
    editor.get("/work/duties/deadlines", 403)
