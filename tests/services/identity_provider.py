"""An OpenID provider that can be told to cheat. `python -m tests.services.identity_provider`

A process of its own: prints its port, then serves. It checks PKCE, redirect address and secret, and
hands a code out once. `POST /told` sets who signs in and how the next answers cheat.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

from flask import Flask, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT, SECRET = "xiangyun-test", "its-secret"


class Provider:
    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "first"}, private=True)
        self.foreign = RSAKey.generate_key(2048, {"kid": "first"}, private=True)
        self.told: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.issuer = ""

    def id_token(self, asked: dict[str, str]) -> str:
        cheat = self.told.get("cheat", "")
        now = int(time.time())
        claims = {
            "iss": "http://other.example.cn" if cheat == "iss" else self.issuer,
            "sub": self.told["sub"],
            "aud": "somebody-else" if cheat == "aud" else CLIENT,
            "iat": now - (7200 if cheat == "expired" else 0),
            "exp": now - 3600 if cheat == "expired" else now + 300,
            "nonce": "of-another-answer" if cheat == "nonce" else asked["nonce"],
        }
        if cheat == "no_nonce":
            del claims["nonce"]
        if cheat == "azp":
            claims |= {"aud": [CLIENT, "other"], "azp": "other"}
        if cheat == "alg_none":
            head = {"alg": "none", "typ": "JWT"}
            return f"{_part(head)}.{_part(claims)}."
        if cheat == "alg_hmac":  # signed with the public key as if it were a shared secret
            signed = f"{_part({'alg': 'HS256', 'kid': 'first'})}.{_part(claims)}"
            pem = self.key.as_pem(private=False)
            mark = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
            return f"{signed}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"
        key = self.foreign if cheat == "key" else self.key
        return jwt.encode({"alg": "RS256", "kid": "first"}, claims, key)


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def make_app(provider: Provider) -> Flask:
    app = Flask(__name__)

    @app.post("/told")
    def told() -> Any:
        provider.told = request.get_json()
        return jsonify({})

    @app.get("/.well-known/openid-configuration")
    def configuration() -> Any:
        issuer = provider.issuer
        named = "http://evil.example.cn" if provider.told.get("cheat") == "metadata" else issuer
        return jsonify(
            issuer=named,
            authorization_endpoint=f"{issuer}/authorize",
            token_endpoint=f"{issuer}/token",
            userinfo_endpoint=f"{issuer}/userinfo",
            jwks_uri=f"{issuer}/jwks",
            authorization_response_iss_parameter_supported=True,
        )

    @app.get("/jwks")
    def jwks() -> Any:
        return jsonify(keys=[provider.key.as_dict(private=False)])

    @app.get("/authorize")
    def authorize() -> Any:
        asked = request.args.to_dict()
        assert asked["code_challenge_method"] == "S256"
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        code = secrets.token_urlsafe(16)
        provider.codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": provider.issuer}
        cheat = provider.told.get("cheat", "")
        if cheat == "mix_up":
            answer["iss"] = "http://other.example.cn"
        if cheat == "unnamed":
            del answer["iss"]
        if cheat == "state":
            answer["state"] = "guessed"
        if cheat == "denied":
            answer = {"error": "access_denied", "state": asked["state"], "iss": provider.issuer}
        return redirect(f"{asked['redirect_uri']}?{urlencode(answer)}")

    @app.post("/token")
    def token() -> Any:
        form, basic = request.form, request.authorization
        asked = provider.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_known = basic is not None and (basic.username, basic.password) == (CLIENT, SECRET)
        if asked is None or not is_known or challenge != asked["code_challenge"]:
            return jsonify(error="invalid_grant"), 400
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return jsonify(error="invalid_grant"), 400
        found = {"access_token": "access", "token_type": "Bearer", "expires_in": 300}
        return jsonify({**found, "id_token": provider.id_token(asked)})

    @app.get("/userinfo")
    def userinfo() -> Any:
        told = provider.told
        claims = {k: v for k, v in told.items() if k != "cheat"}
        if told.get("cheat") == "userinfo":
            claims["sub"] = "somebody-else"
        return jsonify(claims)

    return app


def main() -> None:
    provider = Provider()
    server = make_server("127.0.0.1", 0, make_app(provider), threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
