"""Names in addresses and of files: none leads out of its folder, into a header or into a page."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from portal.services.distributions import safe_filename
from tests.documents import pdf
from tests.portal.web.work.conftest import Office
from tests.security.attacking import open_entry

TRAVERSALS = (
    "../templates/base.html",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "....//....//etc/passwd",
    "..\\..\\etc\\passwd",
    "..%5c..%5cetc%5cpasswd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "css/../../templates/base.html",
    "css/%00.css",
    "css/tokens.css%00.png",
    "x" * 5000,
    "a/" * 2000,
    "~root/.ssh/id_rsa",
    "file:///etc/passwd",
)


@pytest.mark.parametrize("name", TRAVERSALS)
def test_static_files_are_those_of_the_theme(visitor: FlaskClient, name: str) -> None:
    answer = visitor.get(f"/static/{name}")
    assert answer.status_code in (404, 308)
    assert "root:" not in answer.text
    assert "{% block" not in answer.text


@pytest.mark.parametrize("name", TRAVERSALS)
def test_a_download_gives_its_file_whatever_name_is_asked_for(
    office: Office, visitor: FlaskClient, name: str
) -> None:
    slug, file_id = open_entry(office)
    answer = visitor.get(f"/dataset/{slug}/resource/{file_id}/download/{name}")
    assert answer.status_code in (200, 404, 308, 414)
    assert "root:" not in answer.text
    for part in (name, "..%2f" + name):
        assert visitor.get(f"/dataset/{slug}/resource/{part}/export").status_code in (404, 308)
        assert visitor.get(f"/dataset/{part}").status_code in (404, 308)


@pytest.mark.parametrize(
    "given",
    [
        "../../etc/passwd",
        "..\\..\\windows\\win.ini",
        "/etc/passwd",
        "a\r\nSet-Cookie: x=y.csv",
        'a"; filename="evil.html',
        "a\x00.csv",
        ".htaccess",
        "..",
        "",
        "长" * 500 + ".csv",
        "\u202egnp.csv",
        "<img src=x onerror=alert(1)>.csv",
    ],
)
def test_a_file_name_is_never_a_path_or_a_header(
    office: Office, visitor: FlaskClient, given: str
) -> None:
    kept = safe_filename(given)
    assert kept
    assert not set(kept) & set("/\\\r\n\x00")
    assert kept not in (".", "..")
    assert len(kept) <= 200
    slug, file_id = open_entry(office, filename=given)
    page = visitor.get(f"/dataset/{slug}")
    assert page.status_code == 200
    assert "<img src=x" not in page.text
    answer = visitor.get(f"/dataset/{slug}/resource/{file_id}/download/x")
    assert answer.status_code == 200
    header = answer.headers["Content-Disposition"]
    assert header.startswith("attachment;")
    assert header.count("filename=") == 1
    assert "Set-Cookie" not in answer.headers
    header.encode("ascii")


@pytest.mark.parametrize(
    ("filename", "data"),
    [
        ("page.html", b"<script>alert(document.cookie)</script>"),
        ("picture.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("page.xhtml", b"<html xmlns='http://www.w3.org/1999/xhtml'><script>1</script></html>"),
        ("data.xml", b"<?xml-stylesheet href='evil.xsl'?><a/>"),
        ("script.js", b"alert(1)"),
        ("table.csv", "编号,名称\n1,<script>alert(1)</script>\n".encode()),
        pytest.param("report.pdf", pdf("<script>alert(1)</script>"), id="report.pdf"),
        ("none", b"<html><script>alert(1)</script>"),
    ],
)
def test_cve_2021_25967_cve_2025_24372_user_files_are_never_run(
    office: Office, visitor: FlaskClient, filename: str, data: bytes
) -> None:
    """CKAN: uploaded pictures and pages ran scripts in the portal's origin."""
    slug, file_id = open_entry(office, data, filename)
    answer = visitor.get(f"/dataset/{slug}/resource/{file_id}/download/{filename}")
    assert answer.data == data
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
