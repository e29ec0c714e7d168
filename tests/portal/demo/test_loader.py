"""The sample catalogue is loaded through the real flows, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import select

from portal.demo.loader import ACCOUNTS_FILE, load_sample
from portal.jobs.worker import Worker
from portal.models import CatalogueEntry, DataVersion, Deadline, EntryVersion, OpenListEntry
from portal.platform import Platform
from portal.services import index_check
from search.request import FacetAsk, SearchRequest

PUBLIC = frozenset({"public"})


@pytest.mark.slow
def test_the_sample_covers_every_theme_type_and_state(
    make_platform: Callable[..., Platform],
) -> None:
    platform = make_platform("sqlite")
    accounts = load_sample(platform)
    Worker(platform).run_until_idle()
    assert load_sample(platform) == []
    kept = platform.settings.home / ACCOUNTS_FILE
    assert len(kept.read_text(encoding="utf-8").splitlines()) == len(accounts)
    assert kept.stat().st_mode & 0o077 == 0
    with platform.database.reading() as session:
        versions = Counter(session.scalars(select(EntryVersion.state)))
        places = Counter(session.scalars(select(OpenListEntry.state)))
        tables = Counter(session.scalars(select(DataVersion.table_state)))
        waiting = session.scalars(select(Deadline).where(Deadline.closed_at.is_(None))).all()
        entries = session.scalars(select(CatalogueEntry)).all()
    assert {"draft", "submitted", "returned", "published", "retired"} <= versions.keys()
    assert {"proposed", "planned", "open", "suspended", "removed"} <= places.keys()
    assert tables["failed"] == tables["pending"] == 0
    assert tables["ready"] >= 15
    assert len(entries) >= 60
    assert waiting
    found = platform.engine.search(SearchRequest(facets=(FacetAsk("theme"),), rows=1), PUBLIC)
    assert len(found.facets["theme"]) == 23
    assert index_check.check(platform.database, platform.engine).is_empty
