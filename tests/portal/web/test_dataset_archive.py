"""A whole data set as a ZIP: what is inside, that it is whole, and that nothing closed is."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from portal.models.distribution import Download
from portal.models.entry import get_entry
from portal.rules.entry_content import InformationItem
from portal.storage.base import StorageUnavailable
from portal.tables.zip_stream import Member, zip_stream
from tests.documents import pdf
from tests.factories import NOW
from tests.portal.web.conftest import ROWS, Site

ITEMS = (
    InformationItem(1, "站点编码", "stop_code", "string", 20, description="=站点的编码"),
    InformationItem(2, "站点名称", "stop_name", "string", 100),
    InformationItem(3, "日客流量", "daily_passengers", "integer", unit="人次"),
)


def archive_of(visitor: FlaskClient, slug: str) -> zipfile.ZipFile:
    answer = visitor.get(f"/dataset/{slug}/download.zip")
    assert answer.status_code == 200
    assert answer.content_type == "application/zip"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.testzip() is None
    return archive


def add_file(site: Site, slug: str, data: bytes, filename: str) -> None:
    site.change(
        lambda session, catalogue, people: catalogue.file(get_entry(session, slug), data, filename)
    )


def text_of(archive: zipfile.ZipFile, name: str) -> str:
    return archive.read(name).decode("utf-8-sig")


def test_the_archive_has_everything_a_reader_needs(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(items=ITEMS, title="公交站点信息汇总")
    add_file(site, slug, pdf("Opening hours"), "说明.pdf")
    add_file(site, slug, ROWS.replace("站点", "车站").encode(), "公交站点.CSV")
    archive = archive_of(visitor, slug)
    assert archive.namelist() == [
        "README.txt", "LICENCE.txt", "metadata.json", "data-dictionary.csv",
        "data/公交站点.csv", "data/说明.pdf", "data/公交站点 (2).CSV", "SHA256SUMS",
    ]  # fmt: skip
    assert archive.read("data/公交站点.csv") == ROWS.encode()
    readme = text_of(archive, "README.txt")
    for part in ("公交站点信息汇总", "吉林省交通运输厅", "[DS/OL]", f"/dataset/{slug}", "说明.pdf"):
        assert part in readme
    assert "creativecommons.org" in text_of(archive, "LICENCE.txt")
    metadata = json.loads(archive.read("metadata.json"))
    assert metadata["title"] == "公交站点信息汇总"
    assert metadata["resources"][0]["url"].startswith("http://127.0.0.1:5000/dataset/")


def test_the_sums_name_every_member(site: Site, visitor: FlaskClient) -> None:
    archive = archive_of(visitor, site.opened())
    lines = text_of(archive, "SHA256SUMS").splitlines()
    assert [line.split("  ", 1)[1] for line in lines] == archive.namelist()[:-1]
    for line in lines:
        digest, name = line.split("  ", 1)
        assert hashlib.sha256(archive.read(name)).hexdigest() == digest


def test_the_dictionary_joins_columns_and_items(site: Site, visitor: FlaskClient) -> None:
    archive = archive_of(visitor, site.opened(items=ITEMS))
    rows = list(csv.DictReader(io.StringIO(text_of(archive, "data-dictionary.csv"))))
    assert [row["列名"] for row in rows] == ["站点编码", "站点名称", "日客流量", "启用日期"]
    assert rows[0]["字段名"] == "stop_code"
    assert rows[0]["说明"] == "'=站点的编码"
    assert (rows[2]["单位"], rows[2]["最大"], rows[2]["数据类型"]) == ("人次", "600", "integer")


def test_a_file_with_a_closed_column_goes_in_without_it(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(items=(*ITEMS[:2], replace(ITEMS[2], open=False)))
    archive = archive_of(visitor, slug)
    rows = list(csv.reader(io.StringIO(text_of(archive, "data/公交站点.csv"))))
    assert rows[0] == ["站点编码", "站点名称", "启用日期"]
    assert len(rows) == 61
    assert "只含公开的列" in text_of(archive, "README.txt")
    item = list(csv.DictReader(io.StringIO(text_of(archive, "data-dictionary.csv"))))[-1]
    assert (item["列名"], item["公众可得"], item["最大"]) == ("日客流量", "否", "")


def test_who_may_not_have_the_data_gets_no_archive(site: Site, visitor: FlaskClient) -> None:
    assert visitor.get(f"/dataset/{site.conditional()}/download.zip").status_code == 403
    slug = site.opened()
    site.retire(slug, "失效")
    assert visitor.get(f"/dataset/{slug}/download.zip").status_code == 410
    assert visitor.get("/dataset/none/download.zip").status_code == 404


def test_the_page_offers_it_and_downloads_are_counted(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    assert f"/dataset/{slug}/download.zip" in visitor.get(f"/dataset/{slug}").text
    assert visitor.head(f"/dataset/{slug}/download.zip").status_code == 200
    archive_of(visitor, slug)
    with site.platform.database.reading() as session:
        assert [row.form for row in session.query(Download)] == ["zip"]
    assert all(site.platform.download_slots.acquire(blocking=False) for _ in range(6))


def test_a_file_that_is_not_what_it_was_breaks_the_archive_off() -> None:
    member = Member("data/a.csv", lambda: [b"changed"], hashlib.sha256(b"a").hexdigest())
    with pytest.raises(StorageUnavailable):
        list(zip_stream([member], NOW))


def test_an_archive_is_written_in_pieces() -> None:
    pieces = 0
    members = [Member("a.bin", lambda: (bytes([n % 251]) * 300_000 for n in range(40)))]
    for piece in zip_stream(members, NOW):
        assert len(piece) < 1_000_000
        pieces += 1
    assert pieces > 20
