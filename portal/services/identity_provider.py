"""The province's unified identity as an OpenID provider: authorization code with PKCE, by Authlib.

What comes back is believed only if it is an answer to this browser's own question (state), made for
it (nonce), by the issuer we asked (its name in the metadata, in the answer and in the token), for us
(audience), signed with one of its published keys by an asymmetric algorithm, and fresh.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from portal.clock import Clock
from portal.errors import Unavailable
from portal.net import guarded_session
from portal.net.errors import FetchFailed
from portal.services.identities import Identity, IdentityRefused

ALGORITHMS = ["RS256", "PS256", "ES256"]
LEEWAY_SECONDS = 60
SCOPE = "openid profile"
LEVEL, ORGANISATION = "verification_level", "organisation_name"
_UNREADABLE = (JoseError, ValueError, KeyError, TypeError, AttributeError)


class _Client(OAuth2Session):  # type: ignore[misc]
    """Authlib's client whose requests go through the guarded session."""

    def __init__(self, http: requests.Session, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._http = http

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        options.pop("proxies", None)
        return self._http.send(request, **{**options, "allow_redirects": False})


class IdentityProvider:
    """One issuer and our registration with it. Holds no state; every sign-in asks anew."""

    def __init__(
        self,
        clock: Clock,
        *,
        issuer: str,
        client_id: str,
        secret: str,
        allowed_hosts: frozenset[str],
    ) -> None:
        self._clock, self.issuer = clock, issuer
        self._client_id, self._secret = client_id, secret
        self._http = guarded_session(
            allowed_hosts=allowed_hosts | {_host(issuer)},
            read_timeout=10.0,
            max_seconds=15.0,
            max_bytes=1_000_000,
            max_redirects=0,
        )

    def begin(self, redirect_uri: str) -> tuple[str, dict[str, str]]:
        """Return (address to send the browser to, what must be remembered until it is back).

        Raises:
            Unavailable: the provider does not answer.
            IdentityRefused: what answers is not the issuer.
        """
        metadata = self._metadata()
        kept = {
            "state": secrets.token_urlsafe(32),
            "nonce": secrets.token_urlsafe(32),
            "verifier": secrets.token_urlsafe(48),
        }
        url, _ = self._client(redirect_uri).create_authorization_url(
            metadata["authorization_endpoint"],
            state=kept["state"],
            nonce=kept["nonce"],
            code_verifier=kept["verifier"],
            response_type="code",
        )
        return str(url), kept

    def finish(
        self, kept: Mapping[str, str], answer: Mapping[str, str], redirect_uri: str
    ) -> Identity:
        """Exchange the code of the provider's answer and return who it is.

        Raises:
            Unavailable: the provider does not answer.
            IdentityRefused: anything of it is not as it should be.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), kept["state"].encode()):
            raise IdentityRefused()
        metadata = self._metadata()
        named = answer.get("iss", "")
        must_be_named = metadata.get("authorization_response_iss_parameter_supported") is True
        if (named or must_be_named) and named != self.issuer:
            raise IdentityRefused()  # an answer of another provider (RFC 9207)
        if answer.get("error") or not answer.get("code"):
            raise IdentityRefused()
        token = self._token(metadata, answer["code"], kept["verifier"], redirect_uri)
        claims = self._claims(metadata, token, kept["nonce"])
        return self._identity({**self._user_info(metadata, token, claims["sub"]), **claims})

    def _client(self, redirect_uri: str) -> _Client:
        return _Client(
            self._http,
            self._client_id,
            self._secret,
            scope=SCOPE,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self._secret else "none",
        )

    def _metadata(self) -> dict[str, Any]:
        found = self._json(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.issuer:
            raise IdentityRefused("统一身份认证的地址设置有误，请联系平台管理员。")
        return found

    def _json(self, url: str, **options: Any) -> dict[str, Any]:
        try:
            response = self._http.get(url, **options)
            response.raise_for_status()
            found = response.json()
        except (FetchFailed, requests.RequestException, ValueError) as error:
            raise Unavailable("统一身份认证暂时不可用，请稍后重试。") from error
        if not isinstance(found, dict):
            raise IdentityRefused()
        return found

    def _token(
        self, metadata: Mapping[str, Any], code: str, verifier: str, redirect_uri: str
    ) -> Mapping[str, Any]:
        try:
            token: Mapping[str, Any] = self._client(redirect_uri).fetch_token(
                metadata["token_endpoint"], code=code, code_verifier=verifier,
                grant_type="authorization_code",
            )  # fmt: skip
        except (AuthlibBaseError, KeyError, ValueError) as error:
            raise IdentityRefused() from error
        except (FetchFailed, requests.RequestException) as error:
            raise Unavailable("统一身份认证暂时不可用，请稍后重试。") from error
        return token

    def _claims(
        self, metadata: Mapping[str, Any], token: Mapping[str, Any], nonce: str
    ) -> dict[str, Any]:
        """Return the claims of the ID token, verified."""
        keys = self._json(str(metadata["jwks_uri"]))
        try:
            found = jwt.decode(
                token["id_token"],
                KeySet.import_key_set(keys),  # type: ignore[arg-type]
                algorithms=ALGORITHMS,
            )
            claims = CodeIDToken(
                found.claims,
                found.header,
                {
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._client_id},
                    "exp": {"essential": True},
                    "iat": {"essential": True},
                },
                {
                    "nonce": nonce,
                    "client_id": self._client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(now=int(self._clock().timestamp()), leeway=LEEWAY_SECONDS)
        except _UNREADABLE as error:
            raise IdentityRefused() from error
        return dict(claims)

    def _user_info(
        self, metadata: Mapping[str, Any], token: Mapping[str, Any], subject: str
    ) -> dict[str, Any]:
        """Return the claims that the provider tells apart from the token, if of the same person."""
        url = metadata.get("userinfo_endpoint")
        if not url or not token.get("access_token"):
            return {}
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        found = self._json(str(url), headers=headers)
        if found.get("sub") != subject:
            raise IdentityRefused()
        return found

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        name = str(claims.get(ORGANISATION) or claims.get("name") or "")
        subject = str(claims["sub"])
        if not subject or len(subject) > 255:
            raise IdentityRefused()
        return Identity(self.issuer, subject, name[:200], str(claims.get(LEVEL, ""))[:60])


def _host(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.hostname}:{port}"
