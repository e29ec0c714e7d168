"""Secrets of grants: made at random, shown once, kept as SHA-256.

A random secret of 256 bits needs no slow hash. The prefix lets leak scanners and people
recognise it without knowing it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.access.models.key import AccessKey

SECRET_PREFIX = "xyk_"
SHOWN_CHARACTERS = 10


@dataclass(frozen=True)
class NewKey:
    """`secret` is known here alone and never again."""

    key: AccessKey
    secret: str


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def make_key(
    session: Session,
    application_id: int,
    now: datetime,
    *,
    name: str = "",
    expires_at: datetime | None = None,
) -> NewKey:
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    key = AccessKey(
        application_id=application_id,
        name=name,
        expires_at=expires_at,
        prefix=secret[:SHOWN_CHARACTERS],
        secret_hash=hash_secret(secret),
        created_at=now,
    )
    session.add(key)
    session.flush()
    return NewKey(key, secret)


def let_keys_run_out(
    session: Session,
    application_id: int,
    now: datetime,
    *,
    overlap_hours: int,
    key_id: int | None = None,
) -> None:
    """Let the application's keys, or the named one, work so many hours longer, none longer than
    before."""
    end = now + timedelta(hours=overlap_hours)
    for key in _working_keys(session, application_id):
        if key_id is not None and key.id != key_id:
            continue
        key.expires_at = end if key.expires_at is None else min(key.expires_at, end)


def revoke_keys(session: Session, application_id: int, now: datetime) -> None:
    for key in _working_keys(session, application_id):
        key.revoked_at = now


def _working_keys(session: Session, application_id: int) -> list[AccessKey]:
    return list(
        session.scalars(
            select(AccessKey).where(
                AccessKey.application_id == application_id, AccessKey.revoked_at.is_(None)
            )
        )
    )
