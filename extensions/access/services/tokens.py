"""Access tokens of the client credentials grant: EdDSA JWT (RFC 9068) for fifteen minutes.

A token only says which key of which grant it was made with. What the grant gives, and whether the
key still counts, is read at each call: so a token ends with its grant or key, not with its time.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from extensions.access.errors import CallRefused
from extensions.access.models.application import AccessApplication
from extensions.access.models.interface import DataInterface
from extensions.access.models.key import AccessKey
from extensions.access.services.keys import hash_secret
from extensions.access.services.signing_keys import find_public_key
from portal.clock import local_date

ALGORITHM = "EdDSA"
TYPE = "at+jwt"
LIFE = timedelta(minutes=15)
MAX_LENGTH = 2_000
CLAIMS = ("iss", "aud", "sub", "exp", "iat", "jti", "key")
HEADERS = frozenset({"alg", "typ", "kid"})  # jku, jwk, x5u, crit and the like are refused


@dataclass(frozen=True)
class Client:
    """Who asks for a token: the grant's number, and the key whose secret was shown."""

    client_id: str
    application_id: int
    key_id: int
    api_code: str


@dataclass(frozen=True)
class TokenIssuer:
    """`site_url` names who issues tokens and, with `/data/v1`, whom they are for."""

    site_url: str

    @property
    def issuer(self) -> str:
        return self.site_url.rstrip("/")

    @property
    def audience(self) -> str:
        return f"{self.issuer}/data/v1"

    def make(self, client: Client, kid: str, key: Ed25519PrivateKey, now: datetime) -> str:
        issued = int(now.timestamp())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": client.client_id,
            "client_id": client.client_id,
            "iat": issued,
            "exp": issued + int(LIFE.total_seconds()),
            "jti": secrets.token_urlsafe(16),
            "key": client.key_id,
        }
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid, "typ": TYPE})

    def read(self, session: Session, token: str, now: datetime) -> tuple[int, str]:
        """Return the key's id and the grant's number of a token of ours.

        Raises:
            CallRefused: it is none, or its time is over.
        """
        claims = self._verified(session, token)
        if claims["exp"] <= now.timestamp():
            raise CallRefused("token_expired")
        return claims["key"], claims["sub"]

    def _verified(self, session: Session, token: str) -> dict[str, Any]:
        """Check everything but the time, which is the platform's clock's."""
        try:
            key = self._key(session, token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self.audience,
                issuer=self.issuer,
                options={
                    "require": list(CLAIMS),
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise CallRefused("token_invalid") from None
        if not isinstance(claims["exp"], int) or not isinstance(claims["key"], int):
            raise CallRefused("token_invalid")
        return claims

    def _key(self, session: Session, token: str) -> Any:
        """Return our key that the header names; the header chooses nothing else."""
        if len(token) > MAX_LENGTH:
            raise ValueError("too long")
        header = jwt.get_unverified_header(token)
        if set(header) != HEADERS or header["alg"] != ALGORITHM or header["typ"] != TYPE:
            raise ValueError("not a header of ours")
        kid = header["kid"]
        key = find_public_key(session, kid) if isinstance(kid, str) and kid.isascii() else None
        if key is None:
            raise ValueError("not a key of ours")
        return key


def is_token(credential: str) -> bool:
    return credential.count(".") == 2


def authenticate_client(
    session: Session, now: datetime, client_id: str, secret: str
) -> Client | None:
    """Return the client whose secret this is; None alike if unknown, wrong, ended or disabled.

    One look-up by the secret's hash whatever is sent, and a comparison that takes the same time
    wherever the texts differ. What the hash finds is a text of 256 random bits.
    """
    row = session.execute(
        select(AccessKey, AccessApplication, DataInterface.api_code)
        .join(AccessApplication, AccessApplication.id == AccessKey.application_id)
        .join(DataInterface, DataInterface.id == AccessApplication.interface_id)
        .where(AccessKey.secret_hash == hash_secret(secret))
        .options(lazyload("*"))
    ).first()
    key, application, api_code = row if row is not None else (None, None, "")
    expected = application.number if application is not None else "SQ00000000"
    is_same = hmac.compare_digest(
        expected.encode(), client_id.encode("utf-8", "replace")[: len(expected) + 1]
    )
    if key is None or application is None or not is_same or not _counts(key, application, now):
        return None
    return Client(application.number, application.id, key.id, api_code)


def _counts(key: AccessKey, application: AccessApplication, now: datetime) -> bool:
    return (
        application.state == "active"
        and key.revoked_at is None
        and (key.expires_at is None or key.expires_at > now)
        and application.valid_until is not None
        and application.valid_until >= local_date(now)
    )
