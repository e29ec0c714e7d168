"""The tables of calendars, departments, inspections and pages are as their models say."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from portal.db import Base
from portal.platform import Platform

TABLES = (
    "calendar_notice", "business_system", "system_member", "responsible_assignment", "spot_check",
    "site_page", "code_list_release", "coverage_dismissal", "supplementary_absorption",
)  # fmt: skip


def test_the_migration_makes_what_the_models_say(platform: Platform) -> None:
    with platform.database.reading() as session:
        context = MigrationContext.configure(session.connection())
        found = compare_metadata(context, Base.metadata)
    assert [one for one in found if any(name in str(one) for name in TABLES)] == []
