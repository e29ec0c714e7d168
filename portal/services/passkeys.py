"""Passkeys as a second factor: WebAuthn ceremonies over py_webauthn.

The relying party is the host of SITE_URL, the only origin is SITE_URL's own. A challenge is random,
stands in the step of the sign-in (or of the setting up) and goes with it.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import update
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Invalid
from portal.models.sign_in import LoginStep, SecondFactor
from portal.services.account_management import own_account
from portal.services.login_steps import PASSKEY as STEP
from portal.services.login_steps import new_step, take_step
from portal.services.second_factors import NAME_MAX, PASSKEY, check_room, completed, list_factors

LONGEST = 20_000
_FAULTS = (WebAuthnException, ValueError, KeyError, TypeError)


def begin_passkey(
    session: Session, clock: Clock, actor: Actor, site_url: str, site_title: str
) -> tuple[str, str]:
    """Return (token of the step, creation options as JSON) for a new passkey of the own account."""
    account = own_account(session, actor)
    check_room(session, account.id)
    options = webauthn.generate_registration_options(
        rp_id=_host(site_url),
        rp_name=site_title,
        user_id=account.public_id.encode(),
        user_name=account.username,
        user_display_name=account.display_name,
        exclude_credentials=_known(session, account.id),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
    )
    facts = {"challenge": bytes_to_base64url(options.challenge)}
    token = new_step(session, clock, STEP, account.id, facts)
    return token, webauthn.options_to_json(options)


def finish_passkey(
    session: Session,
    clock: Clock,
    actor: Actor,
    site_url: str,
    *,
    step_token: str,
    credential: str,
    name: str,
    token: str,
) -> list[str]:
    """Keep the new passkey; return recovery codes if there were none.

    Raises:
        Invalid: the step has lapsed, or the answer is not one to its challenge from this site.
    """
    account = own_account(session, actor)
    step = take_step(session, clock, STEP, step_token)
    if step.account_id != account.id:
        raise Invalid.one("", "step_lapsed", "登录超时或已完成，请重新登录。")
    try:
        made = webauthn.verify_registration_response(
            credential=_read(credential),
            expected_challenge=base64url_to_bytes(step.facts["challenge"]),
            expected_rp_id=_host(site_url),
            expected_origin=_origin(site_url),
        )
    except _FAULTS as error:
        raise Invalid.one("", "passkey", "通行密钥没有添加成功，请重试。") from error
    factor = SecondFactor(
        account_id=account.id,
        kind=PASSKEY,
        name=(name.strip() or "通行密钥")[:NAME_MAX],
        secret=bytes_to_base64url(made.credential_public_key),
        credential_id=bytes_to_base64url(made.credential_id),
        counter=made.sign_count,
        created_at=clock(),
        confirmed_at=clock(),
    )
    session.add(factor)
    return completed(session, clock, actor, account, factor, token)


def request_options(session: Session, step: LoginStep, site_url: str) -> str:
    """Return request options as JSON for the step's account; "" if it has no passkey."""
    known = _known(session, step.account_id or 0)
    if not known:
        return ""
    options = webauthn.generate_authentication_options(
        rp_id=_host(site_url),
        challenge=base64url_to_bytes(step.facts["challenge"]),
        allow_credentials=known,
    )
    return webauthn.options_to_json(options)


def passkey_check(clock: Clock, site_url: str, credential: str) -> Any:
    """Return the check (portal.services.factor_sign_in.Check) of a passkey's answer."""

    def check(session: Session, step: LoginStep) -> bool:
        try:
            return _is_answer(session, clock, step, site_url, _read(credential))
        except _FAULTS:
            return False

    return check


def _is_answer(
    session: Session, clock: Clock, step: LoginStep, site_url: str, answer: dict[str, Any]
) -> bool:
    factors = {f.credential_id: f for f in list_factors(session, step.account_id or 0)}
    factor = factors.get(str(answer["id"]))
    if factor is None or factor.kind != PASSKEY:
        return False
    shown = webauthn.verify_authentication_response(
        credential=answer,
        expected_challenge=base64url_to_bytes(step.facts["challenge"]),
        expected_rp_id=_host(site_url),
        expected_origin=_origin(site_url),
        credential_public_key=base64url_to_bytes(factor.secret),
        credential_current_sign_count=factor.counter,
    )
    moved = session.execute(  # a copied authenticator would bring a count that was seen before
        update(SecondFactor)
        .where(SecondFactor.id == factor.id, SecondFactor.counter == factor.counter)
        .values(counter=shown.new_sign_count, last_used_at=clock())
    )
    return bool(moved.rowcount == 1)  # type: ignore[attr-defined]


def _read(credential: str) -> dict[str, Any]:
    found = json.loads(credential[:LONGEST])
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _known(session: Session, account_id: int) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(id=base64url_to_bytes(factor.credential_id))
        for factor in list_factors(session, account_id)
        if factor.kind == PASSKEY and factor.credential_id
    ]


def _host(site_url: str) -> str:
    return urlsplit(site_url).hostname or "localhost"


def _origin(site_url: str) -> str:
    parts = urlsplit(site_url)
    return f"{parts.scheme}://{parts.netloc}"
