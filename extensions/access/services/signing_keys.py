"""Keys that sign access tokens: Ed25519, made when first needed, kept sealed, replaced in time.

The private half is sealed with a key derived from SECRET_KEY, so that a copy of the database alone
signs nothing. Verifiers know each key by its `kid`, the RFC 7638 thumbprint of its public half.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta
from typing import cast

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from extensions.access.models.key import SigningKey

ROTATION = timedelta(days=90)
PUBLISHED_AFTER = timedelta(hours=1)  # its successor came: four times the life of a token
_PURPOSE = b"xiangyun access token signing keys"


def find_signing_key(session: Session, now: datetime, secret_key: str) -> SigningKey | None:
    """Return the key that signs now; None where there is none, or it is due, or cannot be opened."""
    newest = _newest(session)
    if newest is None or newest.created_at + ROTATION <= now:
        return None
    try:
        open_private(newest, secret_key)
    except InvalidToken:
        return None  # SECRET_KEY was changed since
    return newest


def make_signing_key(session: Session, now: datetime, secret_key: str) -> SigningKey:
    """Make the key that signs from now on, and forget those that no living token needs."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = private.public_key()
    key = SigningKey(
        kid=_thumbprint(public),
        public_pem=public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode(),
        sealed_private=_sealer(secret_key).encrypt(pem).decode(),
        created_at=now,
    )
    newest = _newest(session)
    if newest is not None:
        # The newest is kept whatever its age: its last token may have been made just now.
        old = SigningKey.created_at < now - ROTATION - PUBLISHED_AFTER
        session.execute(delete(SigningKey).where(old, SigningKey.kid != newest.kid))
    session.add(key)
    session.flush()
    return key


def open_private(key: SigningKey, secret_key: str) -> Ed25519PrivateKey:
    """Raises: InvalidToken if it was sealed under another SECRET_KEY."""
    pem = _sealer(secret_key).decrypt(key.sealed_private.encode())
    return cast(Ed25519PrivateKey, serialization.load_pem_private_key(pem, None))


def public_keys(session: Session) -> list[dict[str, str]]:
    """Return every published key as a JWK (RFC 8037), the newest first."""
    keys = session.scalars(select(SigningKey).order_by(SigningKey.created_at.desc()))
    return [
        {**_public_jwk(_public(key)), "kid": key.kid, "use": "sig", "alg": "EdDSA"} for key in keys
    ]


def find_public_key(session: Session, kid: str) -> Ed25519PublicKey | None:
    key = session.get(SigningKey, kid)
    return _public(key) if key is not None else None


def _newest(session: Session) -> SigningKey | None:
    query = select(SigningKey).order_by(SigningKey.created_at.desc(), SigningKey.kid).limit(1)
    return session.scalars(query).first()


def _public(key: SigningKey) -> Ed25519PublicKey:
    return cast(Ed25519PublicKey, serialization.load_pem_public_key(key.public_pem.encode("ascii")))


def _public_jwk(key: Ed25519PublicKey) -> dict[str, str]:
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {"crv": "Ed25519", "kty": "OKP", "x": _base64(raw)}


def _thumbprint(key: Ed25519PublicKey) -> str:
    text = json.dumps(_public_jwk(key), sort_keys=True, separators=(",", ":"))
    return _base64(hashlib.sha256(text.encode()).digest())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _sealer(secret_key: str) -> Fernet:
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=_PURPOSE).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
