"""An editor corrects how a file is read; differences to the information items are shown."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select

from portal.jobs.worker import Worker
from portal.models import CatalogueEntry, Distribution
from tests.portal.web.work.conftest import Browser, Office, text_of

GREEK = "id,όνομα,τιμή\n001,Αθήνα,5\n002,Πάτρα,x\n".encode("iso-8859-7")


@pytest.fixture
def entry(office: Office) -> CatalogueEntry:
    return office.made(lambda catalogue, people: catalogue.published())


def uploaded(
    office: Office, editor: Browser, entry: CatalogueEntry, data: bytes, name: str = "表.csv"
) -> str:
    """Upload, read, and return the address of the page of the table."""
    path = f"/work/entries/{entry.slug}/files"
    editor.submit(path, "/files", file=(io.BytesIO(data), name))
    Worker(office.platform).run_until_idle()
    newest = select(Distribution.public_id).order_by(Distribution.id.desc()).limit(1)
    return f"{path}/{office.read(lambda s: s.scalar(newest))}/table"


def change(office: Office, editor: Browser, path: str, **values: object) -> str:
    editor.submit(path, "/table", **values)
    Worker(office.platform).run_until_idle()
    return text_of(editor.get(path))


def test_an_encoding_that_nobody_can_tell_is_named_by_the_editor(
    office: Office, editor: Browser, entry: CatalogueEntry
) -> None:
    path = uploaded(office, editor, entry, GREEK)
    assert "认不出文件的文字编码" in text_of(editor.get(path))
    text = change(office, editor, path, encoding="iso-8859-7")
    assert "2 行，3 列" in text
    assert "όνομα" in text


def test_a_chosen_type_lists_what_does_not_fit_it(
    office: Office, editor: Browser, entry: CatalogueEntry
) -> None:
    path = uploaded(office, editor, entry, "站点编码,客流\n0012,5\n0013,约7\n".encode())
    text = change(office, editor, path, **{"type.客流": "integer"})
    assert "不合所选类型的值" in text
    assert "客流：约7" in text
    assert "站点编码" in text


def test_items_and_columns_are_compared(
    office: Office, editor: Browser, entry: CatalogueEntry
) -> None:
    data = "站点编码,站点名称,经度\n001,甲,125.3\n001,乙,125.4\n,丙,125.5\n".encode()
    text = text_of(editor.get(uploaded(office, editor, entry, data)))
    assert "文件里没有这一列" in text  # 日客流量
    assert "信息项里没有这一列" in text  # 经度
    assert "信息项不可为空，文件里有 1 行空白" in text
    assert "信息项是主键，文件里有 1 行重复" in text


def test_items_name_the_columns_of_a_file_without_header(
    office: Office, editor: Browser, entry: CatalogueEntry
) -> None:
    data = "001,甲,125\n002,乙,126\n003,丙,127\n".encode()
    path = uploaded(office, editor, entry, data)
    text = change(office, editor, path, no_header="1")
    assert "3 行，3 列" in text
    assert "stop_code" in text
    assert "与信息项一致" in text


def test_a_faulty_setting_is_refused_and_kept_in_the_form(
    office: Office, editor: Browser, entry: CatalogueEntry
) -> None:
    path = uploaded(office, editor, entry, "甲,乙\n1,2\n".encode())
    response = editor.submit(path, "/table", 422, header="零", coordinates="moon")
    text = text_of(response)
    assert "表头所在行须为 1 以上的整数" in text
    assert "请从列表中选择坐标系" in text


def test_strangers_neither_see_nor_change_it(
    office: Office, editor: Browser, entry: CatalogueEntry
) -> None:
    path = uploaded(office, editor, entry, "甲,乙\n1,2\n".encode())
    form = editor.form(path, "/table")
    other = office.browser("agency_editor", "JL-HEA")
    assert other.client.get(path).status_code in (403, 404)
    form.fields = [(n, other.token() if n == "csrf_token" else v) for n, v in form.fields]
    assert other.client.post(form.action, data=form.values()).status_code in (403, 404)
