"""Access tokens: how they are got, and everything that is not one of ours."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from authlib.integrations.requests_client import OAuth2Session
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from werkzeug.serving import make_server

from extensions.access.models.application import AccessApplication
from extensions.access.models.key import AccessKey, SigningKey
from extensions.access.rules import Terms
from extensions.access.services.signing_keys import find_signing_key, open_private
from portal.app import create_app
from portal.platform import Platform
from tests.extensions.access.conftest import Served
from tests.factories import SetClock

WIDE = Terms(
    fields=("stop_code", "stop_name", "duty_phone"), quota_day=10_000, per_minute=1_000,
    term_days=90,
)  # fmt: skip
FORM = {"grant_type": "client_credentials"}


@pytest.fixture
def wide(make_platform: Callable[..., Platform], serve: Callable[..., Served]) -> Served:
    return serve(make_platform("sqlite"), WIDE)


def client_id(served: Served) -> str:
    return f"SQ{served.application_id:08d}"


def ask(served: Served, secret: str | None = None, **form: Any) -> Any:
    basic = (form.pop("id", client_id(served)), served.secret if secret is None else secret)
    return served.client.post("/oauth/token", data={**FORM, **form}, auth=basic)


def token_of(served: Served) -> str:
    response = ask(served)
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.get_json()["access_token"]


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, json.loads(response.data)["code"]


def test_a_token_is_given_and_opens_what_the_key_opens(
    platform: Platform, serve: Callable[..., Served], clock: SetClock
) -> None:
    served = serve(platform, WIDE)
    response = ask(served)
    body = response.get_json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    assert response.headers["Cache-Control"] == "no-store"
    token = body["access_token"]
    assert served.get("/count", secret=token).get_json() == {"count": 4}
    assert served.get("", secret=token).status_code == 200
    form = {**FORM, "client_id": client_id(served), "client_secret": served.secret}
    assert served.client.post("/oauth/token", data=form).status_code == 200
    clock.advance(seconds=899)
    assert served.get("/count", secret=token).status_code == 200
    clock.advance(seconds=1)
    expired = served.get("/count", secret=token)
    assert code_of(expired) == (401, "token_expired")
    assert 'error="invalid_token"' in expired.headers["WWW-Authenticate"]


def test_the_published_key_verifies_the_token(wide: Served) -> None:
    token = token_of(wide)
    keys = wide.client.get("/.well-known/jwks.json").get_json()["keys"]
    header = jwt.get_unverified_header(token)
    assert header == {"alg": "EdDSA", "typ": "at+jwt", "kid": keys[0]["kid"]}
    assert set(keys[0]) == {"crv", "kty", "x", "kid", "use", "alg"}  # no private part
    claims = jwt.decode(
        token,
        jwt.PyJWK(keys[0]).key,
        algorithms=["EdDSA"],
        audience="http://127.0.0.1:5000/data/v1",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["exp"] - claims["iat"] == 900
    assert claims["sub"] == client_id(wide)
    assert len({jwt.decode(token_of(wide), options={"verify_signature": False})["jti"]
                for _ in range(3)}) == 3  # fmt: skip


def test_unknown_wrong_and_disabled_credentials_get_the_same_answer(wide: Served) -> None:
    answers = [
        ask(wide, secret="xyk_" + "a" * 43),
        ask(wide, secret=""),
        ask(wide, id="SQ00009999"),
        ask(wide, id=""),
        ask(wide, id=client_id(wide) + "0"),
        ask(wide, id="\u5409", secret="\u6797"),
        wide.client.post("/oauth/token", data=FORM),
    ]
    wide.change(lambda s, a: s.suspend(wide.reviewer, a, reason="核查"))
    answers.append(ask(wide))
    wide.change(lambda s, a: s.revoke(wide.reviewer, a, reason="违反协议"))
    answers.append(ask(wide))
    bodies = {(a.status_code, a.data, a.headers["WWW-Authenticate"]) for a in answers}
    assert len(bodies) == 1
    assert answers[0].status_code == 401
    assert answers[0].get_json()["error"] == "invalid_client"


BAD_REQUESTS = [
    ({"grant_type": "password"}, "", "unsupported_grant_type"),
    ({"grant_type": "refresh_token"}, "", "unsupported_grant_type"),
    ({}, "", "invalid_request"),
    (FORM, "?client_secret=x", "invalid_request"),
    ({**FORM, "scope": "admin"}, "", "invalid_scope"),
    ({**FORM, "client_secret": "x"}, "", "invalid_request"),
    ({"grant_type": ["client_credentials", "password"]}, "", "invalid_request"),
]


def test_bad_token_requests(wide: Served) -> None:
    for form, query, error in BAD_REQUESTS:
        basic = (client_id(wide), wide.secret)
        response = wide.client.post(f"/oauth/token{query}", data=form, auth=basic)
        assert (response.status_code, response.get_json()["error"]) == (400, error), form
    assert wide.client.get("/oauth/token").status_code == 405


def test_several_secrets_at_once_and_each_ends_its_own_tokens(
    wide: Served, clock: SetClock
) -> None:
    old_token = token_of(wide)
    new = wide.change(lambda s, a: s.rotate_key(wide.applicant, a, overlap_hours=0))
    assert ask(wide).status_code == 401
    assert code_of(wide.get("/count", secret=old_token)) == (403, "key_replaced")
    newest = wide.change(lambda s, a: s.rotate_key(wide.applicant, a, overlap_hours=1))
    for secret in (new.secret, newest.secret):
        token = ask(wide, secret=secret).get_json()["access_token"]
        assert wide.get("/count", secret=token).status_code == 200
    clock.advance(hours=1)
    assert ask(wide, secret=new.secret).status_code == 401
    assert ask(wide, secret=newest.secret).status_code == 200


def test_a_token_replayed_after_the_end_of_its_grant_is_refused(wide: Served) -> None:
    token = token_of(wide)
    other = create_app(wide.platform).test_client()
    headers = {"Authorization": f"Bearer {token}"}
    wide.change(lambda s, a: s.suspend(wide.reviewer, a, reason="核查"))
    assert code_of(other.get("/data/v1/bus-stops/rows", headers=headers)) == (
        403,
        "grant_suspended",
    )
    wide.change(lambda s, a: s.revoke(wide.reviewer, a, reason="违反协议"))
    assert code_of(other.get("/data/v1/bus-stops/rows", headers=headers)) == (403, "grant_revoked")


def test_a_token_in_an_address_is_refused(wide: Served) -> None:
    token = token_of(wide)
    for name in ("access_token", "token", "stop_name"):
        response = wide.client.get(f"/data/v1/bus-stops/rows?{name}={token}")
        assert code_of(response) == (400, "credential_in_url")


def test_forged_tokens_are_refused(wide: Served) -> None:
    for name, forged in forgeries(wide):
        assert code_of(wide.get("/rows", secret=forged)) == (401, "token_invalid"), name


def forgeries(served: Served) -> Iterator[tuple[str, str]]:
    """Yield tokens that differ from a good one in one thing each."""
    good = token_of(served)
    head, body, mark = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    kid = jwt.get_unverified_header(good)["kid"]
    with served.platform.database.reading() as session:
        secret_key = served.platform.settings.secret_key
        kept = find_signing_key(session, served.platform.clock(), secret_key)
        assert kept is not None
        ours, public = open_private(kept, secret_key), kept.public_pem

    def signed(changes: dict[str, Any] | None = None, key: Any = ours, **headers: Any) -> str:
        kept = {k: v for k, v in {**claims, **(changes or {})}.items() if v is not None}
        headers = {"kid": kid, "typ": "at+jwt", **headers}
        return jwt.encode(kept, key, algorithm="EdDSA", headers=headers)

    assert served.get("/count", secret=signed()).status_code == 200
    yield "alg none", f"{encoded(alg='none', typ='at+jwt', kid=kid)}.{body}."
    yield "alg none, mark kept", f"{encoded(alg='none', typ='at+jwt', kid=kid)}.{body}.{mark}"
    yield "no mark", f"{head}.{body}."
    yield "other mark", f"{head}.{body}.{mark[::-1]}"
    yield "HS256 with the public key", hs256(claims, kid, public)
    yield "other curve", jwt.encode(
        claims, ec.generate_private_key(ec.SECP256R1()), "ES256",
        headers={"kid": kid, "typ": "at+jwt"},
    )  # fmt: skip
    stranger = Ed25519PrivateKey.generate()
    yield "foreign key under our kid", signed(key=stranger)
    yield "foreign kid", signed(key=stranger, kid="foreign")
    yield "kid as a path", signed(kid="../../../dev/null")
    yield "kid as SQL", signed(kid="x' OR '1'='1")
    yield "jku", signed(key=stranger, jku="http://127.0.0.1:9/jwks.json")
    yield "jku with our key", signed(jku="http://127.0.0.1:9/jwks.json")
    yield "jwk", signed(key=stranger, jwk=jwk_of(stranger))
    yield "crit", signed(crit=["exp"])
    yield "typ", signed(typ="JWT")
    yield "wrong audience", signed({"aud": "http://127.0.0.1:5000/other"})
    yield "no audience", signed({"aud": None})
    yield "wrong issuer", signed({"iss": "http://evil.example"})
    yield "no issuer", signed({"iss": None})
    yield "no expiry", signed({"exp": None})
    yield "expiry as text", signed({"exp": "9999999999"})
    yield "no jti", signed({"jti": None})
    yield "another grant's number", signed({"sub": "SQ00009999"})
    yield "another key", signed({"key": 9999})
    yield "key as text", signed({"key": "1 OR 1=1"})
    yield "changed body", f"{head}.{encoded(**{**claims, 'exp': claims['exp'] + 9000})}.{mark}"
    yield "two dots only", ".."
    yield "no JSON", "eyJ.eyJ.x"
    yield "too long", f"{head}.{'a' * 5000}.{mark}"


def encoded(**values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def hs256(claims: dict[str, Any], kid: str, public_pem: str) -> str:
    """Sign with the text of the public key as a shared secret, as confused verifiers would."""
    import hashlib
    import hmac

    text = f"{encoded(alg='HS256', typ='at+jwt', kid=kid)}.{encoded(**claims)}"
    mark = hmac.new(public_pem.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"


def jwk_of(key: Ed25519PrivateKey) -> dict[str, str]:
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    x = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "x": x}


def test_signing_keys_are_replaced_and_the_old_one_still_verifies(
    wide: Served, clock: SetClock
) -> None:
    clock.advance(days=0)
    first = token_of(wide)
    with wide.platform.database.writing() as session:
        key = session.query(SigningKey).one()
        kid, key.created_at = key.kid, clock() - _days(90)
        assert "PRIVATE" not in key.sealed_private
    second = token_of(wide)
    assert jwt.get_unverified_header(second)["kid"] != kid
    for token in (first, second):
        assert wide.get("/count", secret=token).status_code == 200
    assert len(wide.client.get("/.well-known/jwks.json").get_json()["keys"]) == 2


def _days(number: int) -> Any:
    from datetime import timedelta

    return timedelta(days=number)


def test_tokens_are_not_given_without_end(wide: Served) -> None:
    statuses = [ask(wide).status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]


def test_neither_secret_nor_token_is_kept_or_logged(
    wide: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    token = token_of(wide)
    wide.get("/rows", secret=token)
    ask(wide, secret="xyk_canary_" + "b" * 30)
    with wide.platform.database.reading() as session:
        rows = [*session.query(AccessKey), *session.query(AccessApplication)]
        kept = repr([vars(row) for row in rows])
    output = "".join(capfd.readouterr())
    for secret in (wide.secret, token, "xyk_canary"):
        assert secret not in kept
        assert secret not in output


def test_a_generated_client_gets_a_token_and_calls(
    make_platform: Callable[..., Platform], serve: Callable[..., Served]
) -> None:
    served = serve(make_platform("sqlite"), WIDE)
    server = make_server("127.0.0.1", 0, create_app(served.platform), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        with OAuth2Session(client_id(served), served.secret) as session:
            session.trust_env = False
            token = session.fetch_token(f"{url}/oauth/token", grant_type="client_credentials")
            assert token["expires_in"] == 900
            answer = session.get(f"{url}/data/v1/bus-stops/rows", params={"limit": 1})
            assert answer.json()["data"][0]["stop_code"] == "000123"
    finally:
        server.shutdown()
        thread.join()
