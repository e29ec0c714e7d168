"""Each content that a code list had is a version of it."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from portal.services.code_releases import (
    NAMES,
    changes_between,
    list_releases,
    newest_releases,
    record_releases,
    table_of,
)
from tests.factories import SetClock


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_an_unchanged_list_makes_no_version(session: Session, clock: SetClock) -> None:
    assert {one.list_name for one in newest_releases(session)} >= NAMES.keys()
    assert record_releases(session, clock) == 0


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_changed_list_is_a_new_version_that_says_what_changed(
    session: Session, clock: SetClock
) -> None:
    stood = list_releases(session, "themes")[0]
    stood.text = stood.text.replace("transport,", "traffic,", 1)
    stood.digest = "0" * 64
    assert record_releases(session, clock) == 1
    newest, before = list_releases(session, "themes")
    assert (newest.number, before.number) == (2, 1)
    changes = changes_between(before, newest)
    assert (changes.added, changes.removed) == (("transport",), ("traffic",))
    columns, rows = table_of(newest)
    assert len(rows) == newest.rows
    assert "name" in columns
