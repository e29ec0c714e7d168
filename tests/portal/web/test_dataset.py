"""The page of one data set."""

from __future__ import annotations

import json
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.models.entry import get_entry
from portal.models.former_slug import FormerSlug, remember_slug
from tests.factories import Catalogue, People
from tests.portal.web.conftest import Site
from tests.portal.web.markup import active_parts, links

XSS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[点我](javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](https://evil.example/x.png)",
    "<iframe src=//evil.example></iframe>",
    "<style>*{display:none}</style>",
    "</script><script>alert(1)</script>",
    "{{ 7*7 }}",
    "<b onmouseover=alert(1) style=position:fixed>",
)


def test_it_shows_what_the_visitor_came_for(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    page = visitor.get(f"/dataset/{slug}")
    assert page.status_code == 200
    head, body = page.text.split('<nav class="tabs"')
    assert "无条件开放" in head
    assert "吉林省交通运输厅" in head
    assert "下载 CSV" in " ".join(head.split())
    for anchor in ("preview", "items", "files", "notes", "changes"):
        assert f'href="#{anchor}"' in body
        assert f'id="{anchor}"' in body
    assert "共 60 行、4 列" in body
    assert "[DS/OL]" in body
    assert "@dataset{" in body
    assert "发布目录" in body
    assert "向公众开放" in body


def test_key_may_be_the_code_or_the_public_id(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    package = json.loads(
        re.findall(r"ld\+json[^>]*>(.*?)</script>", visitor.get(f"/dataset/{slug}").text)[0]
    )
    assert package["@type"] == "Dataset"
    assert package["identifier"]
    assert package["distribution"][0]["contentUrl"].endswith(".csv")
    assert visitor.get(f"/dataset/{slug}?x=1").status_code == 200


@pytest.mark.parametrize("text", XSS)
def test_nothing_a_user_wrote_runs(site: Site, visitor: FlaskClient, text: str) -> None:
    rows = f'名称,备注\n"{text.replace(chr(34), chr(34) * 2)}",a\nb,c\n'
    slug = site.opened(
        rows.encode(),
        f"{text.replace('/', '_')}.csv",
        title=f"标题{text}",
        abstract=f"全省公共汽电车线路和站点的说明，供公众查询使用。\n\n{text}",
    )
    for path in (f"/dataset/{slug}", "/dataset?q=标题", "/", "/organisation/jl-tra"):
        page = visitor.get(path)
        assert page.status_code == 200
        assert active_parts(page.text) == [], path
        assert "标题49" not in page.text


def test_the_policy_lets_nothing_foreign_run(site: Site, visitor: FlaskClient) -> None:
    policy = visitor.get(f"/dataset/{site.opened()}").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_preview_sorts_filters_searches_and_pages(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    names = [column.field_name for column in site.files(slug)[0].table.columns]  # type: ignore[union-attr]
    code, name, passengers, since = names

    def rows(query: str) -> list[str]:
        body = visitor.get(f"/dataset/{slug}?{query}").text.split("<tbody>")[1].split("</tbody>")[0]
        return re.findall(r"<tr><td>(\d{6})</td>", body)

    assert rows("")[0] == "000001"
    assert rows("rows=3") == [f"{n:06d}" for n in range(41, 61)]
    assert rows(f"by=-{passengers}")[0] == "000060"
    assert rows(f"f.{code}=000007") == ["000007"]
    assert rows(f"f.{passengers}=>=590") == ["000059", "000060"]
    assert rows(f"f.{passengers}=20..40") == ["000002", "000003", "000004"]
    assert rows(f"f.{since}=2025-02-01..2025-02-01&rows=1")[0] == "000001"
    assert rows(f"f.{name}=第12站") == ["000012"]
    assert rows(f"f.{name}=%3D第1站") == ["000001"]
    assert rows("tq=第33站") == ["000033"]


def test_preview_links_carry_the_filters(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    page = visitor.get(f"/dataset/{slug}?tq=站&by=-x_nothing").text
    assert "没有名为" in page
    page = visitor.get(f"/dataset/{slug}?tq=站").text
    exports = [link.href for link in links(page) if "/export?" in link.href and "tq=" in link.href]
    assert len(exports) == 8
    following = next(link for link in links(page) if link.text == "下一页")
    assert "tq=" in following.href
    assert "rows=2" in following.href


def test_a_faulty_filter_says_what_is_expected(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    table = site.files(slug)[0].table
    assert table is not None
    page = visitor.get(f"/dataset/{slug}?f.{table.columns[2].field_name}=很多")
    assert page.status_code == 200
    assert "应为整数，如 12" in page.text
    assert 'value="很多"' in page.text


@pytest.mark.parametrize("number", ["-1", "1000000000", "abc"])
def test_a_bad_preview_page_gets_a_clear_message(
    site: Site, visitor: FlaskClient, number: str
) -> None:
    answer = visitor.get(f"/dataset/{site.opened()}?rows={number}")
    assert answer.status_code == 422
    assert "页码" in answer.text


def test_conditional_data_shows_no_rows(site: Site, visitor: FlaskClient) -> None:
    page = visitor.get(f"/dataset/{site.conditional()}").text
    assert "有条件开放" in page
    assert "第1站" not in page
    assert 'id="preview"' not in page
    assert "/download/" not in page


def test_a_retired_entry_is_gone_and_says_why(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(title="旧公交数据")
    assert visitor.get(f"/dataset/{slug}").status_code == 200
    site.retire(slug, "并入新的目录")
    answer = visitor.get(f"/dataset/{slug}")
    assert answer.status_code == 410
    assert "旧公交数据" in answer.text
    assert "并入新的目录" in answer.text


def test_a_draft_is_seen_by_its_organisation_only(site: Site, visitor: FlaskClient) -> None:
    def draft(session, catalogue, people):  # type: ignore[no-untyped-def]
        version = catalogue.draft()
        return version.entry.slug, people.account("agency_editor", "JL-TRA").username

    slug, username = site.change(draft)
    assert visitor.get(f"/dataset/{slug}").status_code == 404
    sign_in(visitor, username)
    page = visitor.get(f"/dataset/{slug}")
    assert page.status_code == 200
    assert "未公开" in page.text
    assert "ld+json" not in page.text


def sign_in(client: FlaskClient, username: str) -> None:
    from tests.factories import PASSWORD

    token = re.findall(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)[0]
    answer = client.post(
        "/login", data={"username": username, "password": PASSWORD, "csrf_token": token}
    )
    assert answer.status_code == 302


def test_a_change_is_on_the_page_at_once(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    assert "第 2 版" not in visitor.get(f"/dataset/{slug}").text

    def deliver(session, catalogue, people):  # type: ignore[no-untyped-def]
        from io import BytesIO

        from portal.models.distribution import get_distribution
        from portal.services.distributions import Upload

        file = get_distribution(session, site.files(slug)[0].public_id)
        stored = site.platform.storage.put(BytesIO("编码,名称\n1,新\n2,旧\n".encode()))
        catalogue.distributions.deliver(people.editor, file, Upload(stored, "新站点.csv"))

    site.change(deliver)
    page = visitor.get(f"/dataset/{slug}").text
    assert "第 2 版" in page
    assert "共 2 行" in page
    assert "数据更新" in page


def test_pages_come_in_english(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(title_en="Bus stops of Jilin")
    visitor.set_cookie("lang", "en")
    page = visitor.get(f"/dataset/{slug}").text
    assert "Bus stops of Jilin" in page
    assert "Unconditionally open" in page
    assert "Download" in page


def test_nothing_there(visitor: FlaskClient) -> None:
    answer = visitor.get("/dataset/没有这个数据")
    assert answer.status_code == 404
    assert "没有这个数据" in answer.text


def test_a_former_address_leads_to_the_one_of_today(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    with site.platform.database.writing() as session:
        entry = get_entry(session, slug)
        remember_slug(session, entry, "the-name-of-today", site.platform.clock())
    answer = visitor.get(f"/dataset/{slug}")
    assert (answer.status_code, answer.location) == (301, "/dataset/the-name-of-today")
    assert visitor.get("/dataset/the-name-of-today").status_code == 200
    assert visitor.get("/dataset/never-was").status_code == 404


def test_a_former_address_of_a_draft_names_nothing(site: Site, visitor: FlaskClient) -> None:
    with site.platform.database.writing() as session:
        people = People(site.platform, session)
        entry = Catalogue(site.platform, session, people).draft().entry
        remember_slug(session, entry, "a-name-that-tells-too-much", site.platform.clock())
        former = session.scalars(select(FormerSlug.slug)).one()
    answer = visitor.get(f"/dataset/{former}")
    assert answer.status_code == 404
    assert answer.location is None
