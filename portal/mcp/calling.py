"""Calls of the Action API inside this process: the same code, labels, limits and errors as over HTTP."""

from __future__ import annotations

from typing import Any, cast

from flask import Flask
from werkzeug.test import Client

from portal.api.dispatch import JSON
from portal.platform import Platform
from portal.services.accounts import actor_of_token
from portal.services.rates import count_hit

WINDOW_SECONDS = 60
CALLS_A_MINUTE = 120


class CallRefused(Exception):
    """A call was answered with an error; the message is the portal's, for people and models."""


class ActionCaller:
    """Calls actions for one account, or for nobody. Usable from several threads.

    Args:
        token: an Action API token; empty: what everybody may read.
        calls_a_minute: of all processes that call for this account (or for nobody) together.
        address: where a caller without an account calls from; each address has its own quota.
    """

    def __init__(
        self,
        app: Flask,
        platform: Platform,
        *,
        token: str = "",
        calls_a_minute: int = CALLS_A_MINUTE,
        address: str = "",
    ) -> None:
        self._app, self._platform, self._address = app, platform, address
        self._token, self._limit = token, calls_a_minute
        self._key = self._quota_key()

    def _quota_key(self) -> str:
        """Raises: CallRefused when the token is nobody's."""
        if not self._token:
            return f"mcp:anonymous:{self._address}" if self._address else "mcp:anonymous"
        with self._platform.database.reading() as session:
            actor = actor_of_token(session, self._token)
        if actor.is_anonymous:
            raise CallRefused("令牌无效或已停用。")
        return f"mcp:{actor.account_id}"

    def call(self, action: str, data: dict[str, Any]) -> Any:
        """Return the action's result.

        Raises:
            CallRefused: over the quota, or whatever the action refuses.
        """
        self._count()
        response = Client(self._app).post(
            f"/api/3/action/{action}",
            json=data,
            headers={"Authorization": self._token} if self._token else {},
        )
        if not (response.content_type or "").startswith(JSON.partition(";")[0]):
            raise CallRefused(f"HTTP {response.status_code}")
        answer = response.get_json()
        if not isinstance(answer, dict) or not answer.get("success"):
            raise CallRefused(_message(answer))
        return cast(Any, answer["result"])

    def _count(self) -> None:
        with self._platform.database.writing() as session:
            state = count_hit(
                session,
                self._platform.clock(),
                self._key,
                limit=self._limit,
                window_seconds=WINDOW_SECONDS,
            )
        if not state.allowed:
            raise CallRefused(
                f"调用过于频繁：每分钟最多 {self._limit} 次，请 {state.reset_seconds} 秒后重试。"
            )


def _message(answer: Any) -> str:
    if not isinstance(answer, dict):
        return str(answer)[:500]
    error = answer.get("error", {})
    if "message" in error and isinstance(error["message"], str):
        return str(error["message"])
    found = [
        f"{field}: {text}"
        for field, texts in error.items()
        if field != "__type"
        for text in (texts if isinstance(texts, list) else [texts])
    ]
    return "；".join(found)[:2000] or "调用失败。"
