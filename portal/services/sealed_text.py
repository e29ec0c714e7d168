"""Short secrets that must be read again: kept encrypted under a key made of SECRET_KEY.

Fernet (AES-128-CBC and HMAC-SHA256) under a key derived by HKDF for each purpose.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def seal(secret_key: str, purpose: str, text: str) -> str:
    return _box(secret_key, purpose).encrypt(text.encode()).decode()


def unseal(secret_key: str, purpose: str, sealed: str) -> str | None:
    """Return the text; None if it was sealed under another key or for another purpose."""
    try:
        return _box(secret_key, purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def _box(secret_key: str, purpose: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret_key.encode())))
