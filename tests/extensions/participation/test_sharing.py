"""Sharing and feeds: readable by anybody, nothing of a private account in them."""

from __future__ import annotations

import feedparser
import segno

from extensions.participation.services.follows import follow_entry
from portal.models.account import get_account
from portal.models.entry import get_entry
from portal.services.accounts import actor_of
from tests.extensions.participation.conftest import Site


def test_the_feed_of_a_data_set_can_be_read_without_an_account(site: Site) -> None:
    with site.platform.database.writing() as session:
        alice = actor_of(get_account(session, site.names["alice"]))
        follow_entry(session, site.platform.clock, alice, get_entry(session, site.slug))
    answer = site.browser().client.get(f"/dataset/{site.slug}/changes.atom")
    assert answer.content_type.startswith("application/atom+xml")
    feed = feedparser.parse(answer.data)
    assert not feed.bozo
    assert feed.entries
    assert any("向公众开放" in entry.title for entry in feed.entries)
    english = site.browser().client.get(
        f"/dataset/{site.slug}/changes.atom", headers={"Accept-Language": "en"}
    )
    assert english.data == answer.data  # caches keep one for all
    assert len({entry.id for entry in feed.entries}) == len(feed.entries)
    assert site.names["alice"] not in answer.get_data(as_text=True)
    stamps = [entry.updated for entry in feed.entries]
    assert stamps == sorted(stamps, reverse=True)


def test_the_qr_code_holds_the_permanent_address(site: Site) -> None:
    answer = site.browser().client.get(f"/dataset/{site.slug}/qr.svg")
    assert answer.content_type.startswith("image/svg+xml")
    address = f"{site.platform.settings.site_url.rstrip('/')}/dataset/{site.slug}"
    drawn = segno.make(address, error="m", micro=False).svg_inline(
        scale=4, border=4, dark="#000", light="#fff"
    )
    assert drawn.split("<path", 1)[1].split("</svg>")[0] in answer.get_data(as_text=True)


def test_a_hidden_data_set_has_neither(site: Site) -> None:
    client = site.browser().client
    for what in ("qr.svg", "changes.atom"):
        assert client.get(f"/dataset/no-such-data/{what}").status_code == 404


def test_the_page_offers_the_wider_feeds(site: Site) -> None:
    html = site.browser().page(f"/dataset/{site.slug}")
    assert f'href="/dataset/{site.slug}/changes.atom"' in html
    assert "/feeds/organisation/" in html
    assert "/feeds/theme/" in html
    for link in ("/feeds/theme/", "/feeds/organisation/"):
        path = link + html.split(f'href="{link}')[1].split('"')[0]
        assert feedparser.parse(site.browser().client.get(path).data).entries
