"""The migrations make what the models say, on both databases, and can be taken back."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from portal.db import Base
from portal.platform import Platform

CORE_TABLES = frozenset(
    {
        "partial_upload",
        "data_version",
        "outgoing_message",
        "mailed_link",
        "second_factor",
        "recovery_code",
        "login_step",
        "delegation",
        "external_identity",
    }
)


def test_the_migrations_make_what_the_models_say(platform: Platform) -> None:
    with platform.database.reading() as session:
        context = MigrationContext.configure(session.connection())
        found = compare_metadata(context, Base.metadata)
    about = [one for one in found if any(name in str(one) for name in CORE_TABLES)]
    assert about == []
