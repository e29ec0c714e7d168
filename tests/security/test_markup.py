"""Text that people write stays text on every page, in every answer, in every field."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from portal.errors import Invalid
from portal.models import Organisation
from portal.services.distributions import check_link
from portal.web import markdown
from tests.portal.web.work.conftest import Office
from tests.security.attacking import open_entry

CORPUS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</textarea><iframe src=javascript:alert(1)>",
    "{{ 7*7 }}{% raw %}${7*7}",
    "<a href=javascript:alert(1)>x</a>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "\ue000<img src=x onerror=alert(1)>\ue001",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "＜script＞alert(1)＜/script＞",
    "\u2028</script><b onmouseover=alert(1)>",
)
MARKDOWN = (
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "![x](javascript:alert(1))",
    '![x](x" onerror="alert(1))',
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "[<img src=x onerror=alert(1)>](http://a)",
    "`<script>alert(1)</script>`",
    "|a|\n|-|\n|<script>alert(1)</script>|",
    "[x](http://a \"' onmouseover='alert(1)\")",
    "<style>@import 'http://evil'</style>",
    "<form action=http://evil><input name=password>",
    "<base href=http://evil>",
    "<meta http-equiv=refresh content=0;url=http://evil>",
)
MARKED = {"script", "iframe", "svg", "math", "object", "embed", "base", "form", "style", "meta"}


class _Active(HTMLParser):
    """Gathers what a browser would run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            plain = re.sub(r"[\s\x00-\x20]", "", value or "").lower()
            if name.startswith("on") or plain.startswith(("javascript:", "vbscript:", "data:text")):
                self.found.append(f"<{tag} {name}={value}>")
        given = dict(attrs)
        if tag == "script" and "nonce" not in given and given.get("type") != "application/ld+json":
            self.found.append("<script> without a nonce")
        if tag == "img" and given.get("src") == "x":
            self.found.append("<img src=x>")
        if tag in ("iframe", "object", "embed", "base", "math"):
            self.found.append(f"<{tag}>")


def active(html: str) -> list[str]:
    parser = _Active()
    parser.feed(html)
    return parser.found


@pytest.mark.parametrize("text", [*CORPUS, *MARKDOWN])
def test_cve_2025_54384_notes_make_no_active_content(text: str) -> None:
    """CKAN: a link in Markdown notes ran a script."""
    html = str(markdown.render(text))
    parser = _Active()
    parser.feed(html)
    assert parser.found == []
    assert not re.search(rf"<({'|'.join(MARKED)})\b", html, re.IGNORECASE), html
    assert "<img" not in html


@pytest.mark.parametrize("text", CORPUS)
def test_no_field_of_an_entry_is_markup_on_any_page(
    office: Office, visitor: FlaskClient, text: str
) -> None:
    slug, _ = open_entry(
        office,
        title=f"水质{text}",
        abstract=f"{text}\n\n{text}松花江水质自动监测站小时数据，供公众查询和研究使用，每小时更新一次。",
        keywords=("水质", text[:28]),
        contact_name=text,
        source_system=text,
    )
    editor = office.browser("agency_editor").client
    for client, paths in (
        (visitor, ("/", "/dataset", "/dataset?q=水质", f"/dataset/{slug}", "/organisation/JL-TRA")),
        (editor, ("/work", "/work/entries", f"/work/entries/{slug}", "/work/open-list")),
    ):
        for path in paths:
            answer = client.get(path, follow_redirects=True)
            assert answer.status_code == 200, path
            assert active(answer.text) == [], path
            assert "49${" not in answer.text
    page = visitor.get(f"/dataset/{slug}").text
    for block in re.findall(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', page, re.S):
        assert "<" not in block
        json.loads(block)


@pytest.mark.parametrize("text", CORPUS)
def test_no_word_of_a_query_is_markup(visitor: FlaskClient, text: str) -> None:
    for path, query in (
        ("/dataset", {"q": text}),
        ("/dataset", {"theme": text}),
        ("/dataset", {"page": text}),
        ("/dataset", {"sort": text}),
        (f"/dataset/{text.replace('/', '')}", {}),
        ("/organisation", {"q": text}),
        ("/login", {"next": f"/{text}"}),
    ):
        answer = visitor.get(path, query_string=query)
        assert active(answer.text) == [], path


def test_cve_2024_41675_cells_and_column_names_of_a_table_are_text(
    office: Office, visitor: FlaskClient
) -> None:
    """CKAN: a cell of a previewed table ran a script."""
    rows = "\n".join(
        f'{n:03d},"{text.replace(chr(34), chr(34) * 2)}"' for n, text in enumerate(CORPUS)
    )
    data = f'编号,"<img src=x onerror=alert(2)>"\n{rows}\n'.encode()
    slug, file_id = open_entry(office, data)
    for path in (f"/dataset/{slug}", f"/dataset/{slug}?sort=编号&q=script"):
        page = visitor.get(path, follow_redirects=True)
        assert page.status_code in (200, 422)
        assert active(page.text) == [], path
    assert "&lt;script&gt;alert(1)" in visitor.get(f"/dataset/{slug}").text
    for form in ("json", "csv", "xml"):
        answer = visitor.get(f"/dataset/{slug}/resource/{file_id}/export?format={form}")
        assert answer.headers["Content-Disposition"].startswith("attachment;")


def test_names_of_organisations_and_people_are_text(office: Office, visitor: FlaskClient) -> None:
    payload = "<img src=x onerror=alert(1)>"
    with office.platform.database.writing() as session:
        for organisation in session.query(Organisation).filter(Organisation.code == "JL-TRA"):
            organisation.name = organisation.short_name = organisation.name_en = payload
            organisation.description = f"{payload}\n\n[x](javascript:alert(1))"
    slug, _ = open_entry(office)
    browser = office.browser("agency_editor")
    for client in (visitor, browser.client):
        for path in ("/", "/organisation", "/organisation/JL-TRA", "/dataset", f"/dataset/{slug}"):
            assert active(client.get(path, follow_redirects=True).text) == [], path
    admin = office.browser("bureau_admin", "JL-BUR")
    assert active(admin.get("/work/accounts").text) == []


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", " javascript:x", "//evil", "http:", "ftp://a"],
)
def test_a_link_goes_to_http_addresses_only(url: str) -> None:
    with pytest.raises(Invalid):
        check_link(url)


def test_formulas_in_cells_are_defused_in_exports_and_kept_in_the_original(
    office: Office, visitor: FlaskClient
) -> None:
    cells = ("=cmd|' /C calc'!A0", "+1+1", "-2+3+cmd", "@SUM(A1)", "\t=1+1")
    data = "编号,名称\n" + "".join(f'{n},"{cell}"\n' for n, cell in enumerate(cells))
    slug, file_id = open_entry(office, data.encode())
    original = visitor.get(f"/dataset/{slug}/resource/{file_id}/download/x")
    assert original.data == data.encode()
    exported = visitor.get(f"/dataset/{slug}/resource/{file_id}/export?format=csv").text
    for line in exported.splitlines()[1:]:
        cell = line.partition(",")[2].strip('"')
        assert cell[:1] not in ("=", "+", "-", "@", "\t"), line
