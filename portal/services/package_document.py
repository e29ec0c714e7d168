"""The entry as a CKAN package: what the Action API hands out, ready as bytes.

Names on the wire are CKAN's. Keys known to ckanext-dcat keep their names, ours begin with `jl_`;
unknown keys of foreign records are given back as they came, so that export(import(x)) loses
nothing. Paths of this portal carry the mark `SITE` before them, which `with_site` replaces where
the document goes out: a kept document holds no address, and a new address needs no indexing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.codes import code_list
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.index_request import EntryDocument
from portal.models.organisation import Organisation
from portal.rules.entry_content import EntryContent
from portal.services.code_book import code_book
from portal.services.content import content_of
from portal.services.entry_facts import EntryFacts, facts_of
from portal.services.package_extras import package_extras
from portal.services.resource_document import SITE, naive_utc, resource_dict

__all__ = ["naive_utc", "package_bytes", "package_dict", "render_package", "with_site"]

_SITE_BYTES = SITE.encode()
_LICENCE_KEYS = ("license_id", "license_title", "license_url", "isopen")
_FOREIGN_FIRST = (
    "author", "author_email", "creator_user_id", "maintainer", "maintainer_email", "type", "url",
    "version",
)  # fmt: skip
"""Keys that have no field here, or whose own text a foreign record keeps beside the field."""


def with_site(raw: bytes, site_url: str) -> bytes:
    """Return the document with the site's address before each path of this portal."""
    return raw.replace(_SITE_BYTES, orjson.dumps(site_url.rstrip("/"))[1:-1])


def package_bytes(session: Session, entry: CatalogueEntry) -> bytes:
    """Return the kept document if it is of the entry's current version, else a fresh one."""
    kept = session.execute(
        select(EntryDocument.version, EntryDocument.package).where(
            EntryDocument.entry_id == entry.id
        )
    ).first()
    if kept is not None and kept.version == entry.index_version:
        return bytes(kept.package)
    return render_package(session, entry)


def render_package(
    session: Session,
    entry: CatalogueEntry,
    version: EntryVersion | None = None,
    *,
    facts: EntryFacts | None = None,
    internal: bool = False,
) -> bytes:
    return orjson.dumps(package_dict(session, entry, version, facts=facts, internal=internal))


def package_dict(
    session: Session,
    entry: CatalogueEntry,
    version: EntryVersion | None = None,
    *,
    facts: EntryFacts | None = None,
    internal: bool = False,
) -> dict[str, Any]:
    """Return the package of a version; of the one that search shows when none is given.

    Args:
        internal: with the sharing conditions and the security level, for officials only.

    Raises:
        LookupError: the entry has no version to show.
    """
    facts = facts or facts_of(session, entry)
    version = version or facts.version or entry.published_version
    if version is None:
        raise LookupError(f"entry {entry.code} has no version to show")
    content = content_of(version)
    foreign = foreign_keys(content)
    resources = [resource_dict(d) for d in facts.distributions]
    tags = [*(tag_dict(word) for word in content.keywords), *foreign.get("tags", ())]
    groups = [group_dict(code) for code in (content.theme, *content.more_themes) if code]
    document = {
        **_core(entry, version, content, foreign),
        "extras": package_extras(entry, version, content, facts, internal=internal),
        "groups": [*groups, *foreign.get("groups", ())],
        "num_resources": len(resources),
        "num_tags": len(tags),
        "organization": package_organization(entry.provider),
        "resources": resources,
        "tags": tags,
        "relationships_as_subject": foreign.get("relationships_as_subject", []),
        "relationships_as_object": foreign.get("relationships_as_object", []),
    }
    return document | {key: value for key, value in foreign.items() if key not in document}


def foreign_keys(content: EntryContent) -> Mapping[str, Any]:
    """Return the top-level keys of a foreign record that have no field here."""
    kept = content.foreign.get("package", {})
    return kept if isinstance(kept, dict) else {}


def _core(
    entry: CatalogueEntry, version: EntryVersion, content: EntryContent, foreign: Mapping[str, Any]
) -> dict[str, Any]:
    core: dict[str, Any] = {
        "author": None,
        "author_email": None,
        "creator_user_id": None,
        "id": entry.public_id,
        **_licence(content, foreign),
        "maintainer": content.contact_name or None,
        "maintainer_email": content.contact_email or None,
        "metadata_created": naive_utc(entry.created_at),
        "metadata_modified": naive_utc(modified_at(entry, version)),
        "name": entry.slug,
        "notes": content.abstract or foreign.get("notes", ""),
        "owner_org": entry.provider.public_id,
        "private": not entry.is_public,
        "state": state_of(entry),
        "title": content.title,
        "type": "dataset",
        "url": None,
        "version": str(version.number),
    }
    core.update({key: foreign[key] for key in _FOREIGN_FIRST if key in foreign})
    if str(foreign.get("title", "")).strip() == content.title:
        core["title"] = foreign["title"]
    return core


def state_of(entry: CatalogueEntry) -> str:
    """Return CKAN's state: active, draft, or deleted for a retired entry."""
    if entry.retired_at is not None:
        return "deleted"
    return "active" if entry.is_public else "draft"


def modified_at(entry: CatalogueEntry, version: EntryVersion) -> datetime:
    """Return when what is shown last changed: of a version on its way, its own last change."""
    if version.published_at is None:
        return max(entry.metadata_modified_at, version.modified_at)
    return entry.metadata_modified_at


def _licence(content: EntryContent, foreign: Mapping[str, Any]) -> dict[str, Any]:
    """Return the licence's keys: as they came while they still say what the field says."""
    came = foreign.get("license_id")
    if came is not None and _says(came, foreign.get("license_url"), content.licence):
        kept = {key: foreign[key] for key in _LICENCE_KEYS if key in foreign}
        return {"isopen": False, "license_title": None, **kept}
    licence = code_list("licences").find(content.licence)
    keys: dict[str, Any] = {
        "isopen": licence.is_yes("is_open") if licence else False,
        "license_id": content.licence or None,
        "license_title": licence.name if licence else None,
    }
    if licence is not None and licence["url"]:
        keys["license_url"] = licence["url"]
    return keys


def _says(licence_id: Any, url: Any, code: str) -> bool:
    book = code_book()
    found = (book.find("licences", str(text)) for text in (url, licence_id) if text)
    return next(filter(None, found), "") == code


def group_dict(code: str) -> dict[str, Any]:
    """Return a theme as CKAN's group, the short form that a package holds."""
    theme = code_list("themes").find(code)
    title = theme.name if theme else code
    return {
        "description": theme.name_en if theme else "",
        "display_name": title,
        "id": code,
        "image_display_url": "",
        "name": code,
        "title": title,
    }


def tag_dict(word: str) -> dict[str, Any]:
    return {
        "display_name": word,
        "id": word,
        "name": word,
        "state": "active",
        "vocabulary_id": None,
    }


def package_organization(organisation: Organisation) -> dict[str, Any]:
    """Return an organisation as CKAN shows it inside a package."""
    return {
        "id": organisation.public_id,
        "name": organisation.slug,
        "title": organisation.name,
        "type": "organization",
        "description": organisation.description,
        "image_url": "",
        "created": naive_utc(organisation.created_at.astimezone(UTC)),
        "is_organization": True,
        "approval_status": "approved",
        "state": "active",
    }
