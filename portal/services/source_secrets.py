"""Keys of sources (API keys, headers that sign in): sealed in the database, opened by runs only.

Sealed by `portal.services.sealed_text`, so that a copy of the database alone gives no key of another
portal away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from portal.errors import PortalError
from portal.models.harvest import HarvestSource
from portal.services.sealed_text import seal, unseal

SEALED_FOR = "xiangyun harvest source"
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
        self._secret_key = secret_key

    def put(self, source: HarvestSource, options: Mapping[str, Any]) -> None:
        """Let the source have these options and no others; the secret ones are sealed."""
        secret = {key: value for key, value in options.items() if is_secret(key)}
        source.options = {key: value for key, value in options.items() if key not in secret}
        text = orjson.dumps(secret, option=orjson.OPT_SORT_KEYS).decode()
        source.sealed = seal(self._secret_key, SEALED_FOR, text) if secret else ""

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
        text = unseal(self._secret_key, SEALED_FOR, source.sealed)
        if text is None:
            raise SecretsUnreadable(name=source.name)
        opened: dict[str, Any] = orjson.loads(text)
        return opened


def is_secret(option: str) -> bool:
    """Say whether an option may hold a key that nobody but a run should see."""
    return _SECRET.search(option) is not None
