"""Upload, replace and remove files; what was read of them is shown, with every odd row."""

from __future__ import annotations

import io
import zipfile

import pytest
from sqlalchemy import func, select

from portal.jobs.worker import Worker
from portal.models import CatalogueEntry, DataVersion, Distribution
from tests.portal.web.work.conftest import Browser, Office, text_of

GOOD = "站点编码,站点名称,日客流量\n000123,人民广场,1200\n000124,桂林路,900\n"


@pytest.fixture
def entry(office: Office) -> CatalogueEntry:
    return office.made(lambda catalogue, people: catalogue.published())


def upload(
    browser: Browser, entry: CatalogueEntry, data: bytes, filename: str, status: int = 303
) -> str:
    path = f"/work/entries/{entry.slug}/files"
    response = browser.submit(path, "/files", status, file=(io.BytesIO(data), filename))
    return text_of(response)


def count(office: Office) -> int:
    query = select(func.count(Distribution.id)).where(Distribution.deleted_at.is_(None))
    return int(office.read(lambda s: s.scalar(query)))


@pytest.mark.parametrize(
    ("encoding", "shown"), [("utf-8", "UTF-8"), ("gb18030", "GB18030"), ("utf-16", "UTF-16")]
)
def test_a_table_is_read_and_shown(
    editor: Browser, office: Office, entry: CatalogueEntry, encoding: str, shown: str
) -> None:
    upload(editor, entry, (GOOD * 20).encode(encoding), "站点.csv")
    path = f"/work/entries/{entry.slug}/files"
    assert "正在读取" in text_of(editor.get(path))
    Worker(office.platform).run_until_idle()
    text = text_of(editor.get(path))
    assert "3 列" in text
    assert f"文字编码 {shown}" in text
    assert "站点编码" in text


def test_rows_left_out_are_listed_with_their_numbers(
    editor: Browser, office: Office, entry: CatalogueEntry
) -> None:
    upload(editor, entry, (GOOD + "1,2,3,4,5\n").encode(), "站点.csv")
    Worker(office.platform).run_until_idle()
    text = text_of(editor.get(f"/work/entries/{entry.slug}/files"))
    assert "1 行未作为数据" in text
    assert "单元格比列名多" in text
    assert "1 | 2 | 3 | 4 | 5" in text


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "filename", "message"),
    [
        (b"", "空.csv", "文件是空的（0 字节）"),
        (b"\x00\x01\x02\x00" * 300, "二进制.csv", "不是文本"),
        (b"not a workbook", "假.xlsx", "不是有效的 Excel 工作簿"),
        (bomb(), "炸弹.xlsx", "压缩比异常"),
    ],
)
def test_what_cannot_be_read_is_refused_with_nothing_written(
    editor: Browser, office: Office, entry: CatalogueEntry, data: bytes, filename: str, message: str
) -> None:
    path = f"/work/entries/{entry.slug}/files"
    form = editor.form(path, "/files")
    response = editor.send(form, 422, file=(io.BytesIO(data), filename), description="留下的说明")
    assert message in text_of(response)
    assert "留下的说明" in response.text
    assert count(office) == 0


def test_no_file_chosen_and_a_path_as_name(
    editor: Browser, office: Office, entry: CatalogueEntry
) -> None:
    path = f"/work/entries/{entry.slug}/files"
    assert "请选择要上传的文件" in text_of(editor.submit(path, "/files", 422))
    upload(editor, entry, GOOD.encode(), "../../etc/passwd.csv")
    name = office.read(lambda s: s.scalar(select(DataVersion.filename)))
    assert name == "passwd.csv"


def test_a_double_click_adds_one_file(
    editor: Browser, office: Office, entry: CatalogueEntry
) -> None:
    form = editor.form(f"/work/entries/{entry.slug}/files", "/files")
    for _ in range(2):
        editor.send(form, file=(io.BytesIO(GOOD.encode()), "站点.csv"))
    assert count(office) == 1


def test_a_new_version_replaces_and_the_old_one_stays(
    editor: Browser, office: Office, entry: CatalogueEntry
) -> None:
    upload(editor, entry, GOOD.encode(), "站点.csv")
    path = f"/work/entries/{entry.slug}/files"
    form = editor.form(path, "/replace")
    for _ in range(2):  # the same bytes again change nothing
        editor.send(form, file=(io.BytesIO((GOOD + "000125,红旗街,3\n").encode()), "新.csv"))
    numbers = office.read(lambda s: list(s.scalars(select(DataVersion.number))))
    assert numbers == [1, 2]
    form = editor.form(path, "/delete")
    editor.send(form)
    editor.send(form)
    assert count(office) == 0


def test_links_must_be_http(editor: Browser, office: Office, entry: CatalogueEntry) -> None:
    path = f"/work/entries/{entry.slug}/files"
    response = editor.submit(path, "/links", 422, url="javascript:alert(1)", link_name="留名")
    assert "链接须以 http:// 或 https:// 开头" in text_of(response)
    assert "留名" in response.text
    editor.submit(path, "/links", url="https://data.example.cn/a.csv", link_name="外部")
    assert count(office) == 1


def test_a_stranger_uploads_nothing(office: Office, entry: CatalogueEntry) -> None:
    stranger = office.browser("agency_editor", "JL-HEA")
    path = f"/work/entries/{entry.slug}/files"
    stranger.get(path, 403)
    data = {
        "csrf_token": stranger.token(),
        "key": "4f0f3a52-9c58-4c9e-93a9-5b4d94f4b9c1",
        "file": (io.BytesIO(b"secret,stranger\n1,2\n"), "x.csv"),
    }
    assert stranger.client.post(path, data=data).status_code == 403
    assert count(office) == 0
    assert list(office.platform.storage.list()) == []


def test_the_bureau_reads_files_and_may_not_add_any(bureau: Browser, entry: CatalogueEntry) -> None:
    path = f"/work/entries/{entry.slug}/files"
    assert "上传文件" not in text_of(bureau.get(path))
    data = {"csrf_token": bureau.token(), "file": (io.BytesIO(b"a,b\n1,2\n"), "x.csv")}
    assert bureau.client.post(path, data=data).status_code == 403


def test_markup_in_names_is_shown_as_text(
    editor: Browser, office: Office, entry: CatalogueEntry
) -> None:
    bad = "<script>alert(1)</script>"
    path = f"/work/entries/{entry.slug}/files"
    form = editor.form(path, "/files")
    editor.send(
        form, file=(io.BytesIO(f"{bad},b\n1,2\n".encode()), "x.csv"), name=bad, description=bad
    )
    Worker(office.platform).run_until_idle()
    assert bad not in editor.get(path).text
