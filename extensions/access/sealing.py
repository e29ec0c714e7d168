"""Secrets of others that the portal has to send: sealed with a key made from SECRET_KEY."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"xiangyun upstream secrets"


def seal(secret: str, secret_key: str) -> str:
    return _sealer(secret_key).encrypt(secret.encode()).decode() if secret else ""


def open_sealed(sealed: str, secret_key: str) -> str | None:
    """Return the secret, "" if there is none; None if it was sealed under another SECRET_KEY."""
    if not sealed:
        return ""
    try:
        return _sealer(secret_key).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def _sealer(secret_key: str) -> Fernet:
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=_PURPOSE).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
