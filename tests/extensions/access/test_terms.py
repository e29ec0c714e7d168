"""Narrower terms: rows that a grant covers, masking beyond the catalogue, reasons, attachments."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from extensions.access.row_filters import WORDS
from extensions.access.rules import Terms
from extensions.access.services.grants import agreement_of
from extensions.access.services.review_facts import difference_of, similar_uses
from portal.errors import GuardRefused
from portal.platform import Platform
from tests.extensions.access.conftest import ASKED, REQUEST, TERMS, Grants, Served
from tests.extensions.access.test_pages import FORM, Site, _apply, _hidden, make_site

WIDE = Terms(
    fields=("stop_code", "stop_name", "daily_passengers", "duty_phone"), quota_day=1000,
    per_minute=600, term_days=90,
)  # fmt: skip
LIMITED = replace(
    WIDE,
    fields=("stop_code", "stop_name"),
    masking={"stop_name": "mask_name"},
    row_filters=({"field": "daily_passengers", "op": "ge", "value": "1000"},),
)


@pytest.fixture
def database_kind() -> str:
    """Nothing here differs between databases."""
    return "sqlite"


@pytest.fixture
def limited(make_platform: Callable[..., Platform], serve: Callable[..., Served]) -> Served:
    return serve(make_platform("sqlite"), LIMITED)


def lines(answer: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.data.splitlines()]


def test_row_filters_are_added_to_every_question(limited: Served) -> None:
    covered = ["000123", "000125"]
    for path in ("", "/rows", "/rows?sort=-stop_code", "/rows?limit=1", "?stop_code__ge=0"):
        answer = limited.get(path).get_json(force=True)
        assert answer["total"] == 2, path
        assert {row["stop_code"] for row in answer["data"]} <= set(covered)
    assert [r["stop_code"] for r in lines(limited.get("/rows?format=ndjson"))] == covered
    assert limited.get("/rows?stop_code=000124").get_json(force=True)["data"] == []
    assert limited.get("/count").get_json(force=True) == {"count": 2}
    assert limited.get("/count?stop_code__in=000124,000126").get_json(force=True) == {"count": 0}
    groups = limited.get("/aggregate?group_by=stop_code").get_json(force=True)
    assert "000124" not in json.dumps(groups)
    schema = limited.get("/schema").get_json(force=True)
    assert (schema["row_count"], schema["caps"]["max_filters"]) == (2, 19)


def test_pages_of_a_limited_grant_lead_through_its_rows_alone(limited: Served) -> None:
    seen, path = [], "/rows?limit=1"
    while path:
        answer = limited.get(path).get_json(force=True)
        seen += [row["stop_code"] for row in answer["data"]]
        path = "" if not answer["next"] else answer["next"].partition("/data/v1/bus-stops")[2]
    assert seen == ["000123", "000125"]


def test_the_column_of_a_row_filter_need_not_be_granted_and_stays_closed(limited: Served) -> None:
    for query in ("daily_passengers=1200", "sort=daily_passengers", "fields=daily_passengers"):
        answer = limited.get(f"/rows?{query}")
        assert answer.status_code == 400, query
        assert "1200" not in answer.text.replace(query, "")


def test_a_grant_masks_beyond_the_catalogue(limited: Served) -> None:
    rows = limited.get("/rows").get_json(force=True)["data"]
    assert [row["stop_name"] for row in rows] == ["人***", "红**"]
    assert limited.get("/rows?stop_name__begins=人").status_code == 400
    assert limited.get("/aggregate?group_by=stop_name").status_code == 400


def test_a_filter_that_no_longer_fits_opens_nothing(limited: Served) -> None:
    def lose_the_column(_service: Any, application: Any) -> None:
        application.row_filters = [{"field": "gone", "op": "eq", "value": "1"}]

    limited.change(lose_the_column)
    answer = limited.get("/rows")
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (503, "no_data")


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (replace(TERMS, row_filters=({"field": "nope", "op": "eq", "value": "1"},)), "row_filters"),
        (
            replace(
                TERMS, row_filters=({"field": "daily_passengers", "op": "ge", "value": "many"},)
            ),
            "row_filters",
        ),
        (replace(TERMS, row_filters=({"field": "stop_code", "op": "x", "value": "1"},)), "row_filters"),
        (replace(TERMS, masking={"stop_code": "generalise_date"}), "masking"),
        (replace(TERMS, masking={"keeper": "mask_name"}), "masking"),
        (replace(TERMS, masking={"stop_code": "none"}), "masking"),
    ],
)  # fmt: skip
def test_terms_that_do_not_fit_are_refused(grants: Grants, terms: Terms, field: str) -> None:
    with pytest.raises(GuardRefused) as caught:
        grants.approved(terms)
    assert {defect.field for defect in caught.value.defects} == {field}


def test_the_agreement_states_rows_masking_and_where_the_data_is_kept(grants: Grants) -> None:
    text = agreement_of(grants.approved(LIMITED)).text
    assert "“日客流量”不小于“1000”" in text
    assert "脱敏后提供的信息项：站点名称" in text
    assert str(REQUEST.storage) in text


def test_each_sensitive_field_needs_its_own_reason(grants: Grants) -> None:
    draft = grants.draft(field_reasons={}, storage="机房")
    with pytest.raises(GuardRefused) as caught:
        grants.applications.submit(grants.applicant, draft)
    assert {d.field for d in caught.value.defects} == {"reason.duty_phone", "storage"}
    grants.applications.edit(
        grants.applicant, draft, replace(REQUEST, fields=("stop_code",), field_reasons={})
    )
    assert grants.applications.submit(grants.applicant, draft).state == "submitted"


def test_an_application_from_before_is_not_asked_for_more(grants: Grants) -> None:
    application = grants.submitted()
    application.policy_version = application.storage = application.field_reasons = None
    assert grants.applications.accept(grants.reviewer, application).state == "under_review"


def test_what_approval_changes(grants: Grants) -> None:
    held = grants.active()
    request = replace(REQUEST, volume_a_day=700)
    asked = grants.applications.create(grants.applicant, held.interface, request)
    items = {i.field_name: i for i in _items(held)}
    found = difference_of(grants.session, asked, items)
    assert found.held is held
    assert (found.new_fields, found.new_sensitive) == (("日客流量",), ())
    assert (found.quota_before, found.quota_after) == (100, 700)
    assert (found.holders, found.total_before, found.total_after) == (1, 100, 700)
    similar = similar_uses(grants.session, held.interface_id)
    assert [(one.fields, one.quota_day, one.title) for one in similar] == [(TERMS.fields, 100, "")]


def _items(application: Any) -> Any:
    from portal.services.content import content_of

    return content_of(application.version).items


def test_every_operator_has_words() -> None:
    from portal.tables.query import OPERATORS

    assert set(WORDS) == set(OPERATORS)


@pytest.fixture
def site(make_platform: Callable[..., Platform]) -> Site:
    return make_site(make_platform("sqlite"))


def test_attachments_are_read_by_the_parties_alone(site: Site) -> None:
    developer = site.signed_in("developer")
    path = f"/dataset/{site.slug}/apply"
    bad = _send(developer, path, (io.BytesIO(b"x"), "run.exe"), action="save")
    assert bad.status_code == 422
    assert "run.exe" in bad.text
    applied = _send(developer, path, (io.BytesIO(b"%PDF-1.7 proof"), "证明.pdf"))
    assert applied.status_code == 303, applied.text[:500]
    mine = applied.headers["Location"]
    link = next(
        p.split('"')[0] for p in developer.page(mine).split('href="') if "/attachments/" in p
    )
    answer = developer.client.get(link)
    assert answer.data == b"%PDF-1.7 proof"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    for who, status in (("clerk", 200), ("bureau", 200), ("other", 403), ("stranger", 403)):
        assert site.signed_in(who).client.get(link).status_code == status, who
    assert site.app.test_client().get(link).status_code in (302, 401)
    assert (
        developer.client.get(link.replace("/applications/1/", "/applications/2/")).status_code
        == 404
    )
    gone = developer.send(developer.page(mine), f"{link}/remove")
    assert gone.status_code == 409  # handed in already


def _send(visitor: Any, path: str, file: Any, **changes: Any) -> Any:
    page = visitor.page(path)
    hidden = {name: _hidden(page, name) for name in ("csrf_token", "seen", "key")}
    return visitor.client.post(path, data={**hidden, **FORM, "attachments": file, **changes})


def test_the_clerk_narrows_and_the_bureau_edits_the_policy(site: Site) -> None:
    developer, clerk, bureau = (site.signed_in(w) for w in ("developer", "clerk", "bureau"))
    mine = _apply(site, developer).headers["Location"]
    theirs = f"/work{mine}"
    assert clerk.send(clerk.page(theirs), f"{theirs}/accept").status_code == 303
    page = clerk.page(theirs)
    assert "同意后的变化" in page
    assert "核对站点值班安排" in page
    terms = {
        "fields": ["stop_code", "stop_name"], "quota_day": "90", "per_minute": "9",
        "term_days": "30", "mask.stop_name": "mask_name", "rf_field": ["daily_passengers", ""],
        "rf_op": ["ge", "eq"], "rf_value": ["abc", ""],
    }  # fmt: skip
    refused = clerk.send(page, f"{theirs}/approve", **terms)
    assert refused.status_code == 422
    assert 'value="abc"' in refused.text
    terms["rf_value"] = ["1000", ""]
    assert clerk.send(clerk.page(theirs), f"{theirs}/approve", **terms).status_code == 303
    agreement = developer.page(f"{mine}/agreement")
    assert "不小于" in agreement
    for visitor in (clerk, bureau):
        assert "审批规则" in visitor.page("/work/access-policy")
    assert set(ASKED) > set(terms["fields"])
