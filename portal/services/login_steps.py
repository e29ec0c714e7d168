"""Steps of a sign-in that is half done: minutes long, of one browser, used once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.errors import Invalid
from portal.models.sign_in import LoginStep

MINUTES = 10
FACTOR, PASSKEY, OIDC = "factor", "passkey", "oidc"


def new_step(
    session: Session, clock: Clock, purpose: str, account_id: int | None, facts: dict[str, Any]
) -> str:
    """Write a step and return its token, which goes into the browser's signed cookie."""
    token = secrets.token_urlsafe(32)
    now = clock()
    session.add(
        LoginStep(
            purpose=purpose,
            token_hash=_hash(token),
            account_id=account_id,
            facts=facts,
            created_at=now,
            expires_at=now + timedelta(minutes=MINUTES),
        )
    )
    return token


def get_step(session: Session, clock: Clock, purpose: str, token: str) -> LoginStep:
    """Return the step that the token names.

    Raises:
        Invalid: there is none (any more); the sign-in begins anew.
    """
    step = session.scalars(
        select(LoginStep).where(
            LoginStep.token_hash == _hash(token),
            LoginStep.purpose == purpose,
            LoginStep.expires_at > clock(),
        )
    ).first()
    if step is None:
        raise Invalid.one("", "step_lapsed", "登录超时或已完成，请重新登录。")
    return step


def take_step(session: Session, clock: Clock, purpose: str, token: str) -> LoginStep:
    """Return the step and end it: of two that bring the same token, one gets it. Raises Invalid."""
    step = get_step(session, clock, purpose, token)
    session.expunge(step)
    ended = session.execute(delete(LoginStep).where(LoginStep.id == step.id))
    if ended.rowcount != 1:  # type: ignore[attr-defined]
        raise Invalid.one("", "step_lapsed", "登录超时或已完成，请重新登录。")
    return step


def forget_steps(session: Session, now: datetime) -> None:
    session.execute(delete(LoginStep).where(LoginStep.expires_at < now))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
