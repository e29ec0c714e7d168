"""Sessions: new at login, gone at logout, worthless when planted, forged or old."""

from __future__ import annotations

from collections.abc import Callable

import itsdangerous
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.app import create_app
from portal.models import Account
from portal.models.account import LoginSession
from portal.platform import Platform
from portal.services.accounts import set_password
from tests.factories import SetClock
from tests.portal.web.work.conftest import Office
from tests.security.attacking import cookie_of, csrf_token, log_in


def _open(client: FlaskClient) -> bool:
    return client.get("/work").status_code == 200


def _with(office: Office, cookie: str) -> FlaskClient:
    client = office.app.test_client()
    client.set_cookie("xiangyun", cookie)
    return client


def test_cve_2025_64100_a_cookie_planted_before_the_login_is_useless_after_it(
    office: Office,
) -> None:
    attacker = office.app.test_client()
    csrf_token(attacker)
    planted = cookie_of(attacker)
    victim = _with(office, planted)
    assert log_in(victim, office.username("bureau_admin", "JL-BUR")).status_code == 302
    assert _open(victim)
    assert cookie_of(victim) != planted
    assert not _open(_with(office, planted))


def test_each_login_has_a_token_of_its_own_and_ends_the_one_it_replaces(office: Office) -> None:
    client, name = office.app.test_client(), office.username("agency_editor", "JL-TRA")
    log_in(client, name)
    first = cookie_of(client)
    other = office.app.test_client()
    log_in(other, name)
    assert cookie_of(other) != first
    with office.platform.database.reading() as session:
        assert len(session.scalars(select(LoginSession.token_hash)).all()) == 2


def test_a_logout_ends_the_session_on_the_server(office: Office) -> None:
    browser = office.browser("agency_editor")
    stolen = cookie_of(browser.client)
    assert _open(_with(office, stolen))
    browser.client.post("/logout", data={"csrf_token": browser.token()})
    assert not _open(browser.client)
    assert not _open(_with(office, stolen))


def test_a_session_ends_after_its_time_and_with_a_new_password(
    office: Office, clock: SetClock
) -> None:
    late, robbed = office.browser("agency_editor"), office.browser("agency_editor", number=2)
    with office.platform.database.writing() as session:
        name = office.username("agency_editor", "JL-TRA", 2)
        account = session.scalars(select(Account).where(Account.username == name)).one()
        set_password(session, account, "a new long password")
    assert not _open(robbed.client)
    assert _open(late.client)
    clock.advance(hours=12, seconds=1)
    assert not _open(late.client)


def test_a_disabled_account_is_out_at_once(office: Office) -> None:
    browser = office.browser("agency_editor")
    name = office.username("agency_editor", "JL-TRA")
    with office.platform.database.writing() as session:
        session.scalars(select(Account).where(Account.username == name)).one().disabled = True
    assert not _open(browser.client)


def test_no_forged_cookie_is_read(office: Office) -> None:
    good = cookie_of(office.browser("bureau_admin", "JL-BUR").client)
    payload, _, signature = good.partition(".")
    forged = Flask("forger")
    forged.secret_key = "secret"
    signer = SecureCookieSessionInterface().get_signing_serializer(forged)
    assert isinstance(signer, itsdangerous.URLSafeTimedSerializer)
    for cookie in (
        good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:],  # the last one has spare bits
        "." + signature,
        payload,
        signer.dumps({"token": "x", "_user_id": "1"}),
        "x" * 5000,
        "",
    ):
        assert not _open(_with(office, cookie))


def test_the_cookie_is_closed_to_scripts_and_foreign_sites(office: Office) -> None:
    client = office.app.test_client()
    answer = log_in(client, office.username("agency_editor", "JL-TRA"))
    (cookie,) = [c for c in answer.headers.getlist("Set-Cookie") if c.startswith("xiangyun=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain=" not in cookie


def test_over_https_the_cookie_is_sent_by_https_only(
    make_platform: Callable[..., Platform],
) -> None:
    platform = make_platform("sqlite", name="tls", secure_cookies=True)
    answer = create_app(platform).test_client().get("/login", base_url="https://localhost")
    assert all("Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie"))
    assert "max-age=" in answer.headers["Strict-Transport-Security"]
    lang = create_app(platform).test_client().get("/lang/en", base_url="https://localhost")
    assert "Secure" in lang.headers["Set-Cookie"]


def test_pages_of_people_are_kept_by_no_cache(office: Office) -> None:
    answer = office.browser("agency_editor").get("/work")
    assert "no-store" in answer.headers["Cache-Control"]
