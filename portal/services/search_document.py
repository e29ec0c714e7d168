"""From a catalogue entry to what search holds of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from portal.codes import code_list, region_and_ancestors
from portal.models.distribution import Distribution
from portal.models.entry import CatalogueEntry, EntryVersion, find_unfinished_version
from portal.rules.entry_content import EntryContent
from portal.services.areas import area_of
from portal.services.entry_facts import EntryFacts, facts_of
from portal.services.entry_hooks import more_facets
from portal.services.open_columns import open_table, released_table
from portal.services.search_facts import KnownDistribution, KnownVersion, SearchFacts
from search.document import SearchDocument

Facts = EntryFacts | SearchFacts
Distributions = Sequence[Distribution] | Sequence[KnownDistribution]

ABSTRACT_SHOWN = 160
REASONS_SHOWN = 3
SAMPLE_VALUES_MAX = 200
COLUMNS_MAX = 300


def findable_version(session: Session, entry: CatalogueEntry) -> EntryVersion | None:
    """Return the version that search shows: the published one, else the unfinished one."""
    if entry.is_public:
        return entry.published_version
    if entry.published_version_id is not None:
        return None
    return find_unfinished_version(session, entry.id)


def search_document(
    session: Session, entry: CatalogueEntry, facts: Facts | None = None
) -> SearchDocument | None:
    """Return the entry's document, or None when nobody may find it."""
    facts = facts or facts_of(session, entry)
    version = facts.version
    if version is None:
        return None
    content = facts.content
    formats = _formats(content, facts.distributions)
    return SearchDocument(
        id=entry.id,
        version=entry.index_version,
        labels=labels_of(
            entry.provider.code, entry.responsible_dept.code, is_public=entry.is_public
        ),
        code=entry.code,
        name=entry.slug,
        title=content.title,
        title_en=content.title_en,
        abstract=content.abstract,
        keywords=content.keywords,
        item_names=_item_names(facts.distributions, content),
        provider_names=_names(entry),
        sample_values=_sample_values(facts.distributions, content),
        facets=_facets(entry, content, formats),
        value_score=entry.value_score if entry.is_public else 0.0,
        created=entry.issued_at or entry.created_at,
        modified=entry.metadata_modified_at,
        updated=entry.data_modified_at,
        area=area_of(content, content.region or entry.provider.region_code),
        downloads=facts.downloads,
        stored=_stored(entry, version, content, formats, facts),
    )


def labels_of(provider: str, responsible: str, *, is_public: bool) -> frozenset[str]:
    """Return who may find an entry, by the codes of its two organisations."""
    if is_public:
        return frozenset({"public"})
    return frozenset({"bureau", f"org:{provider}", f"org:{responsible}"})


def _names(entry: CatalogueEntry) -> tuple[str, ...]:
    names = (entry.provider.name, entry.provider.short_name, entry.provider.name_en)
    return tuple(name for name in names if name)


def _formats(content: EntryContent, distributions: Distributions) -> tuple[str, ...]:
    found = [d.format.lower() for d in distributions if d.format] or list(content.format)
    return tuple(dict.fromkeys(found))


def _item_names(distributions: Distributions, content: EntryContent) -> tuple[str, ...]:
    """Return the information items, and the open columns of tables, which may be named otherwise."""
    names = [item.name for item in content.items]
    for distribution in distributions:
        table = open_table(distribution.current_version, content)
        names += [column.name for column in table.columns] if table else []
    return tuple(dict.fromkeys(name for name in names if name))[:COLUMNS_MAX]


def _sample_values(distributions: Distributions, content: EntryContent) -> tuple[str, ...]:
    """Return the first values of parsed tables: what is inside is findable too.

    Only of data that everybody may have, and only where every column is open: values are kept
    without their columns, and a word that finds an entry tells that the entry holds it.
    """
    if content.open_type != "unconditional":
        return ()
    values: list[str] = []
    for distribution in distributions:
        data = distribution.current_version
        table, whole = open_table(data, content), released_table(data)
        if data is None or table is None or whole is None:
            continue
        values += data.samples if len(table.columns) == len(whole.columns) else []
    return tuple(dict.fromkeys(v for v in values if v))[:SAMPLE_VALUES_MAX]


def _facets(
    entry: CatalogueEntry, content: EntryContent, formats: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    facets = {
        "theme": tuple(t for t in (content.theme, *content.more_themes) if t),
        "organisation": (entry.provider.code,),
        "region": region_and_ancestors(content.region or entry.provider.region_code),
        "open_type": (content.open_type,),
        "share_type": (content.share_type,),
        "format": formats,
        "update_frequency": (content.update_frequency,),
        "licence": (content.licence or _foreign_licence(content),),
        "tags": content.keywords,
        "state": ("published" if entry.is_public else "draft",),
        **more_facets(entry, content),
    }
    return {name: tuple(v for v in values if v) for name, values in facets.items()}


def _foreign_licence(content: EntryContent) -> str:
    """Return the licence id of a foreign record that no licence of ours stands for."""
    return str(content.foreign.get("package", {}).get("license_id") or "")


def _stored(
    entry: CatalogueEntry,
    version: EntryVersion | KnownVersion,
    content: EntryContent,
    formats: tuple[str, ...],
    facts: Facts,
) -> dict[str, Any]:
    """Return what a result list shows; plain JSON values, names resolved on the page."""
    reasons = [r for r in entry.value.get("reasons", []) if r["points"] > 0][:REASONS_SHOWN]
    modified = entry.data_modified_at or entry.metadata_modified_at
    return {
        "id": entry.id,
        "slug": entry.slug,
        "code": entry.code,
        "title": content.title,
        "title_en": content.title_en,
        "abstract": content.abstract[:ABSTRACT_SHOWN],
        "provider": entry.provider.code,
        "provider_name": entry.provider.name,
        "provider_name_en": entry.provider.name_en,
        "region": content.region or entry.provider.region_code,
        "theme": content.theme,
        "open_type": content.open_type,
        "formats": list(formats),
        "update_frequency": content.update_frequency,
        "modified": modified.isoformat(),
        "issued": entry.issued_at.isoformat() if entry.issued_at else None,
        "freshness": facts.freshness.state if facts.freshness else "",
        "open_state": facts.place.state if facts.place else "",
        "state": version.state if not entry.is_public else "published",
        "value_score": entry.value_score,
        "value_badge": entry.value_badge,
        "value_reasons": [{"zh": r["zh"], "en": r["en"], "points": r["points"]} for r in reasons],
        "downloads": facts.downloads,
        "theme_name": code_list("themes").label(content.theme),
    }
