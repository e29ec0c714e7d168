"""Who may call an interface right now: one indexed query for each call.

The state of the key, the grant, the entry and its place on the open list are all read at each call
(`standing`), so that a suspension, a revocation or a removal counts from the next call on, in every
process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.orm import Session, lazyload

from extensions.access.errors import Caller, CallRefused
from extensions.access.masking import is_masked
from extensions.access.models.application import AccessApplication, number_of
from extensions.access.models.interface import DataInterface, find_interface
from extensions.access.models.key import AccessKey
from extensions.access.models.upstream import UpstreamService
from extensions.access.quota import Allowance
from extensions.access.row_filters import filters_of, item_table, row_filter_defects
from extensions.access.rules import grantable_items
from extensions.access.services.keys import hash_secret
from extensions.access.services.standing import (
    Standing,
    find_standing,
    joined,
    remember,
    remembered,
)
from extensions.access.services.tokens import TokenIssuer, is_token
from extensions.access.upstream import Target
from portal.clock import SHANGHAI, local_date
from portal.models.distribution import DataVersion, Distribution
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.open_list import OpenListEntry
from portal.rules.entry_content import EntryContent, InformationItem
from portal.services.content import content_of
from portal.services.open_columns import released_table
from portal.tables.info import TableInfo
from portal.tables.query import Filter

_ENDED = {
    "suspended": "grant_suspended",
    "revoked": "grant_revoked",
    "expired": "grant_expired",
}


@dataclass(frozen=True)
class Admission:
    """What one admitted call may have.

    `items` are the granted fields that may be given now and stand in the table, in the order of
    the table; `grant_version` changes with the grant; `changed_at` is when the data, the metadata or
    the grant last changed; `is_guarded` says whether the table holds personal or masked items;
    `row_filters` are the grant's own, which every question gets; in a sandbox the table is made up.
    """

    allowance: Allowance
    interface: DataInterface
    entry: CatalogueEntry
    content: EntryContent
    items: dict[str, InformationItem]
    table: TableInfo
    data_hash: str
    grant_version: int
    changed_at: datetime | None
    is_guarded: bool
    key_id: int
    row_filters: tuple[Filter, ...] = ()
    is_sandbox: bool = False
    upstream: Target | None = None


_GRANT = joined(
    AccessKey,
    AccessApplication,
    DataInterface,
    CatalogueEntry,
    EntryVersion,
    OpenListEntry.id,
    DataVersion,
    Distribution.deleted_at,
    UpstreamService,
).options(lazyload("*"))
_BY_ID = _GRANT.where(AccessKey.id == bindparam("key_id"))


def admit(
    session: Session, now: datetime, api_code: str, credential: str, issuer: TokenIssuer
) -> Admission:
    """Return what the holder of the key or token may have of this interface now.

    Raises:
        CallRefused: 401 for a missing or unknown credential, 403 for one that does not open this
            interface now, 404 for an unknown interface, 503 while there is no table.
    """
    if not credential:
        if find_interface(session, api_code) is None:
            raise CallRefused("unknown_interface")
        raise CallRefused("key_missing")
    standing = _standing_of(session, now, credential, issuer)
    found = remembered(session, standing, now)
    if found is not None and found.interface.api_code == api_code:
        return found
    row = session.execute(_BY_ID, {"key_id": standing.key_id}).one()
    try:
        admission = _admitted(row, now, api_code)
    except CallRefused as refused:
        refused.caller = Caller(application_id=row[1].id, key_id=row[0].id)
        raise
    remember(session, standing, admission)
    return admission


def _standing_of(session: Session, now: datetime, credential: str, issuer: TokenIssuer) -> Standing:
    if not is_token(credential):
        standing = find_standing(session, secret_hash=hash_secret(credential))
        if standing is None:
            raise CallRefused("key_unknown")
        return standing
    key_id, number = issuer.read(session, credential, now)
    standing = find_standing(session, key_id=key_id)
    if standing is None or number_of(standing.application_id) != number:
        raise CallRefused("token_invalid")
    return standing


def _admitted(row: Sequence[Any], now: datetime, api_code: str) -> Admission:
    key, application, interface, entry, version, place_id, data, table_gone, upstream = row
    _check_key(key, application, now)
    if interface.api_code != api_code:
        raise CallRefused("wrong_interface")
    if place_id is None or entry.retired_at or version is None or interface.withdrawn_at:
        raise CallRefused("entry_not_open")
    if version.open_type != "conditional":
        raise CallRefused("entry_not_open")
    if upstream is not None:
        table = item_table(content_of(version), interface.fields)
        admission = _admission(key, application, interface, entry, version, table)
        target = Target.of(upstream)
        return replace(admission, upstream=target, data_hash=f"upstream-{target.row_version}")
    found = released_table(data)
    if found is None or table_gone:
        raise CallRefused("no_data")
    return _admission(key, application, interface, entry, version, found)


def _check_key(key: AccessKey, application: AccessApplication, now: datetime) -> None:
    if application.state in _ENDED:
        raise CallRefused(_ENDED[application.state])
    if key.revoked_at is not None or application.state != "active":
        raise CallRefused("grant_revoked")
    if key.expires_at is not None and key.expires_at <= now:
        raise CallRefused("key_replaced")
    if application.valid_until is None or application.valid_until < local_date(now):
        raise CallRefused("grant_expired")


def _admission(
    key: AccessKey,
    application: AccessApplication,
    interface: DataInterface,
    entry: CatalogueEntry,
    version: EntryVersion,
    table: TableInfo,
) -> Admission:
    content = content_of(version)
    given = grantable_items(content, interface.fields)
    granted = frozenset(application.granted_fields)
    masking = application.granted_masking or {}
    items = {
        column.field_name: masked_further(given[column.field_name], masking)
        for column in table.columns
        if column.field_name in granted and column.field_name in given
    }
    row_filters = filters_of(application.row_filters)
    if not items or row_filter_defects(row_filters, table):
        raise CallRefused("no_data")  # a filter that no longer fits must not open every row
    columns = {column.field_name for column in table.columns}
    moments = (entry.data_modified_at, version.published_at, application.activated_at)
    return Admission(
        allowance=_allowance(application),
        interface=interface,
        entry=entry,
        content=content,
        items=items,
        table=table,
        data_hash=table.parquet_sha256,
        grant_version=application.row_version,
        changed_at=max(filter(None, moments), default=None),
        is_guarded=any(_is_guarded(item) for item in content.items if item.field_name in columns)
        or any(_is_guarded(item) for item in items.values()),
        key_id=key.id,
        row_filters=row_filters,
    )


def _allowance(application: AccessApplication) -> Allowance:
    last = application.valid_until
    ends = datetime.combine(last + timedelta(days=1), time(), SHANGHAI) if last else None
    return Allowance(
        application_id=application.id,
        per_minute=application.per_minute or 0,
        quota_day=application.quota_day or 0,
        per_second=application.per_second or 0,
        quota_term=application.quota_term or 0,
        term_ends_at=ends,
    )


def masked_further(item: InformationItem, masking: Mapping[str, str]) -> InformationItem:
    """Return the item as a grant gives it: masked as the catalogue says, else as the grant does."""
    rule = masking.get(item.field_name, "")
    return replace(item, masking=rule) if rule and not is_masked(item.masking) else item


def _is_guarded(item: InformationItem) -> bool:
    return is_masked(item.masking) or item.personal not in ("", "none")
