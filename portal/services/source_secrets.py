"""Keys of sources (API keys, headers that sign in): sealed in the database, opened by runs only.

Sealed with Fernet (AES-128-CBC and HMAC-SHA256) under a key derived from SECRET_KEY by HKDF, so
that a copy of the database alone gives no key of another portal away.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.errors import PortalError
from portal.models.harvest import HarvestSource

_SECRET = re.compile(r"key|token|secret|password|headers|authorization|cookie", re.IGNORECASE)


class SecretsUnreadable(PortalError):
    """The keys of a source were sealed under another SECRET_KEY."""

    code = "secrets_unreadable"
    default_message = (
        "来源“{name}”的密钥无法读取：平台的 SECRET_KEY 已更换。请编辑该来源，重新填写密钥。"
    )


class SourceSecrets:
    """Seals and opens the secret options of sources."""

    def __init__(self, secret_key: str) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=b"xiangyun harvest source")
        self._fernet = Fernet(base64.urlsafe_b64encode(derived.derive(secret_key.encode())))

    def put(self, source: HarvestSource, options: Mapping[str, Any]) -> None:
        """Let the source have these options and no others; the secret ones are sealed."""
        secret = {key: value for key, value in options.items() if is_secret(key)}
        source.options = {key: value for key, value in options.items() if key not in secret}
        sealed = orjson.dumps(secret, option=orjson.OPT_SORT_KEYS)
        source.sealed = self._fernet.encrypt(sealed).decode() if secret else ""

    def options_of(self, source: HarvestSource) -> dict[str, Any]:
        """Return all options in the clear.

        Raises:
            SecretsUnreadable: sealed under another key.
        """
        return {**source.options, **self._opened(source)}

    def names(self, source: HarvestSource) -> list[str]:
        """Return which secret options the source has; what cannot be opened has none."""
        try:
            return sorted(self._opened(source))
        except SecretsUnreadable:
            return []

    def _opened(self, source: HarvestSource) -> dict[str, Any]:
        if not source.sealed:
            return {}
        try:
            opened: dict[str, Any] = orjson.loads(self._fernet.decrypt(source.sealed.encode()))
        except (InvalidToken, ValueError) as error:
            raise SecretsUnreadable(name=source.name) from error
        return opened


def is_secret(option: str) -> bool:
    """Say whether an option may hold a key that nobody but a run should see."""
    return _SECRET.search(option) is not None
