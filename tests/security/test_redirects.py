"""`next` leads to this site only."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from flask.testing import FlaskClient

from tests.portal.web.work.conftest import Office
from tests.security.attacking import log_in

EVIL = (
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/%09/evil.example",
    "/%0d%0aLocation:%20https://evil.example",
    "/work\r\nSet-Cookie: a=b",
    "/.//evil.example",
    "/..//evil.example",
    "@evil.example",
    "evil.example",
    "/login@evil.example//evil.example",
    "//evil.example\\@localhost",
    "／／evil.example",
    "/／evil.example",
    "",
)


def _leads_here(location: str) -> bool:
    """Read the address as browsers do: tabs and line ends vanish, backslashes are slashes."""
    read = "".join(c for c in location if c not in "\t\r\n").strip(" ").replace("\\", "/")
    return urlsplit(urljoin("http://localhost/login", read)).netloc == "localhost"


@pytest.mark.parametrize("target", EVIL)
def test_no_next_leads_away(office: Office, visitor: FlaskClient, target: str) -> None:
    name = office.username("agency_editor", "JL-TRA")
    signed_in = log_in(visitor, name, next=target)
    assert signed_in.status_code == 302
    answers = [
        signed_in,
        visitor.get("/login", query_string={"next": target}),
        visitor.get("/lang/en", query_string={"next": target}),
    ]
    for answer in answers:
        location = answer.headers["Location"]
        assert _leads_here(location), location
        assert "\r" not in location
        assert "\n" not in location
        assert "Set-Cookie: a=b" not in str(answer.headers)


def test_a_page_of_this_site_is_come_back_to(office: Office, visitor: FlaskClient) -> None:
    name = office.username("agency_editor", "JL-TRA")
    asked = visitor.get("/work/entries?state=draft")
    assert asked.headers["Location"] == "/login?next=%2Fwork%2Fentries%3Fstate%3Ddraft"
    answer = log_in(visitor, name, next="/work/entries?state=draft")
    assert answer.headers["Location"] == "/work/entries?state=draft"


@pytest.mark.parametrize("path", ["//evil.example/..", "//evil.example", "/\\evil.example"])
@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_no_path_of_a_request_leads_away(visitor: FlaskClient, path: str, host: str) -> None:
    answer = visitor.get("/", environ_overrides={"PATH_INFO": path, "HTTP_HOST": host})
    assert _leads_here(answer.headers.get("Location", "/"))


def test_a_foreign_host_header_goes_nowhere(visitor: FlaskClient) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    for path in ("/", "/login", "/dataset", "/work", "/sitemap.xml", "/robots.txt", "/api/3"):
        answer = visitor.get(path, headers=headers)
        assert "evil.example" not in answer.text, path
        assert "evil.example" not in answer.headers.get("Location", "")
