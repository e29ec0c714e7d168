"""Entries as their own people list them, newest version first (read model)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.codes import code_list
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.freshness import Freshness
from portal.models.open_list import ENDED, OpenListEntry
from portal.models.organisation import Organisation
from portal.services.overview import WATCHED, city_of

LISTED = ("none", "proposed", "planned", "open", "suspended")


@dataclass(frozen=True)
class EntryFilter:
    """`words` in title or code; `state` of the newest version; `listed`: one of LISTED.

    The others are those of the Bureau's overview: `organisation` is the provider's code, `region` a
    city (with all below it; the province stands for what lies in no city), `theme` and
    `published_type` are of the public version; `freshness` may be `watched`, `shared` means that other
    agencies can get it; `public`, `valued` and `shared` are `yes` or empty.
    """

    words: str = ""
    state: str = ""
    open_type: str = ""
    listed: str = ""
    organisation: str = ""
    region: str = ""
    theme: str = ""
    freshness: str = ""
    published_type: str = ""
    public: str = ""
    valued: str = ""
    shared: str = ""


def list_entries(
    session: Session, actor: Actor, chosen: EntryFilter, *, limit: int, offset: int
) -> tuple[Sequence[Any], int]:
    """Return rows (entry, newest version, list place, freshness) and how many there are.

    The Bureau and the auditor see every entry, others those of their organisations.
    """
    newest = (
        select(func.max(EntryVersion.number))
        .where(EntryVersion.entry_id == CatalogueEntry.id)
        .correlate(CatalogueEntry)
        .scalar_subquery()
    )
    joined = (
        select(CatalogueEntry.id)
        .join(
            EntryVersion,
            and_(EntryVersion.entry_id == CatalogueEntry.id, EntryVersion.number == newest),
        )
        .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
        .outerjoin(
            OpenListEntry,
            and_(OpenListEntry.entry_id == CatalogueEntry.id, OpenListEntry.state.not_in(ENDED)),
        )
        .outerjoin(Freshness, Freshness.entry_id == CatalogueEntry.id)
        .where(_scope(actor), *_conditions(chosen))
    )
    total = session.scalar(select(func.count()).select_from(joined.subquery())) or 0
    rows = session.execute(
        joined.with_only_columns(
            CatalogueEntry.id.label("entry_id"),
            CatalogueEntry.slug,
            CatalogueEntry.code,
            CatalogueEntry.published_version_id,
            CatalogueEntry.retired_at,
            CatalogueEntry.value_badge,
            EntryVersion.id.label("version_id"),
            EntryVersion.title,
            EntryVersion.number,
            EntryVersion.state,
            EntryVersion.open_type,
            EntryVersion.modified_at,
            Organisation.name.label("provider"),
            OpenListEntry.id.label("place_id"),
            OpenListEntry.state.label("place_state"),
            Freshness.state.label("freshness"),
        )
        .order_by(EntryVersion.modified_at.desc(), CatalogueEntry.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()
    return rows, total


def _scope(actor: Actor) -> ColumnElement[bool]:
    if actor.is_kind("bureau") or actor.is_kind("third_party_assessor"):
        return true()
    own = actor.organisation_ids
    return or_(CatalogueEntry.provider_id.in_(own), CatalogueEntry.responsible_dept_id.in_(own))


def _conditions(chosen: EntryFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.words:
        found.append(
            or_(
                EntryVersion.title.contains(chosen.words, autoescape=True),
                CatalogueEntry.code.contains(chosen.words, autoescape=True),
            )
        )
    if chosen.state:
        found.append(EntryVersion.state == chosen.state)
    if chosen.open_type:
        found.append(EntryVersion.open_type == chosen.open_type)
    if chosen.listed == "none":
        found.append(OpenListEntry.id.is_(None))
    elif chosen.listed:
        found.append(OpenListEntry.state == chosen.listed)
    if chosen.organisation:
        found.append(Organisation.code == chosen.organisation)
    if chosen.region:
        codes = [r.code for r in code_list("regions") if city_of(r.code) == chosen.region]
        found.append(Organisation.region_code.in_(codes))
    if chosen.freshness == "watched":
        found.append(Freshness.state.in_(WATCHED))
    elif chosen.freshness:
        found.append(Freshness.state == chosen.freshness)
    if chosen.valued:
        found.append(CatalogueEntry.value_badge.is_(True))
    return [*found, *_of_public_version(chosen)]


def _of_public_version(chosen: EntryFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.public:
        found.append(CatalogueEntry.published_version_id.is_not(None))
        found.append(CatalogueEntry.retired_at.is_(None))
    asked = {"theme": chosen.theme, "open_type": chosen.published_type}
    columns = [getattr(EntryVersion, name) == value for name, value in asked.items() if value]
    if chosen.shared:
        columns.append(EntryVersion.share_type.in_(("unconditional", "authorised")))
    if columns:
        published = select(EntryVersion.id).where(*columns)
        found.append(CatalogueEntry.published_version_id.in_(published))
    return found
