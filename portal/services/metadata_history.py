"""What the public may read of an entry's earlier catalogue versions.

A version counts once it was published. Of its content only fields on a list are handed out, so that
a new field is inside until somebody puts it here; who edited and who reviewed is never part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, lazyload

from portal.errors import NotFound
from portal.models.entry import EntryVersion
from portal.rules.entry_content import EntryContent, InformationItem, LegalBasis
from portal.services.content import content_of

BASES = ("closed_basis", "collection_basis")
"""Legal bases that the data set's page names; without the quotations that officials read."""

SHOWN_FIELDS = (
    "title", "title_en", "abstract", "keywords", "theme", "more_themes", "region",
    "resource_class", "base_library", "share_type", "open_type", "licence", "open_condition",
    "open_condition_ground", "closed_ground", *BASES, "acquisition_method", "source_system",
    "pooling_state", "verified_at", "update_frequency", "temporal_start", "temporal_end",
    "contact_name", "provider_uscc", "related_codes", "related_service_items",
)  # fmt: skip
"""Fields of earlier versions that stay public. The telephone and the mail address of a contact are
not among them: they serve whoever asks today, and an old one may be a person's."""

SHOWN_PARTS = (
    "name", "field_name", "data_type", "length", "precision", "nullable", "primary_key",
    "code_list", "unit", "description", "open", "masking", "personal",
)  # fmt: skip
"""Parts of information items that stay public; samples and sharing rules are not."""


@dataclass(frozen=True)
class PublishedVersion:
    """`reason` is the note with which it was published; `number` is the version's for ever."""

    number: int
    published_at: datetime
    reason: str


def list_published(
    session: Session, entry_id: int, *, start: int = 0, rows: int = 100
) -> Sequence[PublishedVersion]:
    """Return the published versions of an entry, the newest first."""
    query = (
        select(EntryVersion.number, EntryVersion.published_at, EntryVersion.change_note)
        .where(EntryVersion.entry_id == entry_id, EntryVersion.published_at.is_not(None))
        .order_by(EntryVersion.number.desc())
        .offset(start)
        .limit(rows)
    )
    return [
        PublishedVersion(number, at, note)
        for number, at, note in session.execute(query)
        if at is not None
    ]


def count_published_versions(session: Session, entry_id: int) -> int:
    query = select(func.count(EntryVersion.id)).where(
        EntryVersion.entry_id == entry_id, EntryVersion.published_at.is_not(None)
    )
    return session.scalar(query) or 0


def published_before(session: Session, entry_id: int, number: int) -> int | None:
    """Return the number of the published version before this one; None for the first."""
    query = select(func.max(EntryVersion.number)).where(
        EntryVersion.entry_id == entry_id,
        EntryVersion.published_at.is_not(None),
        EntryVersion.number < number,
    )
    return session.scalar(query)


def published_content(
    session: Session, entry_id: int, number: int
) -> tuple[PublishedVersion, EntryContent]:
    """Return a published version with the public part of its content. Raises NotFound."""
    query = (
        select(EntryVersion)
        .options(lazyload(EntryVersion.entry))
        .where(
            EntryVersion.entry_id == entry_id,
            EntryVersion.number == number,
            EntryVersion.published_at.is_not(None),
        )
    )
    found = session.scalars(query).first()
    if found is None or found.published_at is None:
        raise NotFound("该目录没有公开的第 {number} 版。", number=number)
    shown = PublishedVersion(found.number, found.published_at, found.change_note)
    return shown, public_content(content_of(found))


def public_content(content: EntryContent) -> EntryContent:
    """Return a content with nothing but what the public may read of it for ever."""
    values: dict[str, Any] = {name: getattr(content, name) for name in SHOWN_FIELDS}
    values |= {name: tuple(map(_cited, getattr(content, name))) for name in BASES}
    return EntryContent(**values, items=tuple(map(_public_item, content.items)))


def _cited(basis: LegalBasis) -> LegalBasis:
    return replace(basis, quote="", url="")


def _public_item(item: InformationItem) -> InformationItem:
    return InformationItem(order=item.order, **{name: getattr(item, name) for name in SHOWN_PARTS})
