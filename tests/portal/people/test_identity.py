"""The unified identity, against providers that are processes of their own; one of them cheats."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.app import create_app
from portal.errors import GuardRefused
from portal.models import Account, AuditEvent, ExternalIdentity
from portal.platform import Platform
from portal.services.accounts import actor_of
from portal.services.identities import check_verified_by
from tests.factories import SetClock
from tests.portal.web.work.conftest import Browser, Office, text_of
from tests.services.identity_provider import CLIENT, SECRET

CALLBACK = "/login/identity/callback"
PERSON = {"sub": "p-1", "name": "李明", "verification_level": "real_name"}
COMPANY = {
    "sub": "c-1",
    "name": "经办人",
    "organisation_name": "长春某某科技有限公司",
    "verification_level": "enterprise",
}
PLAIN = {"sub": "x-1", "name": "路人", "verification_level": "phone"}


@pytest.fixture
def clock() -> SetClock:
    """The providers live in the present."""
    return SetClock(datetime.now(UTC))


@dataclass
class Provider:
    issuer: str

    def tell(self, **told: Any) -> None:
        requests.post(f"{self.issuer}/told", json=told, timeout=10).raise_for_status()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.services.identity_provider"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    yield Provider(f"http://127.0.0.1:{process.stdout.readline().strip()}")
    process.terminate()
    process.wait(timeout=10)


def _office(make_platform: Callable[..., Platform], issuer: str, **settings: Any) -> Office:
    platform = make_platform(
        "sqlite",
        oidc_issuer=issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
        site_url="http://portal.example.cn",
        **settings,
    )
    return Office(platform, create_app(platform))


@pytest.fixture
def office(make_platform: Callable[..., Platform], provider: Provider) -> Office:
    return _office(make_platform, provider.issuer)


def _go(client: FlaskClient, follow: Callable[[str], str] | None = None) -> str:
    """Go to the provider and return the address it sends the browser back to."""
    leaving = client.get("/login/identity?next=/account")
    assert leaving.status_code == 302, text_of(leaving)
    if follow is not None:
        return follow(leaving.location)
    answer = requests.get(leaving.location, allow_redirects=False, timeout=10)
    return _local(answer.headers["Location"])


def _local(address: str) -> str:
    parts = urlsplit(address)
    assert parts.path == CALLBACK
    return f"{parts.path}?{parts.query}"


def _account(office: Office, subject: str) -> Account:
    def read(session: Any) -> Account:
        found = select(ExternalIdentity.account_id).where(ExternalIdentity.subject == subject)
        account = session.get(Account, session.scalars(found).one())
        assert account is not None
        return account

    return office.read(read)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("who", "verified", "kind", "name"),
    [
        (PERSON, True, "natural_person", "李明"),
        (COMPANY, True, "legal_person", "长春某某科技有限公司"),
        (PLAIN, False, "", ""),
    ],
)
def test_levels_of_verification_make_persons_and_organisations(
    office: Office, provider: Provider, who: dict[str, str], verified: bool, kind: str, name: str
) -> None:
    provider.tell(**who)
    client = office.app.test_client()
    assert client.get(_go(client)).location == "/account"
    account = _account(office, who["sub"])
    found = (account.identity_verified, account.applicant_kind, account.applicant_name)
    assert found == (verified, kind, name)
    assert account.verified_by == (provider.issuer if verified else "")
    Browser(client).get("/account")


def test_a_second_sign_in_is_the_same_account_and_follows_the_level(
    office: Office, provider: Provider
) -> None:
    for level, verified in (("phone", False), ("real_name", True), ("phone", False)):
        provider.tell(**{**PERSON, "verification_level": level})
        client = office.app.test_client()
        client.get(_go(client))
        assert _account(office, "p-1").identity_verified is verified
    assert office.read(lambda s: s.scalar(select(func.count(Account.id)))) == 1
    events = office.read(lambda s: list(s.scalars(select(AuditEvent.event))))
    assert events == ["verify", "unverify"]


@pytest.mark.parametrize(
    "cheat",
    [
        "state",
        "nonce",
        "no_nonce",
        "iss",
        "aud",
        "azp",
        "expired",
        "key",
        "alg_none",
        "alg_hmac",
        "mix_up",
        "unnamed",
        "userinfo",
        "denied",
    ],
)
def test_what_is_no_answer_to_our_question_signs_nobody_in(
    office: Office, provider: Provider, cheat: str
) -> None:
    provider.tell(**PERSON, cheat=cheat)
    client = office.app.test_client()
    answer = client.get(_go(client))
    assert answer.status_code == 401
    assert "统一身份认证没有完成" in text_of(answer)
    assert client.get("/account").status_code == 302
    assert office.read(lambda s: s.scalar(select(func.count(Account.id)))) == 0


def test_metadata_of_another_issuer_is_not_followed(office: Office, provider: Provider) -> None:
    provider.tell(**PERSON, cheat="metadata")
    assert office.app.test_client().get("/login/identity").status_code == 401


def test_an_answer_is_taken_once_and_in_the_browser_that_asked(
    office: Office, provider: Provider
) -> None:
    provider.tell(**PERSON)
    victim, attacker = office.app.test_client(), office.app.test_client()
    back = _go(attacker)
    assert victim.get(back).status_code == 401  # a login forced on somebody else
    mine = _go(victim)
    stolen = attacker.get(mine)
    assert stolen.status_code == 401
    assert victim.get(mine).status_code == 302
    assert victim.get(mine).status_code == 401  # a replay
    other = office.app.test_client()
    _go(other)
    assert other.get(mine).status_code == 401  # a used code under a new question


def test_a_stolen_code_is_worthless_without_the_verifier(
    office: Office, provider: Provider
) -> None:
    provider.tell(**PERSON)
    victim, attacker = office.app.test_client(), office.app.test_client()
    code = _go(victim).split("code=")[1].split("&")[0]
    own = _go(attacker)
    swapped = own.replace(own.split("code=")[1].split("&")[0], code)
    assert attacker.get(swapped).status_code == 401  # PKCE: the provider refuses it


def test_an_identity_is_linked_to_the_account_that_asked(
    office: Office, provider: Provider
) -> None:
    provider.tell(**PERSON)
    browser = office.browser("applicant", "")
    assert browser.client.get(_go(browser.client)).location == "/account"
    username = office.username("applicant", "")
    assert _account(office, "p-1").username == username
    other = office.browser("applicant", "", number=2)
    assert "另一个账号" in text_of(other.get(_go(other.client), 401))
    # signed in as another meanwhile: the answer is not theirs
    back = _go(browser.client)
    browser.client.post("/logout", data={"csrf_token": browser.token()})
    assert browser.client.get(back).status_code == 401


def test_a_closed_account_stays_closed(office: Office, provider: Provider) -> None:
    provider.tell(**PERSON)
    client = office.app.test_client()
    client.get(_go(client))
    with office.platform.database.writing() as session:
        session.scalars(select(Account)).one().disabled = True
    again = office.app.test_client()
    assert "已停用" in text_of(again.get(_go(again)))


def test_applications_may_demand_it(office: Office, provider: Provider) -> None:
    provider.tell(**PERSON)
    client = office.app.test_client()
    client.get(_go(client))

    def check(session: Any) -> None:
        verified = session.scalars(select(Account)).one()
        check_verified_by(session, actor_of(verified), provider.issuer)
        for issuer in ("http://other.example.cn",):
            with pytest.raises(GuardRefused):
                check_verified_by(session, actor_of(verified), issuer)

    office.read(check)


def test_a_provider_that_is_away_is_said_so(make_platform: Callable[..., Platform]) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound, and nobody listens
        office = _office(make_platform, f"http://127.0.0.1:{bound.getsockname()[1]}")
        answer = office.app.test_client().get("/login/identity")
    assert answer.status_code == 503
    assert "暂时不可用" in text_of(answer)


def test_without_an_issuer_there_is_no_such_page(make_platform: Callable[..., Platform]) -> None:
    client = create_app(make_platform("sqlite", name="plain")).test_client()
    assert client.get("/login/identity").status_code == 404
    assert "/login/identity" not in client.get("/login").text


@pytest.fixture(scope="module")
def package_provider() -> Iterator[str]:
    """The provider of the package oidc-provider-mock, with people of several levels."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    people = [f"--user-claims={json.dumps(who)}" for who in (PERSON, COMPANY, PLAIN)]
    process = subprocess.Popen(
        [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), *people],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    issuer, until = f"http://127.0.0.1:{port}", time.monotonic() + 30
    while time.monotonic() < until:
        try:
            requests.get(f"{issuer}/.well-known/openid-configuration", timeout=2)
            break
        except requests.ConnectionError:
            time.sleep(0.1)
    yield issuer
    process.terminate()
    process.wait(timeout=10)


def test_the_provider_of_a_package_signs_people_in(
    make_platform: Callable[..., Platform], package_provider: str
) -> None:
    office = _office(make_platform, package_provider)
    for who, verified in ((PERSON, True), (COMPANY, True), (PLAIN, False)):

        def choose(address: str, subject: str = who["sub"]) -> str:
            answer = requests.post(
                address, data={"sub": subject}, allow_redirects=False, timeout=10
            )
            return _local(answer.headers["Location"])

        client = office.app.test_client()
        answer = client.get(_go(client, choose))
        assert answer.location == "/account", text_of(answer)
        assert _account(office, who["sub"]).identity_verified is verified


def test_nobody_applies_without_it_where_it_is_demanded(
    make_platform: Callable[..., Platform], provider: Provider
) -> None:
    office = _office(make_platform, provider.issuer, oidc_to_apply=True)
    with office.app.test_request_context():
        from flask import g

        from portal.web.identity import check_may_apply

        provider.tell(**PERSON)
        client = office.app.test_client()
        client.get(_go(client))
        by_hand = office.made(lambda _catalogue, people: people.applicant)
        g.actor = by_hand
        with pytest.raises(GuardRefused):
            check_may_apply()
        g.actor = actor_of(_account(office, "p-1"))
        check_may_apply()
