"""Sandbox keys of accounts: made from the moment an account exists, shown once, kept as SHA-256."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from extensions.access.models.sandbox import SandboxKey, list_sandbox_keys
from extensions.access.services.keys import SHOWN_CHARACTERS, hash_secret
from extensions.access.services.tokens import Client
from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Forbidden, NotFound
from portal.models.account import Account
from portal.services import audit
from portal.services.guards import refuse

SANDBOX_PREFIX = "xys_"
CLIENT_PREFIX = "SX"
MOST_KEYS = 5
AUDIT_FLOW = "sandbox_key"


@dataclass(frozen=True)
class NewSandboxKey:
    """`secret` is known here alone and never again."""

    key: SandboxKey
    secret: str


def client_id_of(key_id: int) -> str:
    """Return what an OAuth client calls itself with this key."""
    return f"{CLIENT_PREFIX}{key_id:08d}"


class SandboxKeyService:
    """Everything that may happen to an account's sandbox keys. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def make(self, actor: Actor) -> NewSandboxKey:
        """Make a key.

        Raises:
            GuardRefused: the account has as many as it may have.
        """
        account_id = _account_of(actor)
        if len(list_sandbox_keys(self._session, account_id)) >= MOST_KEYS:
            message = "沙箱密钥最多同时有{most}个，请先停用不用的。"
            raise refuse("keys", "too_many", message, most=MOST_KEYS)
        secret = SANDBOX_PREFIX + secrets.token_urlsafe(32)
        key = SandboxKey(
            account_id=account_id,
            prefix=secret[:SHOWN_CHARACTERS],
            secret_hash=hash_secret(secret),
            created_at=self._clock(),
        )
        self._session.add(key)
        self._session.flush()
        self._record(actor, key, "make")
        return NewSandboxKey(key, secret)

    def revoke(self, actor: Actor, key_id: int) -> None:
        """End a key of the actor's own; calls with it fail from the next one on."""
        key = self._session.get(SandboxKey, key_id)
        if key is None or key.account_id != _account_of(actor):
            raise NotFound("没有这个沙箱密钥。")
        if key.revoked_at is None:
            key.revoked_at = self._clock()
            self._record(actor, key, "revoke")

    def _record(self, actor: Actor, key: SandboxKey, event: str) -> None:
        audit.record(
            self._session, self._clock, actor, flow=AUDIT_FLOW, event=event, subject_id=key.id
        )


def _account_of(actor: Actor) -> int:
    if actor.account_id is None:
        raise Forbidden()
    return actor.account_id


def find_working_key(
    session: Session, *, secret: str | None = None, key_id: int | None = None
) -> SandboxKey | None:
    """Return the key with this secret or id, if it was not revoked and its account may sign in."""
    is_it = SandboxKey.id == key_id if secret is None else _has(secret)
    return session.scalars(
        select(SandboxKey)
        .join(Account, Account.id == SandboxKey.account_id)
        .where(is_it, SandboxKey.revoked_at.is_(None), Account.disabled.is_(False))
    ).first()


def authenticate_sandbox(
    session: Session, _now: datetime, client_id: str, secret: str
) -> Client | None:
    """Return the client whose sandbox key this is; None alike if unknown, wrong or revoked."""
    key = find_working_key(session, secret=secret)
    expected = client_id_of(key.id if key is not None else 0)
    is_same = hmac.compare_digest(
        expected.encode(), client_id.encode("utf-8", "replace")[: len(expected) + 1]
    )
    if key is None or not is_same:
        return None
    return Client(expected, 0, key.id, "")


def _has(secret: str) -> ColumnElement[bool]:
    return SandboxKey.secret_hash == hash_secret(secret)
