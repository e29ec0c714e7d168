"""Documents are read before they go out: what is found holds them, and so does what cannot be read."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select

from extensions.quality.scan.documents import WHOLE_FILE, look_at_document
from extensions.quality.scan.leftovers import UNREAD
from extensions.quality.scan.masks import DROP, REFUSE, RELEASE
from extensions.quality.services.hooks import waiting_reviews
from extensions.quality.services.unread import unread_documents
from extensions.quality.web.review import quality_checks
from portal.app import create_app
from portal.errors import GuardRefused, Invalid
from portal.models.duty import Notice
from portal.services.flow import Attempt
from portal.services.guards import nothing_held
from tests.documents import pdf
from tests.extensions.quality.conftest import CANARY_PHONE, ID_NUMBER, Deliver
from tests.factories import People
from tests.portal.web.conftest import Site

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx(*paragraphs: str, before: str = "") -> bytes:
    runs = "".join(
        f"<w:p><w:r><w:t>{text[:5]}</w:t></w:r><w:r><w:t>{text[5:]}</w:t></w:r></w:p>"
        for text in paragraphs
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "word/document.xml",
            f'<?xml version="1.0"?>{before}<w:document xmlns:w="{WORD}"><w:body>{runs}</w:body>'
            "</w:document>",
        )
    return out.getvalue()


def kinds(tmp_path: Path, data: bytes, kind: str) -> dict[str, tuple[int, tuple[str, ...]]]:
    path = tmp_path / f"文件.{kind}"
    path.write_bytes(data)
    looked = look_at_document(path, kind)
    return {f.kind: (f.count, f.examples) for f in looked.findings}


def test_what_stands_in_a_document_is_found_and_masked(tmp_path: Path) -> None:
    text = f"id {ID_NUMBER}, phone {CANARY_PHONE}"
    for data, kind in ((pdf("nothing here", text), "pdf"), (docx("正文", text), "docx")):
        found = kinds(tmp_path, data, kind)
        assert set(found) == {"id_number", "mobile"}, kind
        assert found["id_number"][0] == 1
        assert ID_NUMBER not in str(found)
        assert CANARY_PHONE not in str(found)


@pytest.mark.parametrize(("data", "kind"), [
    (pdf("text", ""), "pdf"),
    (pdf("text", password="secret"), "pdf"),
    (b"%PDF-1.7 broken", "pdf"),
    (b"\xd0\xcf\x11\xe0 old Word", "doc"),
    (docx("正文", before='<!DOCTYPE x [<!ENTITY a "b">]>'), "docx"),
], ids=["scan", "locked", "broken", "old", "entities"])  # fmt: skip
def test_what_cannot_be_read_waits(tmp_path: Path, data: bytes, kind: str) -> None:
    path = tmp_path / f"文件.{kind}"
    path.write_bytes(data)
    looked = look_at_document(path, kind)
    assert [f.kind for f in looked.findings] == [UNREAD]
    assert looked.blocks


def test_a_document_without_anything_goes_out(deliver: Deliver) -> None:
    made = deliver(pdf("Opening hours of libraries"), name="说明.pdf")
    with made.platform.database.reading() as session:
        assert made.distribution(session).current_version.hold == ""
        assert made.scan(session).findings == []


def test_a_document_with_numbers_waits_for_a_second_person(deliver: Deliver) -> None:
    made = deliver(docx("联系人", f"身份证 {ID_NUMBER}"), name="名单.docx")
    visitor = Site(made.platform, create_app(made.platform)).visitor()
    with made.platform.database.reading() as session:
        assert made.distribution(session).current_version.hold == "review"
    address = f"/dataset/{made.slug}/resource/{made.public_id}/download/名单.docx"
    assert visitor.get(address).status_code != 200
    with pytest.raises(Invalid) as caught:
        made.decide({WHOLE_FILE: "drop"})
    assert "文档里有疑似敏感信息" in caught.value.defects[0].text()
    made.decide({WHOLE_FILE: RELEASE}, "已取得本人同意")
    assert visitor.get(address).status_code == 200


LOCKED = pdf("text", password="secret")


def test_a_locked_document_leaves_only_if_a_second_person_releases_it(deliver: Deliver) -> None:
    made = deliver(LOCKED, name="加密.pdf")
    visitor = Site(made.platform, create_app(made.platform)).visitor()
    address = f"/dataset/{made.slug}/resource/{made.public_id}/download/加密.pdf"
    with made.platform.database.reading() as session:
        assert made.distribution(session).current_version.hold == "review"
    assert visitor.get(address).status_code != 200
    for treatment, reason, words in ((REFUSE, " ", "理由"), (DROP, "不便", "不予开放")):
        with pytest.raises(Invalid) as caught:
            made.decide({WHOLE_FILE: treatment}, reason)
        assert words in caught.value.defects[0].text()
    made.decide({WHOLE_FILE: RELEASE}, "已用密码打开，内容为办事指南")
    assert visitor.get(address).status_code == 200


def test_a_refused_document_stays_in_and_the_agency_is_told(deliver: Deliver) -> None:
    made = deliver(LOCKED, name="加密.pdf")
    made.decide({WHOLE_FILE: REFUSE}, "无法核对内容")
    site = Site(made.platform, create_app(made.platform))
    address = f"/dataset/{made.slug}/resource/{made.public_id}/download/加密.pdf"
    assert site.visitor().get(address).status_code != 200
    with made.platform.database.reading() as session:
        assert made.distribution(session).current_version.hold == "refused"
        told = session.scalars(
            select(Notice.text).where(Notice.text.contains("无法核对内容"))
        ).all()
        assert told
    with made.platform.database.writing() as session:
        officer = People(made.platform, session).security_officer
        assert not waiting_reviews(session, officer)
        version = made.entry(session).published_version
        now = made.platform.clock()
        with pytest.raises(GuardRefused) as caught:
            nothing_held(Attempt(session, version, officer, "publish", "", now))
        assert "移除或更换" in caught.value.defects[0].text()
    page = site.visitor().get(f"/dataset/{made.slug}").get_data(as_text=True)
    assert "该文件不对外提供" in page


def test_people_of_the_agency_are_told_what_was_not_scanned(deliver: Deliver) -> None:
    made = deliver(b"\xd0\xcf\x11\xe0 old Word", name="旧说明.doc")
    site = Site(made.platform, create_app(made.platform))
    page = f"/dataset/{made.slug}"
    assert "旧说明.doc" not in documents_part(site.visitor().get(page).get_data(as_text=True))
    with made.platform.database.reading() as session:
        version = made.entry(session).published_version
        assert version is not None
        checks = quality_checks(session, version)
        assert any("旧说明.doc" in check.text for check in checks)
        panel = unread_documents(session, made.entry(session))
        assert [one.filename for one in panel] == ["旧说明.doc"]


def documents_part(html: str) -> str:
    return html.split('id="unread-documents"')[1] if 'id="unread-documents"' in html else ""
