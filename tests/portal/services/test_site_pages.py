"""Pages of the site keep every version, and readers see the one that is shown."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.services.site_pages import PageText, SitePageService, shown_page, shown_pages
from tests.factories import People, SetClock

TEXT = PageText("平台上线", "### 今天\n\n平台正式上线。")


@pytest.fixture
def service(session: Session, clock: SetClock) -> SitePageService:
    return SitePageService(session, clock)


def test_a_new_version_is_seen_once_it_is_shown(
    service: SitePageService, session: Session, people: People
) -> None:
    first = service.create(people.admin, "news", "opening", TEXT)
    with pytest.raises(NotFound):
        shown_page(session, "opening")
    service.show(people.admin, first)
    page = first.page
    second = service.write(
        people.admin, page, PageText("平台今日上线", "正文", note="改标题"), seen=page.row_version
    )
    assert shown_page(session, "opening").title == "平台上线"
    service.show(people.admin, second)
    assert shown_page(session, "opening").title == "平台今日上线"
    service.show(people.admin, first)  # back to an earlier one
    assert shown_page(session, "opening").number == 1
    service.hide(people.admin, page)
    assert shown_pages(session, "news") == []


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_what_is_refused(service: SitePageService, people: People) -> None:
    with pytest.raises(Forbidden):
        service.create(people.bureau, "news", "opening", TEXT)
    page = service.create(people.admin, "terms", "whatever", TEXT).page
    assert page.slug == "terms"
    for kind, slug, text in (
        ("terms", "", TEXT),  # there is one
        ("news", "Opening Day", TEXT),
        ("gossip", "x", TEXT),
        ("news", "x", PageText(" ", "正文")),
        ("news", "x", PageText("标题", "正文", title_en="Title")),  # a title without its text
    ):
        with pytest.raises(Invalid):
            service.create(people.admin, kind, slug, text)
    with pytest.raises(Invalid):
        service.write(people.admin, page, TEXT, seen=page.row_version)
    with pytest.raises(Conflict):
        service.write(people.admin, page, PageText("标题", "正文"), seen=page.row_version + 1)
