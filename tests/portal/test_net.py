"""The guarded client against real local servers that misbehave on purpose."""

from __future__ import annotations

import gzip
import ipaddress
import itertools
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.errors import PortalError
from portal.net import FetchFailed, FetchInterrupted, RefusedAddress, guarded_session, is_refused
from tests.harvesters.replay import Answer, Asked, ReplayServer, json_answer

Guard = Callable[..., requests.Session]


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        running.on("/ok", Answer(body=b"fine"))
        yield running


@pytest.fixture
def other() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        running.on("/ok", Answer(body=b"inside"))
        yield running


def let_through(server: ReplayServer, **limits: Any) -> requests.Session:
    return guarded_session(allowed_hosts=frozenset({server.address}), **limits)


def port_of(server: ReplayServer) -> str:
    return server.address.rpartition(":")[2]


def test_a_named_host_is_let_through(server: ReplayServer) -> None:
    response = let_through(server, user_agent="xiangyun-test").get(server.url + "/ok")
    assert response.content == b"fine"
    assert server.asked[0].headers["User-Agent"] == "xiangyun-test"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "127.0.0.1.",
        "user:word@127.0.0.1",
        "１２７.０.０.１",
    ],
)
def test_no_spelling_of_loopback_gets_through(server: ReplayServer, host: str) -> None:
    with pytest.raises(FetchFailed) as failure:
        guarded_session(connect_timeout=1).get(f"http://{host}:{port_of(server)}/ok")
    assert failure.value.reason in {"refused_address", "unknown_host", "bad_url"}
    assert not server.asked


def test_a_refusal_says_why_in_chinese(server: ReplayServer) -> None:
    with pytest.raises(RefusedAddress, match="内部或保留网络") as failure:
        guarded_session().get(server.url + "/ok")
    assert isinstance(failure.value, PortalError)
    assert isinstance(failure.value, requests.RequestException)
    assert failure.value.code == "refused_address"


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "127.0.0.1",
        "0.1.2.3",
        "192.0.0.192",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.88.99.1",
        "::1",
        "::",
        "::ffff:8.8.8.8",
        "::ffff:10.0.0.1",
        "::8.8.8.8",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:1::1",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_refused_ranges(address: str) -> None:
    assert is_refused(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "223.5.5.5", "2400:3200::1", "2606:4700::1111"])
def test_public_addresses_are_not_refused(address: str) -> None:
    assert not is_refused(ipaddress.ip_address(address))


def test_a_redirect_to_loopback_is_refused(server: ReplayServer, other: ReplayServer) -> None:
    server.on("/go", Answer(302, headers={"Location": other.url + "/ok"}))
    with pytest.raises(RefusedAddress):
        let_through(server).get(server.url + "/go")
    assert not other.asked


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://x/", "//"])
def test_a_redirect_to_another_scheme_fails(server: ReplayServer, target: str) -> None:
    server.on("/go", Answer(302, headers={"Location": target}))
    with pytest.raises(FetchFailed):
        let_through(server).get(server.url + "/go")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.cn/", "no url", "http://"])
def test_other_urls_fail_with_a_clear_reason(url: str) -> None:
    with pytest.raises(FetchFailed, match="网址无效") as failure:
        guarded_session().get(url)
    assert failure.value.reason == "bad_url"


class RebindingResolver:
    """Answers each question with the next address, as a hostile name server does."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.questions: list[str] = []

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.questions.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
            for address in answer
        ]


def test_the_address_that_was_checked_is_the_one_connected_to(server: ReplayServer) -> None:
    resolver = RebindingResolver(["127.0.0.1"], ["127.0.0.99"])
    name = f"rebind.test:{port_of(server)}"
    session = guarded_session(allowed_hosts=frozenset({name}), resolver=resolver)
    assert session.get(f"http://{name}/ok").content == b"fine"
    assert resolver.questions == ["rebind.test"]


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["169.254.169.254"]])
def test_a_name_that_leads_inside_is_refused(server: ReplayServer, answer: list[str]) -> None:
    resolver = RebindingResolver(answer)
    with pytest.raises(RefusedAddress):
        guarded_session(resolver=resolver).get(f"http://rebind.test:{port_of(server)}/ok")
    assert not server.asked


def test_a_name_that_changes_between_redirects_is_refused(server: ReplayServer) -> None:
    """The first hop is let through by name; the second asks for the same host, other port."""
    resolver = RebindingResolver(["127.0.0.1"])
    name = f"rebind.test:{port_of(server)}"
    server.on("/go", Answer(302, headers={"Location": "http://rebind.test:1/"}))
    with pytest.raises(RefusedAddress):
        guarded_session(allowed_hosts=frozenset({name}), resolver=resolver).get(f"http://{name}/go")


def test_environment_proxies_and_netrc_are_ignored(
    server: ReplayServer, other: ReplayServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, other.url)
    session = let_through(server)
    assert session.get(server.url + "/ok").content == b"fine"
    assert session.get(server.url + "/ok", proxies={"http": other.url}).content == b"fine"
    assert not other.asked
    assert "Authorization" not in server.asked[0].headers


def endless() -> Iterator[bytes]:
    return itertools.repeat(b"x" * 65536)


def test_an_endless_body_is_cut_off(server: ReplayServer) -> None:
    server.on("/endless", lambda asked: Answer(body=endless()))
    with pytest.raises(FetchFailed, match="超过允许的大小") as failure:
        let_through(server, max_bytes=300_000).get(server.url + "/endless")
    assert failure.value.reason == "too_large"


def test_an_endless_body_is_cut_off_when_streamed_or_read(server: ReplayServer) -> None:
    server.on("/endless", lambda asked: Answer(body=endless()))
    session = let_through(server, max_bytes=300_000)
    with pytest.raises(FetchFailed):
        list(session.get(server.url + "/endless", stream=True).iter_content(1000))
    with pytest.raises(FetchFailed):
        session.get(server.url + "/endless", stream=True).raw.read()


def test_a_declared_length_over_the_cap_fails_before_reading(server: ReplayServer) -> None:
    server.on("/big", Answer(body=b"x", headers={"Content-Length": "1000001"}))
    with pytest.raises(FetchFailed) as failure:
        let_through(server, max_bytes=1_000_000).get(server.url + "/big", stream=True)
    assert failure.value.reason == "too_large"


def test_json_read_whole_is_bounded_too(server: ReplayServer) -> None:
    server.on("/json", json_answer(["x" * 1000] * 1000))
    assert len(let_through(server).get(server.url + "/json").json()) == 1000
    with pytest.raises(FetchFailed):
        let_through(server, max_bytes=10_000).get(server.url + "/json").json()


@pytest.mark.parametrize("layers", [1, 2])
def test_a_gzip_bomb_is_defused(server: ReplayServer, layers: int) -> None:
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(1_000_000)
    bomb = b"".join([packer.compress(zeros) for _ in range(200)]) + packer.flush()
    for _ in range(layers - 1):
        bomb = gzip.compress(bomb)
    server.on(
        "/bomb", Answer(body=bomb, headers={"Content-Encoding": ", ".join(["gzip"] * layers)})
    )
    started = time.monotonic()
    with pytest.raises(FetchFailed) as failure:
        let_through(server, max_bytes=1_000_000).get(server.url + "/bomb")
    assert failure.value.reason == "too_large"
    assert time.monotonic() - started < 5


def test_honest_gzip_is_unpacked_and_broken_gzip_named(server: ReplayServer) -> None:
    packed = gzip.compress("数据".encode())
    server.on("/good", Answer(body=packed, headers={"Content-Encoding": "gzip"}))
    server.on("/bad", Answer(body=b"no gzip", headers={"Content-Encoding": "gzip"}))
    session = let_through(server)
    assert session.get(server.url + "/good").content.decode() == "数据"
    with pytest.raises(FetchFailed) as failure:
        session.get(server.url + "/bad")
    assert failure.value.reason == "bad_encoding"


def test_a_dripping_body_ends_at_the_total_time(server: ReplayServer) -> None:
    server.on("/drip", lambda _: Answer(body=itertools.repeat(b"x"), pause_seconds=0.05))
    started = time.monotonic()
    with pytest.raises(FetchFailed, match="没有传完") as failure:
        let_through(server, max_seconds=0.5, read_timeout=5).get(server.url + "/drip")
    assert failure.value.reason == "too_slow"
    assert time.monotonic() - started < 2


def test_dripping_headers_end_at_the_total_time() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        client, _ = listener.accept()
        with client:
            try:
                client.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while True:
                    client.sendall(b"x")
                    time.sleep(0.05)
            except OSError:
                return

    threading.Thread(target=drip, daemon=True).start()
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    session = guarded_session(allowed_hosts=frozenset({address}), max_seconds=0.5, read_timeout=5)
    started = time.monotonic()
    with pytest.raises(FetchFailed) as failure:
        session.get(f"http://{address}/")
    assert failure.value.reason == "too_slow"
    assert time.monotonic() - started < 2
    listener.close()


def test_the_total_time_runs_on_over_redirects(server: ReplayServer) -> None:
    def slowly(asked: Asked) -> Answer:
        time.sleep(0.15)
        return Answer(302, headers={"Location": f"/next{len(server.asked)}"})

    server.on("/next*", slowly)
    session = let_through(server, max_seconds=0.5, max_redirects=50, read_timeout=5)
    with pytest.raises(FetchFailed) as failure:
        session.get(server.url + "/next0")
    assert failure.value.reason == "too_slow"
    assert len(server.asked) < 8


def test_a_silent_server_times_out(server: ReplayServer) -> None:
    server.on("/silent", lambda asked: (time.sleep(1), Answer())[1])
    with pytest.raises(FetchInterrupted) as failure:
        let_through(server, read_timeout=0.2).get(server.url + "/silent")
    assert failure.value.reason == "timeout"


def test_a_finished_fetch_does_not_shut_a_later_one(server: ReplayServer) -> None:
    session = let_through(server, max_seconds=0.3)
    for _ in range(5):
        assert session.get(server.url + "/ok").content == b"fine"
        time.sleep(0.1)


def test_a_redirect_loop_ends(server: ReplayServer) -> None:
    server.on("/loop", Answer(302, headers={"Location": "/loop"}))
    with pytest.raises(FetchFailed, match="跳转次数过多") as failure:
        let_through(server, max_redirects=3).get(server.url + "/loop")
    assert failure.value.reason == "too_many_redirects"
    assert len(server.asked) == 4


def test_a_body_cut_short_is_an_error(server: ReplayServer) -> None:
    server.on("/cut", Answer(body=b"x" * 1000, cut_after=10))
    with pytest.raises(FetchInterrupted, match="不完整"):
        let_through(server).get(server.url + "/cut")


def test_a_closed_port_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(FetchInterrupted) as failure:
        guarded_session(allowed_hosts=frozenset({address})).get(f"http://{address}/")
    assert failure.value.reason == "no_connection"


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A dripping HTTPS server with a certificate of its own; (address, certificate)."""
    certificate, key = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
                with context.wrap_socket(client, server_side=True) as secured:
                    secured.recv(65536)
                    secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                    while True:
                        secured.sendall(b"x")
                        time.sleep(0.05)
            except OSError:
                if listener.fileno() < 0:
                    return

    threading.Thread(target=serve, daemon=True).start()
    yield f"127.0.0.1:{listener.getsockname()[1]}", certificate
    listener.close()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    own_address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([own_address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "cert.pem").write_bytes(certificate.public_bytes(encoding))
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(private.private_bytes(encoding, form, plain))
    return folder / "cert.pem", folder / "key.pem"


def test_an_unknown_certificate_is_refused(tls_server: tuple[str, Path]) -> None:
    address, _ = tls_server
    with pytest.raises(FetchFailed, match="证书无效") as failure:
        guarded_session(allowed_hosts=frozenset({address})).get(f"https://{address}/")
    assert failure.value.reason == "bad_certificate"


def test_loopback_is_refused_before_any_tls(tls_server: tuple[str, Path]) -> None:
    with pytest.raises(RefusedAddress):
        guarded_session().get(f"https://{tls_server[0]}/")


def test_the_total_time_holds_over_tls(tls_server: tuple[str, Path]) -> None:
    address, certificate = tls_server
    session = guarded_session(allowed_hosts=frozenset({address}), max_seconds=0.5, read_timeout=5)
    started = time.monotonic()
    with pytest.raises(FetchFailed) as failure:
        session.get(f"https://{address}/", verify=str(certificate))
    assert failure.value.reason == "too_slow"
    assert time.monotonic() - started < 2


SECRETS = {"Authorization": "secret", "X-CKAN-API-Key": "secret", "Cookie": "session=secret"}


@pytest.mark.parametrize("status", [302, 307, 308])
def test_credentials_stay_with_their_host(
    server: ReplayServer, other: ReplayServer, status: int
) -> None:
    server.on("/go", Answer(status, headers={"Location": other.url + "/ok"}))
    session = guarded_session(allowed_hosts=frozenset({server.address, other.address}))
    response = session.post(server.url + "/go", data=b"secret body", headers=SECRETS)
    assert response.content == b"inside"
    (reached,) = other.asked
    assert not {name.lower() for name in reached.headers} & {name.lower() for name in SECRETS}
    assert b"secret" not in reached.body
    assert "secret" not in str(reached.headers)


def test_credentials_go_on_within_their_host(server: ReplayServer) -> None:
    server.on("/go", Answer(302, headers={"Location": "/ok"}))
    let_through(server).get(server.url + "/go", headers=SECRETS)
    assert server.asked[1].headers["X-CKAN-API-Key"] == "secret"
