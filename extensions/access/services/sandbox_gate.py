"""The sandbox's door: like `gate`, for keys that open made-up tables and nothing else."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime

from sqlalchemy.orm import Session

from extensions.access.errors import CallRefused
from extensions.access.masking import is_masked
from extensions.access.models.interface import DataInterface, find_interface
from extensions.access.models.sandbox import SandboxKey, find_sandbox
from extensions.access.quota import Allowance
from extensions.access.rules import grantable_items
from extensions.access.services.gate import Admission
from extensions.access.services.sandbox_keys import (
    CLIENT_PREFIX,
    SANDBOX_PREFIX,
    client_id_of,
    find_working_key,
)
from extensions.access.services.tokens import TokenIssuer, is_token
from extensions.access.upstream import find_target
from portal.models.entry import CatalogueEntry
from portal.services.content import content_of
from portal.tables.info import TableInfo

PER_MINUTE, PER_DAY = 60, 2_000  # calls of all sandboxes together, by account


def opens_sandbox(credential: str) -> bool:
    """Say whether a credential is for sandboxes; whether it counts, `admit_to_sandbox` says."""
    if not is_token(credential):
        return credential.startswith(SANDBOX_PREFIX)
    payload = credential.split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return False
    return isinstance(claims, dict) and str(claims.get("sub", "")).startswith(CLIENT_PREFIX)


def admit_to_sandbox(
    session: Session, now: datetime, api_code: str, credential: str, issuer: TokenIssuer
) -> Admission:
    """Return what the holder of a sandbox key or token may have: all that the interface offers.

    Raises:
        CallRefused: 401 for an unknown or revoked key, 403 for an interface that is withdrawn or
            whose data is no longer offered, 404 for an unknown one, 503 before its table is made.
    """
    key = _key_of(session, now, credential, issuer)
    interface = find_interface(session, api_code)
    if interface is None:
        raise CallRefused("unknown_interface")
    return sandbox_admission(session, interface, account_id=key.account_id, key_id=key.id)


def sandbox_admission(
    session: Session, interface: DataInterface, *, account_id: int = 0, key_id: int = 0
) -> Admission:
    """Return an admission to the interface's made-up table; `account_id` 0 for nobody's.

    Raises:
        CallRefused: the interface is not offered, or its table is not made yet.
    """
    entry = session.get(CatalogueEntry, interface.entry_id)
    version = entry.published_version if entry is not None else None
    is_offered = entry is not None and entry.is_public and interface.withdrawn_at is None
    if entry is None or version is None or not is_offered or version.open_type != "conditional":
        raise CallRefused("entry_not_open")
    sandbox = find_sandbox(session, interface.id)
    if sandbox is None or sandbox.table is None:
        raise CallRefused("no_data")
    table = TableInfo.from_dict(sandbox.table)
    content = content_of(version)
    given = grantable_items(content, interface.fields)
    names = [column.field_name for column in table.columns]
    items = {name: given[name] for name in names if name in given}
    if not items:
        raise CallRefused("no_data")
    return Admission(
        allowance=Allowance(0, PER_MINUTE, PER_DAY, sandbox_of=account_id),
        interface=interface,
        entry=entry,
        content=content,
        items=items,
        table=table,
        data_hash=table.parquet_sha256,
        grant_version=0,
        changed_at=sandbox.made_at,
        is_guarded=any(
            is_masked(i.masking) or i.personal not in ("", "none") for i in content.items
        ),
        key_id=key_id,
        is_sandbox=True,
        upstream=find_target(session, interface.id),
    )


def _key_of(session: Session, now: datetime, credential: str, issuer: TokenIssuer) -> SandboxKey:
    if not is_token(credential):
        key = find_working_key(session, secret=credential)
        if key is None:
            raise CallRefused("key_unknown")
        return key
    key_id, number = issuer.read(session, credential, now)
    key = find_working_key(session, key_id=key_id) if number == client_id_of(key_id) else None
    if key is None:
        raise CallRefused("token_invalid")
    return key
