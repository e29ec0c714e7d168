"""Packages by the list: kept ones where they are current, fresh ones where not, in order."""

from __future__ import annotations

import orjson
from sqlalchemy.orm import Session

from portal.models.entry import CatalogueEntry
from portal.models.index_request import EntryDocument
from portal.services.kept_packages import kept_packages
from tests.factories import Catalogue


def test_a_kept_package_counts_while_it_is_of_the_entry_as_it_is(
    session: Session, catalogue: Catalogue
) -> None:
    entries = [catalogue.published() for _ in range(3)]
    _keep(session, entries[0], version=entries[0].index_version)
    _keep(session, entries[1], version=entries[1].index_version - 1)
    asked = [entries[2].id, entries[0].id, entries[1].id]
    found = kept_packages(session, asked)
    assert list(found) == asked
    assert found[entries[0].id] == b'{"kept":true}'
    for entry in entries[1:]:
        assert orjson.loads(found[entry.id])["name"] == entry.slug


def test_ids_of_nothing_are_left_out(session: Session, catalogue: Catalogue) -> None:
    entry = catalogue.published()
    assert list(kept_packages(session, [entry.id, entry.id + 1_000])) == [entry.id]
    assert kept_packages(session, []) == {}


def _keep(session: Session, entry: CatalogueEntry, *, version: int) -> None:
    session.add(EntryDocument(entry_id=entry.id, version=version, package=b'{"kept":true}'))
    session.flush()
