"""The sample's pages are shown, in both languages, with links that lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Callable

from portal.app import create_app
from portal.demo.pages import load_pages
from portal.platform import Platform
from portal.services.site_pages import KINDS, shown_pages


def test_the_pages_are_shown_in_both_languages(make_platform: Callable[..., Platform]) -> None:
    platform = make_platform("sqlite")
    assert load_pages(platform) > len(KINDS)
    with platform.database.reading() as session:
        pages = shown_pages(session)
    assert {one.page.kind for one in pages} == set(KINDS)
    assert all(one.title_en and one.body_en for one in pages)
    client = create_app(platform).test_client()
    for path in ("/terms", "/privacy", "/news", "/policies", "/faq"):
        assert client.get(path).status_code == 200
    for page in pages:
        for link in re.findall(r"\]\((/[^)]*)\)", page.body + page.body_en):
            assert client.get(link).status_code in (200, 302), link
