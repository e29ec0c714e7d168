"""Packages: show, list, complete. One query answers a public package out of its kept document."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field
from sqlalchemy import bindparam, or_, select

from portal.api.action import Action, Call, Raw
from portal.api.inputs import LONGEST_KEY, Count, Flag, Input, Page
from portal.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from portal.models.entry import CatalogueEntry, get_entry
from portal.models.index_request import EntryDocument
from portal.permissions import Permission
from portal.services.absorption import check_not_absorbed
from portal.services.index_requests import denied_entry_ids
from portal.services.package_document import package_bytes, render_package, with_site
from portal.services.packages import PackageService
from portal.web.access import Access
from search.engine import SearchUnavailable


class PackageShow(Input):
    id: str = Field(
        min_length=1, max_length=LONGEST_KEY, validation_alias=AliasChoices("name_or_id", "id")
    )
    include_draft: Flag = False


_ENTRY, _KEPT = CatalogueEntry.__table__.c, EntryDocument.__table__.c
_SHOWN = (
    select(
        _ENTRY.id, _ENTRY.published_version_id, _ENTRY.retired_at, _ENTRY.index_version,
        _KEPT.version, _KEPT.package,
    )
    .select_from(CatalogueEntry.__table__)
    .outerjoin(EntryDocument.__table__, _KEPT.entry_id == _ENTRY.id)
    .where(
        or_(*(c == bindparam("key") for c in (_ENTRY.slug, _ENTRY.public_id, _ENTRY.code)))
    )
    .limit(2)
)  # fmt: skip  # made once: whoever copies the catalogue asks it for every data set


def package_show(call: Call, given: PackageShow) -> Raw:
    """Return a data set with its resources.

    id: its id, name or resource code. include_draft: officials get the version that is being
    edited, with the fields that only they see.
    """
    if given.include_draft and not call.actor.is_anonymous:
        return _draft(call, given.id)
    row = call.session.connection().execute(_SHOWN, {"key": given.id}).first()
    if row is None:
        raise NotFound("没有代码或名称为“{key}”的数据。", key=given.id)
    public = row.published_version_id is not None and row.retired_at is None
    if not public or row.version != row.index_version:
        return _rendered(call, given.id)
    etag = f"{row.id}.{row.index_version}"
    return Raw(with_site(row.package, call.platform.settings.site_url), etag)


def _rendered(call: Call, key: str) -> Raw:
    entry = readable_entry(call, key)
    try:
        raw = package_bytes(call.session, entry)
    except LookupError as error:
        raise NotFound("没有代码或名称为“{key}”的数据。", key=key) from error
    return Raw(with_site(raw, call.platform.settings.site_url))


def readable_entry(call: Call, key: str) -> CatalogueEntry:
    """Return the entry if the caller may read it.

    Raises:
        NotFound: there is none, or it was retired and the caller is no official of it.
        Absorbed: it was, and the entry that took it in is named.
        Unauthenticated, Forbidden: a draft of others.
    """
    entry = get_entry(call.session, key)
    if call.may(Permission.ENTRY_READ, entry):
        return entry
    if entry.retired_at is not None:
        check_not_absorbed(call.session, entry)
        raise NotFound("数据“{key}”已撤下。", key=key)
    raise Unauthenticated() if call.actor.is_anonymous else Forbidden()


def _draft(call: Call, key: str) -> Raw:
    entry = readable_entry(call, key)
    if not call.may(Permission.ENTRY_EDIT, entry):
        raise Forbidden()
    service = PackageService(call.session, call.platform.clock, call.actor)
    raw = render_package(call.session, entry, service.current(entry), internal=True)
    return Raw(with_site(raw, call.platform.settings.site_url))


def package_list(call: Call, given: Page) -> list[str]:
    """Return the names of all public data sets, sorted. limit, offset: a part of them."""
    query = (
        select(CatalogueEntry.slug)
        .where(
            CatalogueEntry.published_version_id.is_not(None), CatalogueEntry.retired_at.is_(None)
        )
        .order_by(CatalogueEntry.slug)
        .offset(given.offset)
    )
    return list(call.session.scalars(query if given.limit is None else query.limit(given.limit)))


class Autocomplete(Input):
    q: str = Field(max_length=LONGEST_KEY)
    limit: Count = 10


def package_autocomplete(call: Call, given: Autocomplete) -> list[dict[str, Any]]:
    """Return data sets with a title of which a word begins as typed, also in pinyin."""
    denied = denied_entry_ids(call.session)
    try:
        found = call.platform.engine.suggest(
            given.q, frozenset({"public"}), min(given.limit, 100), denied
        )
    except SearchUnavailable as error:
        raise Unavailable("检索服务暂时不可用，请稍后重试。") from error
    rows = call.session.execute(
        select(CatalogueEntry.id, CatalogueEntry.slug).where(
            CatalogueEntry.id.in_([one.id for one in found])
        )
    )
    names = {row.id: row.slug for row in rows}
    return [
        {
            "name": names[one.id],
            "title": one.title,
            "match_field": "title",
            "match_displayed": one.title,
        }
        for one in found
        if one.id in names
    ]


ACTIONS = (
    Action("package_show", Access.PUBLIC, package_show, PackageShow),
    Action("dataset_show", Access.PUBLIC, package_show, PackageShow),
    Action("package_list", Access.PUBLIC, package_list, Page),
    Action("package_autocomplete", Access.PUBLIC, package_autocomplete, Autocomplete),
)
