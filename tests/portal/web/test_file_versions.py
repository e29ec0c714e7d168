"""Versions of files: their pages, citations and differences; nothing closed shows in an old one."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from portal.models.distribution import list_distributions
from portal.models.entry import get_entry
from portal.rules.entry_content import InformationItem
from portal.services.content import content_of
from portal.services.distributions import Upload
from tests.portal.web.conftest import ROWS, Site

SECOND = ROWS.replace("第7站", "第七站").replace("000060,第60站,600,2025-01-01\n", "")
SECOND += "000061,<b>新站</b>,610,2025-03-01\n"
ITEMS = (
    InformationItem(1, "站点编码", "stop_code", "string", 20, primary_key=True, nullable=False),
    InformationItem(2, "站点名称", "stop_name", "string", 100),
    InformationItem(3, "日客流量", "daily_passengers", "integer"),
)


def deliver(site: Site, slug: str, data: str, reason: str = "", filename: str = "新.csv") -> None:
    def do(session, catalogue, people):  # type: ignore[no-untyped-def]
        file = list_distributions(session, get_entry(session, slug).id)[0]
        stored = site.platform.storage.put(io.BytesIO(data.encode()))
        catalogue.distributions.deliver(people.editor, file, Upload(stored, filename, reason))

    site.change(do)


def revise(site: Site, slug: str, **changes: object) -> None:
    """Publish a new version of the metadata."""

    def do(session, catalogue, people):  # type: ignore[no-untyped-def]
        entry = get_entry(session, slug)
        content = replace(content_of(entry.published_version), **changes)
        draft = catalogue.entries.revise(people.department, entry)
        catalogue.entries.save(people.department, draft, content)
        submitted = catalogue.entries.submit(people.department, draft)
        catalogue.entries.approve(people.bureau, submitted)

    site.change(do)


def path(site: Site, slug: str, what: str = "versions") -> str:
    return f"/dataset/{slug}/resource/{site.files(slug)[0].public_id}/{what}"


@pytest.fixture
def slug(site: Site) -> str:
    made = site.opened()
    deliver(site, made, SECOND, reason="更正第七站名称 <i>")
    return made


def test_every_version_is_listed_with_its_reason_and_hash(
    site: Site, visitor: FlaskClient, slug: str
) -> None:
    page = visitor.get(path(site, slug)).text
    deliveries = site.files(slug)[0].deliveries
    assert [d.number for d in deliveries] == [2, 1]
    assert all(d.sha256 in page for d in deliveries)
    assert "更正第七站名称 &lt;i&gt;" in page
    assert "versions" in visitor.get(f"/dataset/{slug}").text


def test_a_version_has_a_lasting_page_with_its_citation(
    site: Site, visitor: FlaskClient, slug: str
) -> None:
    page = visitor.get(path(site, slug, "version/1"))
    assert page.status_code == 200
    address = f"http://127.0.0.1:5000{path(site, slug, 'version/1')}"
    assert f"第1版[DS/OL]. 吉林省公共数据开放平台, 2026-11-24[2026-11-24]. {address}." in page.text
    assert "version = {1}" in page.text
    assert f"url = {{{address}}}" in page.text
    assert "这不是最新版本" in page.text
    assert "这不是最新版本" not in visitor.get(path(site, slug, "version/2")).text
    assert visitor.get(path(site, slug, "version/9")).status_code == 404
    assert visitor.get(path(site, slug, "version/99999999999999999999")).status_code == 404


def test_an_older_version_comes_in_every_form(site: Site, visitor: FlaskClient, slug: str) -> None:
    export = path(site, slug, "export?format=csv")
    old = visitor.get(f"{export}&version=1")
    assert list(csv.reader(io.StringIO(old.data.decode("utf-8-sig")))) == list(
        csv.reader(io.StringIO(ROWS))
    )
    assert "_v1.csv" in old.headers["Content-Disposition"]
    assert "第七站" in visitor.get(export).data.decode()
    assert visitor.get(f"{export}&version=7").status_code == 404
    assert visitor.get(f"{export}&version=x").status_code == 422
    turtle = visitor.get(path(site, slug, "export?format=rdf&version=1")).data.decode()
    assert turtle.startswith(f"@base <http://127.0.0.1:5000{path(site, slug, 'version/1')}> .")


def test_the_difference_of_two_versions(site: Site, visitor: FlaskClient, slug: str) -> None:
    page = visitor.get(path(site, slug, "difference")).text
    assert "新增 1 行，删除 1 行，修改 1 行。" in page
    assert "按“站点编码”识别同一行" in page
    assert "<del>第7站</del> <ins>第七站</ins>" in page
    assert "&lt;b&gt;新站&lt;/b&gt;" in page
    assert "<b>新站</b>" not in page
    turned = visitor.get(path(site, slug, "difference?from=2&to=1")).text
    assert "新增 1 行，删除 1 行，修改 1 行。" in turned


def test_the_difference_as_a_file(site: Site, visitor: FlaskClient, slug: str) -> None:
    answer = visitor.get(path(site, slug, "difference.csv?from=1&to=2"))
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    assert rows[0][:5] == ["变化", "旧行号", "新行号", "站点编码（旧）", "站点编码（新）"]
    assert [row[:3] for row in rows[1:]] == [
        ["新增", "", "60"], ["修改", "7", "7"], ["删除", "60", ""],
    ]  # fmt: skip


def test_wrong_questions_about_differences(site: Site, visitor: FlaskClient, slug: str) -> None:
    assert visitor.get(path(site, slug, "difference?from=1&to=8")).status_code == 404
    assert visitor.get(path(site, slug, "difference?from=x")).status_code == 422
    single = site.opened()
    assert visitor.get(path(site, single, "difference")).status_code == 404


def test_a_version_that_is_no_table_says_so(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(b"\x00\x01", "a.bin")
    deliver(site, slug, ROWS, filename="b.csv")
    assert "不是表格" in visitor.get(path(site, slug, "difference")).text
    assert visitor.get(path(site, slug, "difference.csv")).status_code == 404


def test_a_retired_entry_shows_no_version(site: Site, visitor: FlaskClient, slug: str) -> None:
    places = [path(site, slug, what) for what in PLACES]
    assert all(visitor.get(place).status_code == 200 for place in places)
    site.retire(slug, "数据已失效")
    assert [visitor.get(place).status_code for place in places] == [410] * len(places)


PLACES = (
    "versions",
    "version/1",
    "version/1/a.csv",
    "export?format=csv&version=1",
    "difference",
    "difference.csv",
)


def test_a_removed_file_says_so_at_its_lasting_address(
    site: Site, visitor: FlaskClient, slug: str
) -> None:
    places = [path(site, slug, what) for what in PLACES]

    def do(session, catalogue, people):  # type: ignore[no-untyped-def]
        entry = get_entry(session, slug)
        catalogue.distributions.delete(people.editor, list_distributions(session, entry.id)[0])

    site.change(do)
    assert [visitor.get(place).status_code for place in places] == [410] * len(places)
    assert "已由提供单位移除" in visitor.get(places[0]).text


def test_conditional_data_shows_versions_but_no_data(site: Site, visitor: FlaskClient) -> None:
    slug = site.conditional()
    deliver(site, slug, SECOND)
    page = visitor.get(path(site, slug, "version/1"))
    assert page.status_code == 200
    assert "下载原始文件" not in page.text
    assert "daily" not in page.text
    for what in ("version/1/a.csv", "export?format=csv&version=1", "difference", "difference.csv"):
        assert visitor.get(path(site, slug, what)).status_code == 403


def closed_everywhere(site: Site, visitor: FlaskClient, slug: str) -> None:
    """The first version has 日客流量; nobody outside may see it in any form."""
    assert visitor.get(path(site, slug, "version/1/a.csv")).status_code == 403
    text = visitor.get(path(site, slug, "export?format=csv&version=1")).data.decode()
    assert "第7站" in text
    assert "日客流量" not in text
    for what in ("version/1", "difference", "difference.csv", "versions"):
        answer = visitor.get(path(site, slug, what))
        assert answer.status_code == 200
        assert "日客流量" not in answer.data.decode()
        assert "daily_passengers" not in answer.data.decode()
    assert f"version/1/{'%E5%85%AC'}" not in visitor.get(f"/dataset/{slug}").text


def test_a_column_closed_later_is_closed_in_old_versions(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(items=ITEMS)
    deliver(site, slug, SECOND)
    assert visitor.get(path(site, slug, "version/1/a.csv")).status_code == 200
    revise(site, slug, items=(*ITEMS[:2], replace(ITEMS[2], open=False)))
    closed_everywhere(site, visitor, slug)


def test_taking_a_closed_item_off_the_metadata_opens_no_old_version(
    site: Site, visitor: FlaskClient
) -> None:
    slug = site.opened(items=(*ITEMS[:2], replace(ITEMS[2], open=False)))
    without = "\n".join(
        ",".join(cell for n, cell in enumerate(line.split(",")) if n != 2)
        for line in SECOND.splitlines()
    )
    deliver(site, slug, without + "\n")
    revise(site, slug, items=ITEMS[:2])
    assert visitor.get(path(site, slug, "version/2/a.csv")).status_code == 200
    closed_everywhere(site, visitor, slug)
