"""Published entries that are probably the same data as one being compiled (art. 16, 一数一源).

The search engine brings the nearest by title and by information items; whether they are alike is
decided by `portal.rules.likeness` on what they say. Entries of the same title are found in the
database besides, so that a search engine that is down or behind hides none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.codes import code_list
from portal.errors import Invalid, Unavailable
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.rules.entry_content import EntryContent
from portal.rules.likeness import Likeness, Sketch, likeness
from portal.services.content import content_of
from portal.services.index_requests import denied_entry_ids
from portal.services.search import PUBLIC
from search.engine import SearchEngine, SearchRefused, SearchUnavailable
from search.request import SearchRequest

ASKED, SHOWN, WORDS_MAX = 20, 5, 200


@dataclass(frozen=True)
class Similar:
    """One entry that is probably the same data, and how to get it instead of collecting it.

    `why`: a reason of `portal.rules.likeness`; `share_type` and `contact` say how it is shared.
    """

    entry_id: int
    slug: str
    title: str
    provider: str
    own: bool
    why: str
    shared: tuple[str, ...]
    share_type: str
    share_condition: str
    open_type: str
    contact: str


def find_similar(
    session: Session,
    engine: SearchEngine | None,
    content: EntryContent,
    *,
    entry_id: int | None,
    provider_id: int,
) -> list[Similar]:
    """Return the entries that are probably the same data, the most alike first.

    Args:
        engine: None looks for the same title only.
        entry_id: the entry itself, which is left out.
        provider_id: whose entry it is; a likeness within one's own catalogue is said so.
    """
    if not content.title.strip():
        return []
    ids = _same_titles(session, content.title)
    if engine is not None:
        ids += _nearest(session, engine, content)
    known = sketch_of(content)
    found: list[tuple[Likeness, EntryVersion]] = []
    for version in _published(session, dict.fromkeys(ids), entry_id):
        alike = likeness(known, sketch_of(content_of(version)))
        if alike is not None:
            found.append((alike, version))
    found.sort(key=lambda pair: (pair[0].why != "same_title", -pair[0].title - pair[0].items))
    return [_similar(alike, version, provider_id) for alike, version in found[:SHOWN]]


def similar_to(
    session: Session, engine: SearchEngine | None, version: EntryVersion
) -> list[Similar]:
    """Return the entries that a version is probably the same data as; see `find_similar`."""
    return find_similar(
        session,
        engine,
        content_of(version),
        entry_id=version.entry_id,
        provider_id=version.entry.provider_id,
    )


def sketch_of(content: EntryContent) -> Sketch:
    names = tuple(item.name for item in content.items if item.name)
    return Sketch(content.title, names, _places_in(content.title))


def as_values(found: Iterable[Similar]) -> list[dict[str, Any]]:
    """Return the entries as a version keeps them (JSON)."""
    return [{**asdict(one), "shared": list(one.shared)} for one in found]


def _same_titles(session: Session, title: str) -> list[int]:
    query = (
        select(CatalogueEntry.id)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .where(EntryVersion.title == title, CatalogueEntry.retired_at.is_(None))
        .limit(ASKED)
    )
    return list(session.scalars(query))


def _nearest(session: Session, engine: SearchEngine, content: EntryContent) -> list[int]:
    """Ask by the title, and by the names of the items; an engine that is down brings nothing."""
    names = " ".join(item.name for item in content.items)[:WORDS_MAX]
    denied = denied_entry_ids(session)
    ids: list[int] = []
    for words in (content.title[:WORDS_MAX], names):
        if not words.strip():
            continue
        request = SearchRequest(words=words, rows=ASKED, excluded_ids=denied, as_typed=True)
        try:
            ids += [hit.id for hit in engine.search(request, PUBLIC).hits]
        except (SearchUnavailable, SearchRefused, Unavailable, Invalid):
            continue
    return ids


def _published(
    session: Session, ids: Iterable[int], entry_id: int | None
) -> Sequence[EntryVersion]:
    wanted = [one for one in ids if one != entry_id]
    query = (
        select(EntryVersion)
        .join(CatalogueEntry, CatalogueEntry.published_version_id == EntryVersion.id)
        .where(CatalogueEntry.id.in_(wanted), CatalogueEntry.retired_at.is_(None))
    )
    return session.scalars(query).all() if wanted else []


def _similar(alike: Likeness, version: EntryVersion, provider_id: int) -> Similar:
    entry, content = version.entry, content_of(version)
    contact = "　".join(filter(None, (content.contact_name, content.contact_phone)))
    return Similar(
        entry_id=entry.id,
        slug=entry.slug,
        title=version.title,
        provider=entry.provider.name,
        own=entry.provider_id == provider_id,
        why=alike.why,
        shared=alike.shared,
        share_type=content.share_type,
        share_condition=content.share_condition,
        open_type=content.open_type,
        contact=contact,
    )


@cache
def _region_names() -> tuple[str, ...]:
    """Names of the divisions below the province, with and without their last word."""
    found: set[str] = set()
    for region in code_list("regions"):
        if region.code == "220000":
            continue
        found |= {region.name, region.name.rstrip("市县区州")}
    return tuple(sorted((name for name in found if len(name) > 1), key=len, reverse=True))


def _places_in(title: str) -> frozenset[str]:
    """Return the regions named in a title, each by its shortest name, longest names first."""
    found = set()
    title = title.replace("吉林省", "")  # the whole province is no place in it, and 吉林 is a city
    for name in _region_names():
        if name in title:
            found.add(name.rstrip("市县区州"))
            title = title.replace(name, "")
    return frozenset(found)
