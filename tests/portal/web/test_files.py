"""Downloads: names, ranges, tags, forms, rights, counting, and slots."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select

from portal.models.distribution import Download
from portal.rules.entry_content import InformationItem
from portal.web.attachment import disposition
from tests.portal.web.conftest import ROWS, Site

BIG = b"\x00\x01binary" * 70_000  # more than one piece


def address(site: Site, slug: str, what: str = "download", name: str = "") -> str:
    file = site.files(slug)[0]
    assert file.current is not None
    return (
        f"/dataset/{slug}/resource/{file.public_id}/{what}/{quote(name or file.current.filename)}"
    )


def test_the_original_comes_as_an_attachment(site: Site, visitor: FlaskClient) -> None:
    answer = visitor.get(address(site, site.opened()))
    assert answer.status_code == 200
    assert answer.data == ROWS.encode()
    headers = answer.headers
    assert headers["Content-Disposition"].startswith("attachment; filename=data-")
    assert headers["Content-Disposition"].endswith(f"filename*=UTF-8''{quote('公交站点.csv')}")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox")
    assert headers["ETag"] == f'"{hashlib.sha256(ROWS.encode()).hexdigest()}"'
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Content-Length"] == str(len(ROWS.encode()))


@pytest.mark.parametrize(
    ("asked", "status", "start", "stop"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=100-", 206, 100, None),
        ("bytes=-20", 206, -20, None),
        ("bytes=0-0", 206, 0, 1),
        ("bytes=0-99999999", 206, 0, None),
        ("bytes=0-1,5-6", 200, 0, None),
        ("lines=0-1", 200, 0, None),
        ("bytes=9-1", 200, 0, None),
    ],
)
def test_ranges(
    site: Site, visitor: FlaskClient, asked: str, status: int, start: int, stop: int | None
) -> None:
    answer = visitor.get(address(site, site.opened(BIG, "a.bin")), headers={"Range": asked})
    assert answer.status_code == status
    assert answer.data == BIG[start:stop]
    assert answer.headers["Content-Length"] == str(len(answer.data))
    if status == 206:
        first = start % len(BIG)
        assert answer.headers["Content-Range"] == (
            f"bytes {first}-{first + len(answer.data) - 1}/{len(BIG)}"
        )


def test_a_range_outside_is_refused(site: Site, visitor: FlaskClient) -> None:
    path = address(site, site.opened(BIG, "a.bin"))
    answer = visitor.get(path, headers={"Range": f"bytes={len(BIG)}-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(BIG)}"


def test_a_known_file_is_not_sent_again(site: Site, visitor: FlaskClient) -> None:
    path = address(site, site.opened())
    tag = visitor.get(path).headers["ETag"]
    again = visitor.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == tag
    continued = visitor.get(path, headers={"Range": "bytes=5-", "If-Range": tag})
    assert continued.status_code == 206
    other = visitor.get(path, headers={"Range": "bytes=5-", "If-Range": '"another"'})
    assert other.status_code == 200


def test_head_sends_no_body_and_counts_nothing(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    answer = visitor.head(address(site, slug))
    assert answer.status_code == 200
    assert answer.data == b""
    assert counted(site) == {}


def counted(site: Site) -> dict[str, int]:
    with site.platform.database.reading() as session:
        return {row.form: row.count for row in session.scalars(select(Download))}


def test_downloads_are_counted_by_form(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    path = address(site, slug)
    visitor.get(path)
    visitor.get(path)
    visitor.get(path, headers={"Range": "bytes=10-"})  # the rest of one begun
    visitor.get(path, headers={"User-Agent": "Googlebot"})
    visitor.get(export(site, slug, "json"))
    assert counted(site) == {"original": 2, "json": 1}


def export(site: Site, slug: str, form: str, query: str = "") -> str:
    return f"/dataset/{slug}/resource/{site.files(slug)[0].public_id}/export?format={form}{query}"


def test_every_form_has_the_same_rows(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    plain = list(csv.reader(io.StringIO(ROWS)))

    def get(form: str) -> bytes:
        answer = visitor.get(export(site, slug, form))
        assert answer.status_code == 200, form
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert "Content-Length" not in answer.headers  # nobody knows it before the last row
        return answer.data

    assert list(csv.reader(io.StringIO(get("csv").decode("utf-8-sig")))) == plain
    assert list(csv.reader(io.StringIO(get("csv-gb18030").decode("gb18030")))) == plain
    sheet = load_workbook(io.BytesIO(get("xlsx"))).active
    assert sheet is not None
    assert [str(row[0].value) for row in sheet.iter_rows()] == [row[0] for row in plain]
    rows = json.loads(get("json"))
    assert [list(row.values())[1] for row in rows] == [row[1] for row in plain[1:]]
    assert [json.loads(line) for line in get("ndjson").splitlines()] == rows
    assert get("xml").count(b"<row>") == 60
    assert get("rdf").count(b" a csvw:Row") == 60
    assert get("parquet")[:4] == b"PAR1"


def test_an_export_takes_the_filters_of_the_preview(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    answer = visitor.get(export(site, slug, "json", "&tq=第1&by=-field_1"))
    assert answer.status_code == 422
    found = json.loads(visitor.get(export(site, slug, "json", "&tq=第33站")).data)
    assert len(found) == 1


def test_unknown_forms_and_files(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    answer = visitor.get(export(site, slug, "exe"))
    assert answer.status_code == 422
    assert "没有格式“exe”" in answer.text
    assert visitor.get(f"/dataset/{slug}/resource/none/download/a.csv").status_code == 404
    assert visitor.get(address(site, slug, "version/9", "a.csv")).status_code == 404
    other = site.opened()
    foreign = site.files(other)[0].public_id
    assert visitor.get(f"/dataset/{slug}/resource/{foreign}/download/a.csv").status_code == 404


def test_older_versions_stay(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    assert visitor.get(address(site, slug, "version/1")).data == ROWS.encode()


def test_conditional_data_is_applied_for(site: Site, visitor: FlaskClient) -> None:
    slug = site.conditional()
    for path in (address(site, slug), address(site, slug, "version/1"), export(site, slug, "csv")):
        answer = visitor.get(path)
        assert answer.status_code == 403
        assert "这份数据需要先申请" in answer.text


def test_data_that_is_not_open_yet_is_not_downloaded(site: Site, visitor: FlaskClient) -> None:
    def publish_only(session, catalogue, people):  # type: ignore[no-untyped-def]
        entry = catalogue.published()
        catalogue.file(entry)
        return entry.slug

    slug = site.change(publish_only)
    answer = visitor.get(address(site, slug))
    assert answer.status_code == 403
    assert "尚未列入开放清单" in answer.text
    assert "尚未列入开放清单" in visitor.get(f"/dataset/{slug}").text


def test_suspended_data_says_why(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    path = address(site, slug)
    assert visitor.get(path).status_code == 200

    def suspend(session, catalogue, people):  # type: ignore[no-untyped-def]
        from portal.models.entry import get_entry
        from portal.models.open_list import find_open_list_entry

        place = find_open_list_entry(session, get_entry(session, slug).id)
        catalogue.open_list.suspend(people.agency_reviewer, place, reason="数据有误正在核对")

    site.change(suspend)
    answer = visitor.get(path)
    assert answer.status_code == 403
    assert "数据有误正在核对" in answer.text


def test_downloads_never_take_every_thread(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(BIG, "a.bin")
    path = address(site, slug)
    slots = site.platform.download_slots
    begun = [site.visitor().get(path, buffered=False) for _ in range(6)]
    refused = visitor.get(path)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "5"
    assert "同时下载的人较多" in refused.text
    assert visitor.get(f"/dataset/{slug}").status_code == 200
    for answer in begun:
        answer.close()
    assert visitor.get(path).status_code == 200
    assert all(slots.acquire(blocking=False) for _ in range(6))


def test_nginx_sends_the_bytes_where_it_can(site: Site, visitor: FlaskClient) -> None:
    site.platform.settings = site.platform.settings.model_copy(update={"accel_prefix": "/_files"})
    answer = visitor.get(address(site, site.opened()))
    digest = hashlib.sha256(ROWS.encode()).hexdigest()
    assert answer.headers["X-Accel-Redirect"] == (f"/_files/{digest[:2]}/{digest[2:4]}/{digest}")
    assert answer.data == b""
    assert "公交" not in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("公交.csv", "data-1.csv"),
        ("bus stops.csv", "bus stops.csv"),
        ('a"b\r\nSet-Cookie: x.csv', "abSet-Cookie x.csv"),
        ("数据", "data-1"),
        ("文.数据", "data-1"),
    ],
)
def test_names_for_old_and_new_browsers(name: str, plain: str) -> None:
    found = disposition(name, "data-1")
    assert found["filename"] == plain
    assert "\r" not in found["filename*"]
    assert found["filename*"].isascii()


def test_the_open_list_comes_as_a_file(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(title="=1+1公交")
    page = visitor.get("/organisation/jl-tra").text
    assert "=1+1公交" in page
    assert "第 2 版" in page
    rows = list(
        csv.reader(
            io.StringIO(visitor.get("/organisation/jl-tra/open-list.csv").data.decode("utf-8-sig"))
        )
    )
    assert rows[1][1] == "'=1+1公交"
    assert rows[1][-1].endswith(f"/dataset/{slug}")
    book = visitor.get("/organisation/jl-tra/open-list.xlsx").data
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(book)).read("xl/worksheets/sheet1.xml")
    assert visitor.get("/organisation/jl-tra/open-list.pdf").status_code == 404
    assert visitor.get("/organisation/none").status_code == 404
    assert visitor.get("/organisation/jl-tra?page=7").status_code == 404


def _with_a_closed_column(site: Site) -> str:
    items = (
        InformationItem(1, "站点编码", "stop_code", "string", 20),
        InformationItem(2, "站点名称", "stop_name", "string", 100),
        InformationItem(3, "日客流量", "daily_passengers", "integer", open=False),
    )
    return site.opened(items=items)


@pytest.mark.parametrize("form", ["csv", "json", "ndjson", "xml", "csv-gb18030"])
def test_a_closed_item_drops_its_column_from_every_form(
    site: Site, visitor: FlaskClient, form: str
) -> None:
    slug = _with_a_closed_column(site)
    answer = visitor.get(address(site, slug, "export").rsplit("/", 1)[0] + f"?format={form}")
    assert answer.status_code == 200
    encoding = "gb18030" if form == "csv-gb18030" else "utf-8"
    text = answer.data.decode(encoding)
    assert "第7站" in text
    assert "日客流量" not in text
    assert "daily_passengers" not in text
    preview = visitor.get(f"/dataset/{slug}").text.split('id="preview"')[1].split("</section>")[0]
    assert "第7站" in preview
    assert "日客流量" not in preview


def test_the_original_stays_inside_while_it_holds_a_closed_column(
    site: Site, visitor: FlaskClient
) -> None:
    slug = _with_a_closed_column(site)
    path = address(site, slug)
    assert visitor.get(path).status_code == 403
    assert visitor.get(address(site, slug, "version/1")).status_code == 403
    assert f'href="{path}"' not in visitor.get(f"/dataset/{slug}").text


def test_a_closed_column_can_be_neither_filtered_nor_sorted_by(
    site: Site, visitor: FlaskClient
) -> None:
    slug = _with_a_closed_column(site)
    export = address(site, slug, "export").rsplit("/", 1)[0]
    for asked in ("f.daily_passengers=>10", "by=daily_passengers"):
        assert visitor.get(f"{export}?format=csv&{asked}").status_code == 422
