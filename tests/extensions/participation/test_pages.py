"""The pages as people use them, and as attackers try to."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from extensions.participation.models import (
    DataDemand,
    DemandVote,
    EntryComment,
    EntryRating,
    Reuse,
)
from portal.models import Notice
from tests.extensions.participation.conftest import Site

XSS = "<script>alert(1)</script><img src=x onerror=alert(2)> [点我](javascript:alert(3))"
DEMAND = {
    "title": "全省农村客运班线时刻",
    "purpose": "做一个返乡换乘查询小程序",
    "wanted": "线路、时刻",
}
REUSE = {
    "title": "公交看板应用",
    "kind": "app",
    "url": "https://example.org/bus",
    "description": "在手机上看到站时间的小程序",
}


def one(site: Site, query: Any) -> Any:
    with site.platform.database.reading() as session:
        found = session.scalars(query).one()
        session.expunge_all()
        return found


def count(site: Site, model: Any) -> int:
    with site.platform.database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def file_demand(site: Site, who: str = "alice", **changes: str) -> DataDemand:
    browser = site.browser(who)
    html = browser.page(f"/demands/new?title={DEMAND['title']}")
    seen = html.split('name="seen_similar" value="')[1].split('"')[0]
    answer = browser.submit("/demands/new", **{**DEMAND, "seen_similar": seen, **changes})
    assert answer.status_code == 303, answer.get_data(as_text=True)[:3000]
    return one(site, select(DataDemand).order_by(DataDemand.id.desc()).limit(1))


def moderate(site: Site, kind: str, text_id: int, decision: str = "shown", **more: str) -> Any:
    return site.browser("bureau").submit(
        f"/work/participation/{kind}/{text_id}",
        "/account",
        decision=decision,
        seen=more.pop("seen", "waiting"),
        **more,
    )


def test_a_first_demand_waits_and_later_ones_are_public_at_once(site: Site) -> None:
    first = file_demand(site)
    assert first.review == "waiting"
    site.browser().page(f"/demands/{first.id}", 404)
    site.browser("bob").page(f"/demands/{first.id}", 404)
    assert "待审核" in site.browser("alice").page(f"/demands/{first.id}")
    assert DEMAND["title"] not in site.browser().page("/demands")
    assert moderate(site, "demand", first.id).status_code == 303
    assert DEMAND["title"] in site.browser().page("/demands")
    assert site.browser().page(f"/demands/{first.id}")
    second = file_demand(site, title="体育场馆开放时间")
    assert second.review == "shown"


def test_who_was_hidden_waits_again(site: Site) -> None:
    first = file_demand(site)
    moderate(site, "demand", first.id)
    assert moderate(site, "demand", first.id, "hidden", seen="shown").status_code == 422
    answer = moderate(site, "demand", first.id, "hidden", seen="shown", reason="广告")
    assert answer.status_code == 303
    site.browser().page(f"/demands/{first.id}", 404)
    assert "广告" in site.browser("alice").page(f"/demands/{first.id}")
    assert file_demand(site, title="体育场馆开放时间").review == "waiting"


def test_a_similar_demand_is_shown_before_another_is_filed(site: Site) -> None:
    first = file_demand(site)
    moderate(site, "demand", first.id)
    answer = site.browser("bob").submit(
        "/demands/new", **{**DEMAND, "title": "农村客运班线时刻"}, seen_similar=""
    )
    assert answer.status_code == 409
    html = answer.get_data(as_text=True)
    assert f"/demands/{first.id}" in html
    assert "做一个返乡换乘查询小程序" in html  # nothing typed is lost


def test_a_demand_is_voted_for_once(site: Site) -> None:
    demand = file_demand(site)
    moderate(site, "demand", demand.id)
    bob, path = site.browser("bob"), f"/demands/{demand.id}"
    page = bob.page(path)
    key = page.split('name="key" value="')[1].split('"')[0]
    assert bob.submit(f"{path}/vote", path).status_code == 303
    assert bob.submit(f"{path}/vote", path, key=f"{key}-2").status_code == 409
    assert "2 人支持" in bob.page(path)
    assert count(site, DemandVote) == 2


def test_voting_needs_the_token_and_post(site: Site) -> None:
    demand = file_demand(site)
    moderate(site, "demand", demand.id)
    bob = site.browser("bob")
    assert bob.client.get(f"/demands/{demand.id}/vote").status_code == 405
    assert bob.client.post(f"/demands/{demand.id}/vote", data={"key": "k" * 20}).status_code == 400
    site.browser().page("/demands/new", 302)


def test_the_form_sets_nothing_but_its_own_fields(site: Site) -> None:
    """Mass assignment: state, review, agency and author are not the filer's."""
    demand = file_demand(
        site, state="answered", review="shown", agency_id="1", author_id="1", votes="99", id="77"
    )
    assert (demand.state, demand.review, demand.agency_id) == ("open", "waiting", None)
    assert demand.id != 77
    with site.platform.database.reading() as session:
        found = session.get_one(DataDemand, demand.id)
        assert found.author.username == site.names["alice"]


def test_only_the_bureau_moderates_and_nobody_own_texts(site: Site) -> None:
    demand = file_demand(site)
    for who in ("alice", "bob", "editor"):
        answer = site.browser(who).submit(
            f"/work/participation/demand/{demand.id}", "/account", decision="shown", seen="waiting"
        )
        assert answer.status_code == 403
        site.browser(who).page("/work/participation", 403)
    own = file_demand(site, "bureau", title="数据局想要的数据")
    assert moderate(site, "demand", own.id, "hidden", seen="shown", reason="x").status_code == 422
    assert moderate(site, "nonsense", own.id).status_code == 404


@pytest.mark.parametrize("path", ["/work/demands", "/work/participation", "/follows"])
def test_pages_of_people_are_not_for_visitors(site: Site, path: str) -> None:
    site.browser().page(path, 302)


def test_the_agency_answers_from_its_work_page(site: Site) -> None:
    demand = file_demand(site)
    bureau, base = site.browser("bureau"), f"/work/demands/{demand.id}"
    assert DEMAND["title"] in bureau.page("/work")
    site.browser("editor").page(base, 403)
    assert bureau.submit(f"{base}/assign", base, agency="JL-TRA").status_code == 303
    site.browser("stranger").page(base, 403)
    editor = site.browser("editor")
    assert DEMAND["title"] in editor.page("/work")
    refused = editor.submit(f"{base}/exists", base, entry="no-such")
    assert refused.status_code == 409
    assert "已经开放的数据" in refused.get_data(as_text=True)
    address = f"http://localhost/dataset/{site.slug}"
    assert editor.submit(f"{base}/exists", base, entry=address).status_code == 303
    page = site.browser().page(f"/demands/{demand.id}")
    assert "已满足" in page
    assert f"/dataset/{site.slug}" in page
    assert "相关需求" in site.browser().page(f"/dataset/{site.slug}")


def test_an_empty_search_offers_to_ask_for_the_data(site: Site) -> None:
    page = site.browser().page("/dataset?q=量子纠缠台账")
    assert "/demands/new?title=" in page


def test_nothing_typed_becomes_markup(site: Site) -> None:
    demand = file_demand(site, title=XSS[:90], purpose=XSS, wanted=XSS)
    moderate(site, "demand", demand.id)
    reuse_fields = {**REUSE, "title": XSS[:90], "maker": "<b>我</b>", "description": XSS}
    assert (
        site.browser("alice").submit("/reuses/new", used=site.slug, **reuse_fields).status_code
        == 303
    )
    reuse = one(site, select(Reuse))
    moderate(site, "reuse", reuse.id)
    path = f"/dataset/{site.slug}/discussion"
    site.browser("alice").submit(f"/dataset/{site.slug}/comments", path, kind="comment", text=XSS)
    pages = ["/demands", f"/demands/{demand.id}", "/reuses", f"/reuses/{reuse.id}", path,
             f"/dataset/{site.slug}"]  # fmt: skip
    for page in pages:
        html = site.browser("alice").page(page)
        assert "<script>alert" not in html, page
        assert "<img src=x" not in html, page
        assert 'href="javascript:' not in html, page
        assert "<b>我</b>" not in html, page
    for page in ("/work/participation", "/work/demands", f"/work/demands/{demand.id}"):
        assert "<script>alert" not in site.browser("bureau").page(page)


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "https://", "ftp://example.org", "//example.org",
     "https://user@example.org/", "https://exa mple.org", "data:text/html,x", "http://localhost"],
)  # fmt: skip
def test_a_reuse_links_to_the_web_only(site: Site, url: str) -> None:
    answer = site.browser("alice").submit("/reuses/new", used=site.slug, **{**REUSE, "url": url})
    assert answer.status_code == 422
    assert count(site, Reuse) == 0


def test_a_reuse_always_waits_and_then_names_its_version(site: Site) -> None:
    alice = site.browser("alice")
    assert alice.submit("/reuses/new", used="no-such", **REUSE).status_code == 422
    answer = alice.submit("/reuses/new", used=f"http://x/dataset/{site.slug}\n", **REUSE)
    assert answer.status_code == 303
    reuse = one(site, select(Reuse))
    site.browser().page(f"/reuses/{reuse.id}", 404)
    assert REUSE["title"] not in site.browser().page("/reuses")
    moderate(site, "reuse", reuse.id)
    page = site.browser().page(f"/reuses/{reuse.id}")
    assert "目录第 1 版" in page
    assert 'rel="nofollow noopener noreferrer ugc"' in page
    assert REUSE["title"] in site.browser().page(f"/dataset/{site.slug}")
    with site.platform.database.reading() as session:
        texts = session.scalars(select(Notice.text)).all()
    assert any("已公开" in text for text in texts)


def test_questions_are_moderated_answered_and_told(site: Site) -> None:
    path = f"/dataset/{site.slug}/discussion"
    alice = site.browser("alice")
    alice.submit(f"/dataset/{site.slug}/comments", path, kind="question", text="有历史数据吗？")
    question = one(site, select(EntryComment))
    assert "有历史数据吗" not in site.browser().page(path)
    editor = site.browser("editor")
    answer = f"/comments/{question.id}/answer"
    assert editor.submit(answer, path, answer="有的").status_code == 404  # not shown yet
    moderate(site, "comment", question.id)
    assert "有历史数据吗" in editor.page("/work")
    for who in ("bob", "stranger"):
        assert site.browser(who).submit(answer, path, answer="假的").status_code == 403
    assert editor.submit(answer, path, answer="下月补充").status_code == 303
    assert "下月补充" in site.browser().page(path)
    assert "有历史数据吗" not in editor.page("/work")
    assert "答复了您的提问" in alice.page("/notices")


def test_ratings_are_one_an_account_and_never_the_providers(site: Site) -> None:
    path = f"/dataset/{site.slug}/discussion"
    for stars in ("5", "3"):
        answer = site.browser("alice").submit(f"/dataset/{site.slug}/rating", path, stars=stars)
        assert answer.status_code == 303
    assert one(site, select(EntryRating)).stars == 3
    bob = site.browser("bob")
    for wrong in ("0", "6", "-1", "x", "٣", ""):
        answer = bob.submit(f"/dataset/{site.slug}/rating", path, stars=wrong)
        assert answer.status_code == 422
    editor = site.browser("editor")
    assert editor.submit(f"/dataset/{site.slug}/rating", path, stars="5").status_code == 403
    assert count(site, EntryRating) == 1


def test_the_twenty_first_comment_of_a_day_is_refused_with_its_text_kept(site: Site) -> None:
    path, editor = f"/dataset/{site.slug}/discussion", site.browser("editor")
    for number in range(20):
        answer = editor.submit(
            f"/dataset/{site.slug}/comments", path, kind="comment", text=f"第{number}条"
        )
        assert answer.status_code == 303
    answer = editor.submit(f"/dataset/{site.slug}/comments", path, kind="comment", text="再来一条")
    assert answer.status_code == 429
    assert "Retry-After" in answer.headers
    assert "再来一条" in answer.get_data(as_text=True)
    assert count(site, EntryComment) == 20


def test_a_double_click_writes_one_comment(site: Site) -> None:
    path, alice = f"/dataset/{site.slug}/discussion", site.browser("alice")
    for _ in range(2):
        alice.submit(
            f"/dataset/{site.slug}/comments", path, kind="comment", text="好用", key="same-key-1"
        )
    assert count(site, EntryComment) == 1


def test_following_and_its_list(site: Site) -> None:
    alice, page = site.browser("alice"), f"/dataset/{site.slug}"
    assert "0 人关注" in alice.page(page)
    assert alice.submit(f"{page}/follow", page).status_code == 303
    assert "取消关注" in alice.page(page)
    assert site.slug in alice.page("/follows")
    assert alice.submit(f"{page}/unfollow", page, back="follows").location == "/follows"
    assert site.slug not in alice.page("/follows")


def test_pages_speak_english_too(site: Site) -> None:
    for path in ("/demands", "/reuses", f"/dataset/{site.slug}/discussion"):
        assert site.browser().client.get(path, headers={"Accept-Language": "en"}).status_code == 200


@pytest.mark.parametrize("path", ["/demands/99", "/reuses/99", "/demands/99999999999"])
def test_what_is_not_there_is_said(site: Site, path: str) -> None:
    site.browser().page(path, 404)


@pytest.mark.parametrize("query", ["state=x", "sort=x", "q=%25_", "page=2", "kind=x"])
def test_odd_parameters_break_nothing(site: Site, query: str) -> None:
    site.browser().page(f"/demands?{query}")
    site.browser().page(f"/reuses?{query}")
