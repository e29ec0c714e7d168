"""The whole list of an organisation as a spreadsheet that can be changed and sent back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from harvesters.open_list import write_filled
from portal.codes import all_code_names
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.organisation import Organisation
from portal.services.content import content_json, content_of

EXPORTED = ("draft", "submitted", "returned", "approved", "published")


def export_list(session: Session, provider: Organisation) -> bytes:
    """Return the XLSX of every entry of the provider, each as its newest version says.

    What is retired or discarded is left out.
    """
    return write_filled(all_code_names(), _records(session, provider))


def _records(session: Session, provider: Organisation) -> Iterator[dict[str, Any]]:
    newest = (
        select(func.max(EntryVersion.number))
        .where(EntryVersion.entry_id == CatalogueEntry.id, EntryVersion.state.in_(EXPORTED))
        .correlate(CatalogueEntry)
        .scalar_subquery()
    )
    query = (
        select(EntryVersion)
        .join(
            CatalogueEntry,
            and_(CatalogueEntry.id == EntryVersion.entry_id, EntryVersion.number == newest),
        )
        .where(CatalogueEntry.provider_id == provider.id, CatalogueEntry.retired_at.is_(None))
        .order_by(CatalogueEntry.code)
    )
    for version in session.scalars(query):
        content = content_of(version)
        yield {
            **content_json(content),
            "items": [_item(item) for item in content_json(content).get("items", [])],
            "code": version.entry.code,
            "provider_name": provider.name,
            "responsible_dept": version.entry.responsible_dept.code,
        }


def _item(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if value is not None}
