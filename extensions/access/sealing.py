"""Secrets of others that the portal has to send: sealed with a key made from SECRET_KEY."""

from __future__ import annotations

from portal.services import sealed_text

_PURPOSE = "xiangyun upstream secrets"


def seal(secret: str, secret_key: str) -> str:
    return sealed_text.seal(secret_key, _PURPOSE, secret) if secret else ""


def open_sealed(sealed: str, secret_key: str) -> str | None:
    """Return the secret, "" if there is none; None if it was sealed under another SECRET_KEY."""
    return sealed_text.unseal(secret_key, _PURPOSE, sealed) if sealed else ""
