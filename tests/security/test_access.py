"""Applications, grants and the gateway under attack: foreign ones, more fields, spoofed callers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from extensions.access.models import AccessApplication, AccessAttachment, AccessKey, UseReport
from extensions.access.rules import Terms
from portal.app import create_app
from portal.jobs.worker import Worker
from portal.models.account import Account
from portal.platform import Platform
from tests.extensions.access.conftest import Grants, Served, serve
from tests.extensions.access.test_pages import FORM, Site, Visitor, _apply, make_site
from tests.factories import Catalogue, People
from tests.security.attacking import csrf_token

__all__ = ["serve"]
STATES = (
    "draft", "submitted", "correction_needed", "under_review", "approved", "active", "suspended",
)  # fmt: skip
OUTSIDERS = ("visitor", "other", "stranger")
NUMBERS = {"application_id", "attachment_id"}
EVERYTHING = {
    "action": "submit", "purpose": "改写他人的申请，改写他人的申请", "reason": "越权", "ground": "law",
    "revoke_reason": "越权", "extend_reason": "越权", "working_days": "5", "accepted": "yes",
    "fields": ["stop_code"], "quota_day": "9", "per_minute": "9", "term_days": "9",
    "key_name": "越权", "key_id": "1", "overlap_hours": "0", "result": "越权" * 20,
    "defect_field": ["purpose"], "defect_text": ["越权"],
}  # fmt: skip


@dataclass
class Matrix:
    """One application in each state, and everybody's browser."""

    app: Flask
    platform: Platform
    ids: dict[str, int]
    versions: dict[str, int]
    visitors: dict[str, Visitor]
    tokens: dict[str, str]

    def send(self, method: str, path: str, who: str, seen: int) -> Any:
        client = self.visitors[who].client
        if method == "GET":
            return client.get(path)
        data = {**EVERYTHING, "csrf_token": self.tokens[who], "seen": str(seen), "key": "k" * 20}
        return client.post(path, data=data)

    def facts(self) -> list[Any]:
        """Return all that a foreign hand might change."""
        with self.platform.database.reading() as session:
            table = AccessApplication.__table__
            rows = [tuple(row) for row in session.execute(select(table).order_by(table.c.id))]
            counts = [len(session.scalars(select(m)).all()) for m in (AccessAttachment, UseReport)]
            keys = session.execute(select(AccessKey.id, AccessKey.revoked_at, AccessKey.expires_at))
            return [rows, counts, [tuple(key) for key in keys]]

    def addresses(self) -> Iterator[tuple[str, str, str]]:
        """Yield (method, rule, endpoint) of every route that names an application."""
        for rule in self.app.url_map.iter_rules():
            if "application_id" in rule.arguments:
                assert rule.arguments <= NUMBERS, rule
                for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                    yield method, rule.rule, rule.endpoint

    def path(self, rule: str, state: str) -> str:
        number = str(self.ids[state])
        path = rule.replace("<int(max=2147483647):application_id>", number)
        return path.replace("<int(max=2147483647):attachment_id>", "1")


@pytest.fixture
def matrix(make_platform: Callable[..., Platform]) -> Matrix:
    platform = make_platform("sqlite")
    ids, versions = {}, {}
    with platform.database.writing() as session:
        people = People(platform, session)
        grants = Grants(platform, session, people, Catalogue(platform, session, people))
        make = grants.interface
        for state in STATES:
            interface = make(api_code=f"stops-{state.replace('_', '-')}")
            grants.interface = lambda *_a, one=interface, **_k: one  # type: ignore[method-assign]
            made = grants.in_state(state)
            ids[state], versions[state] = made.id, made.row_version
        actors = {
            "other": people.actor("applicant", number=2), "stranger": people.stranger,
            "clerk": people.agency_reviewer, "bureau": people.bureau, "owner": people.applicant,
        }  # fmt: skip
        names = {k: session.get(Account, a.account_id).username for k, a in actors.items()}
    Worker(platform).run_until_idle()
    app = create_app(platform)
    site = Site(platform, app, "", names)
    visitors = {who: site.signed_in(who) for who in names}
    visitors["visitor"] = Visitor(app.test_client())
    paths = dict.fromkeys(visitors, "/developer") | {"visitor": "/login"}
    tokens = {who: csrf_token(one.client, paths[who]) for who, one in visitors.items()}
    return Matrix(app, platform, ids, versions, visitors, tokens)


def test_nobody_does_by_any_route_in_any_state_what_is_anothers(matrix: Matrix) -> None:
    before = matrix.facts()
    addresses = list(matrix.addresses())
    assert len(addresses) >= 25
    for (method, rule, _), state, who in itertools.product(addresses, STATES, OUTSIDERS):
        path = matrix.path(rule, state)
        answer = matrix.send(method, path, who, matrix.versions[state])
        case = (method, path, who, state, answer.status_code)
        assert answer.status_code in (302, 401, 403, 404), case
        if answer.status_code == 302:
            assert "/login" in answer.headers["Location"], case
    _parties_act_on_their_own_side_alone(matrix)
    _a_draft_is_its_writers_alone(matrix)
    assert matrix.facts() == before


def _parties_act_on_their_own_side_alone(matrix: Matrix) -> None:
    """The agency and the Bureau do nothing as the applicant, the applicant nothing as they."""
    for method, rule, _ in matrix.addresses():
        is_work = rule.startswith("/work/")
        for state in STATES:
            for who in ("owner",) if is_work else ("clerk", "bureau"):
                if method == "POST":
                    answer = matrix.send(method, matrix.path(rule, state), who, 2)
                    assert answer.status_code in (403, 404), (rule, who, state, answer.status_code)


def _a_draft_is_its_writers_alone(matrix: Matrix) -> None:
    for method, rule, _ in matrix.addresses():
        if method == "GET":
            for who in ("clerk", "bureau"):
                answer = matrix.send(method, matrix.path(rule, "draft"), who, 1)
                assert answer.status_code in (403, 404), (rule, who, answer.status_code)


@pytest.fixture
def site(make_platform: Callable[..., Platform]) -> Site:
    return make_site(make_platform("sqlite"))


MORE = {
    "id": "99", "state": "active", "row_version": "1", "applicant_id": "1", "interface_id": "7",
    "entry_id": "7", "version_id": "7", "renews_id": "1", "granted_fields": "keeper",
    "valid_until": "2099-01-01", "decided_by": "1", "policy_version": "9", "submitted_at": "2020-01-01",
    "accepted_at": "2020-01-01", "approved_at": "2020-01-01", "granted_masking": "{}",
    "row_filters": "[]", "conditions": "none", "reject_ground": "law", "correction": "[]",
    "form_key": "x", "secret_hash": "0" * 64, "expires_at": "2099-01-01", "quota_day": "1000000",
    "per_minute": "6000", "quota_term": "5",
}  # fmt: skip


def _application(site: Site) -> AccessApplication:
    with site.platform.database.reading() as session:
        found = session.scalars(select(AccessApplication)).one()
        session.expunge_all()
        return found


def test_the_application_form_takes_its_own_fields_alone(site: Site) -> None:
    developer = site.signed_in("developer")
    assert _apply(site, developer, **MORE).status_code == 303
    made = _application(site)
    assert (made.id, made.state, made.policy_version, made.form_key) == (
        1,
        "submitted",
        1,
        made.form_key,
    )
    assert made.form_key != "x"
    for name in ("granted_fields", "correction", "row_filters", "granted_masking"):
        assert not getattr(made, name), name
    for name in (
        "valid_until",
        "decided_by",
        "renews_id",
        "approved_at",
        "quota_day",
        "per_minute",
    ):
        assert getattr(made, name) is None, name
    assert (made.conditions, made.reject_ground) == ("", "")


def test_the_decision_forms_take_their_own_fields_alone(site: Site) -> None:
    developer, clerk = site.signed_in("developer"), site.signed_in("clerk")
    mine = _apply(site, developer, fields=["stop_code"]).headers["Location"]
    theirs = f"/work{mine}"
    more = {k: v for k, v in MORE.items() if k not in ("quota_day", "per_minute", "quota_term")}
    assert clerk.send(clerk.page(theirs), f"{theirs}/accept", **more).status_code == 303
    terms = {
        "fields": ["stop_code", "stop_name"], "quota_day": "9", "per_minute": "9", "term_days": "9",
    }  # fmt: skip
    wider = clerk.send(clerk.page(theirs), f"{theirs}/approve", **{**more, **terms})
    assert wider.status_code == 422  # more than was asked for
    terms["fields"] = ["stop_code"]
    approved = clerk.send(clerk.page(theirs), f"{theirs}/approve", **{**more, **terms})
    assert approved.status_code == 303
    made = _application(site)
    assert (made.state, made.granted_fields, made.quota_day) == ("approved", ["stop_code"], 9)
    assert str(made.valid_until) == "2026-12-03"
    assert (made.policy_version, made.reject_ground, made.row_filters) == (1, "", [])


def test_an_answer_to_another_page_is_not_taken_for_a_decision(site: Site) -> None:
    developer = site.signed_in("developer")
    mine = _apply(site, developer).headers["Location"]
    later = developer.send(developer.page(mine), f"{mine}/edit", **FORM)
    assert later.status_code == 409  # what was handed in is read as it was


OFTEN = Terms(
    fields=("stop_code", "stop_name", "daily_passengers", "opened_on", "duty_phone")[:3],
    quota_day=100_000, per_minute=6_000, term_days=30,
)  # fmt: skip


@pytest.fixture
def served(make_platform: Callable[..., Platform], serve: Callable[..., Served]) -> Served:
    return serve(make_platform("sqlite"), OFTEN)


PAYLOADS = (
    "' OR '1'='1", "x') OR 1=1 --", '"; DROP TABLE rows; --', "1 UNION SELECT keeper FROM rows",
    "keeper", "read_text('/etc/passwd')", "*", "%27", "\x00", "𝟏", "${jndi:ldap://x}",
    "{{7*7}}", "-- ", "1;ATTACH 'x'", "a" * 3000,
)  # fmt: skip
CLOSED = ("张三丰", "root:", "13912345678")
WAYS = {
    "/rows": ("fields", "sort", "limit", "cursor", "format", "stop_name", "stop_name__contains",
              "stop_name__begins", "stop_name__in", "daily_passengers__ge", "stop_code__is_blank",
              "stop_code__nope", "_id", "q"),
    "/aggregate": ("group_by", "measure", "format", "stop_name"),
    "/count": ("stop_name__ne", "limit"),
    "": ("fields", "sort", "offset", "after_id", "stop_name__lt"),
}  # fmt: skip


def test_no_parameter_of_a_call_is_more_than_a_value(served: Served) -> None:
    for path, names in WAYS.items():
        for name, payload in itertools.product(names, PAYLOADS):
            answer = served.get(path, query_string={name: payload})
            case = (path, name, payload[:40], answer.status_code)
            assert answer.status_code in (200, 400), case
            body = answer.text.replace(payload[:40], "")
            assert not any(word in body for word in CLOSED), case
        for payload in PAYLOADS:  # as a name
            answer = served.get(path, query_string={payload: "1"})
            assert answer.status_code == 400, (path, payload[:40])
    assert served.get("/count").get_json(force=True) == {"count": 4}


def test_a_spoofed_address_starts_no_new_quota(
    make_platform: Callable[..., Platform], serve: Callable[..., Served]
) -> None:
    terms = Terms(fields=("stop_code",), quota_day=3, per_minute=60, term_days=30)
    served = serve(make_platform("sqlite"), terms)
    statuses = [
        served.get("/count", headers={name: f"203.0.113.{n}"}).status_code
        for n, name in enumerate(
            ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "X-Forwarded-For")
        )
    ]
    assert statuses == [200, 200, 200, 429, 429]


def test_a_secret_stands_in_no_log_error_or_file(
    capfd: pytest.CaptureFixture[str],  # first: the application logs to what stands then
    served: Served,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when the call breaks: neither the answer nor the trace shows what it came with."""
    canary = served.secret

    def broken(*_arguments: Any, **_options: Any) -> Any:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(served.platform.tables, "run", broken)
        served.client.application.config["PROPAGATE_EXCEPTIONS"] = False
        answers = [served.get("/rows"), served.get(""), served.get("/rows?sort=nope")]
    form = {"grant_type": "client_credentials", "client_id": "SQ1", "client_secret": canary}
    answers.append(served.client.post("/oauth/token", data=form))
    answers.append(served.client.get(f"/data/v1/bus-stops/rows?api_key={canary}"))
    assert [answer.status_code for answer in answers] == [500, 500, 400, 401, 400]
    assert all(canary not in answer.text for answer in answers)
    logged = caplog.text + "".join(capfd.readouterr())
    assert canary not in logged
    files = [path for path in served.platform.settings.home.rglob("*") if path.is_file()]
    assert not any(
        canary.encode() in path.read_bytes() for path in files
    )  # nor in a backup of them


def test_the_page_with_the_secret_sends_it_nowhere(site: Site) -> None:
    from tests.extensions.access.test_keys import granted

    developer, mine = granted(site)
    shown = developer.send(developer.page(mine), f"{mine}/keys", key_name="测试")
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.headers["Referrer-Policy"] in (
        "no-referrer",
        "same-origin",
        "strict-origin-when-cross-origin",
    )
    secret = "xyk_" + shown.text.partition(">xyk_")[2].partition("<")[0]
    assert len(secret) > 40
    assert secret not in developer.page(mine)
    assert secret not in developer.page("/developer")
    assert secret not in shown.headers.to_wsgi_list().__repr__()
