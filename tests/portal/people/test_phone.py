"""Registration with a mobile number, by the real gateways: a spool, and a provider over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select

from portal.app import create_app
from portal.jobs.worker import Worker
from portal.models import Account, MailedLink, OutgoingMessage
from portal.net.smtp import MailRefused, MailUnavailable
from portal.net.text_gateway import HttpGateway, check_address, gateway_of
from portal.platform import Platform
from portal.rules.mail_address import masked_mobile
from portal.services.outgoing import write_text_message
from tests.factories import SetClock
from tests.portal.people.conftest import NEW_PASSWORD, log_in
from tests.portal.web.work.conftest import Browser, Office, text_of

MOBILE = "13844445555"
NEW = {
    "username": "zhao-min",
    "display_name": "赵敏",
    "password": NEW_PASSWORD,
    "again": NEW_PASSWORD,
}


@dataclass
class TextOffice(Office):
    spool: Path = Path()

    def texts(self) -> list[dict[str, str]]:
        Worker(self.platform).run_until_idle()
        lines = self.spool.read_text(encoding="utf-8").splitlines() if self.spool.exists() else []
        return [json.loads(line) for line in lines]

    def code(self) -> str:
        found = re.search(r"验证码 (\d{6})", self.texts()[-1]["text"])
        assert found
        return found[1]

    def visitor(self) -> Browser:
        return Browser(self.app.test_client())

    def ask(self, mobile: str = MOBILE) -> Browser:
        guest = self.visitor()
        guest.submit("/register/phone", "/phone", mobile=mobile, terms="yes")
        return guest


@pytest.fixture
def office(make_platform: Callable[..., Platform], tmp_path: Path) -> TextOffice:
    spool = tmp_path / "texts" / "spool.jsonl"
    platform = make_platform("sqlite", sms_url=f"file://{spool}")
    return TextOffice(platform, create_app(platform), spool=spool)


PAGE = "/register/phone/code"


def test_somebody_registers_with_the_code_and_signs_in(office: TextOffice) -> None:
    guest = office.ask("+86 138 4444 5555")
    assert "138****5555" in text_of(guest.get(PAGE))
    assert MOBILE not in guest.get(PAGE).text
    code = office.code()
    assert office.spool.stat().st_mode & 0o077 == 0
    wrong = guest.submit(PAGE, PAGE, 422, **{**NEW, "again": "x"}, code="abcdef")
    assert "验证码不正确" in text_of(wrong)
    assert "两次输入" in text_of(wrong)
    guest.submit(PAGE, PAGE, **NEW, code=code)
    account = office.read(lambda s: s.scalars(select(Account)).all())[-1]
    assert (account.phone, account.email) == (MOBILE, "")
    assert account.phone_verified_at is not None
    guest.get(PAGE, 302)  # the wish is over
    assert log_in(guest.client, "zhao-min", NEW_PASSWORD).status_code == 302
    page = guest.get("/account")
    assert "138****5555" in page.text
    assert MOBILE not in page.text
    bodies = office.read(lambda s: s.scalars(select(OutgoingMessage.body)).all())
    assert not any(code in body for body in bodies)


def test_an_answer_tells_nobody_who_has_an_account(office: TextOffice) -> None:
    first = office.ask()
    first.submit(PAGE, PAGE, **NEW, code=office.code())
    pages = []
    for mobile in (MOBILE, "13944445555"):
        guest = office.ask(mobile)
        shown = re.sub(r"1\d\d\*{4}\d{4}", "", text_of(guest.get(PAGE)))
        refused = guest.submit(PAGE, PAGE, 422, **NEW | {"username": "other"}, code="000000")
        assert "验证码不正确" in text_of(refused)
        pages.append(shown)
    assert pages[0] == pages[1]
    texts = [one["text"] for one in office.texts()]
    assert "已有账号，用户名是“zhao-min”" in texts[1]
    assert "验证码" not in texts[1]


def test_a_code_is_of_one_wish_and_lapses(office: TextOffice, clock: SetClock) -> None:
    guest = office.ask()
    code = office.code()
    other = office.ask("13944445555")
    other.submit(PAGE, PAGE, 422, **NEW, code=code)
    clock.advance(minutes=11)
    assert "已过期" in text_of(guest.submit(PAGE, PAGE, 422, **NEW, code=code))
    hashes = office.read(lambda s: s.scalars(select(MailedLink.token_hash)).all())
    assert code not in "".join(hashes)


def test_guesses_and_floods_end(office: TextOffice) -> None:
    guest = office.ask()
    code = office.code()
    form = guest.form(PAGE, PAGE)
    for _ in range(10):
        guest.send(form, 422, **NEW, code="999999" if code != "999999" else "000000")
    guest.send(form, 429, **NEW, code=code)
    for _ in range(3):
        office.ask()
    assert len(office.texts()) == 3  # of an hour, to one number
    for _ in range(6):
        office.ask("13944445555")
    late = office.visitor()
    late.submit("/register/phone", "/phone", 429, mobile="13744445555", terms="yes")
    bad = office.visitor()
    bad.submit("/register/phone", "/phone", 422, mobile="12345", terms="yes")
    bad.submit("/register/phone", "/phone", 422, mobile=MOBILE)


def test_without_a_gateway_nobody_registers_by_telephone(
    make_platform: Callable[..., Platform],
) -> None:
    client = create_app(make_platform("sqlite")).test_client()
    assert client.get("/register/phone").status_code == 404


@dataclass
class Provider:
    """A provider's gateway on a free port: what it was handed, and what it answers."""

    url: str
    asked: list[tuple[str, Any]]
    answers: list[int]


@pytest.fixture
def provider() -> Iterator[Provider]:
    found = Provider("", [], [])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.asked.append((self.headers["Authorization"], json.loads(body)))
            self.send_response(found.answers.pop(0) if found.answers else 202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/send"
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_provider_is_asked_over_http(
    make_platform: Callable[..., Platform], provider: Provider
) -> None:
    host = provider.url.split("/")[2]
    platform = make_platform(
        "sqlite", sms_url=provider.url, sms_token="secret", fetch_allowed_hosts=(host,)
    )
    with platform.database.writing() as session:
        write_text_message(session, platform.clock, kind="test", mobile=MOBILE, text="您好")
    Worker(platform).run_until_idle()
    assert provider.asked == [("Bearer secret", {"mobile": MOBILE, "text": "您好"})]
    gateway = HttpGateway(provider.url, "", allowed_hosts=frozenset({host}))
    provider.answers += [422, 503, 302]
    with pytest.raises(MailRefused):
        gateway.send(MOBILE, "一")
    for _ in range(2):
        with pytest.raises(MailUnavailable):
            gateway.send(MOBILE, "二")
    with pytest.raises(MailUnavailable):  # our own network is not reached unless it is listed
        HttpGateway(provider.url, "").send(MOBILE, "三")
    assert len(provider.asked) == 4


def test_the_setting_names_a_gateway_or_says_what_is_wrong() -> None:
    assert gateway_of("", "", frozenset()) is None
    for wrong in ("ftp://host/x", "file://host/x", "https://", "spool.txt"):
        with pytest.raises(ValueError, match="expected"):
            check_address(wrong)
    assert masked_mobile(MOBILE) == "138****5555"
    assert masked_mobile("") == ""
