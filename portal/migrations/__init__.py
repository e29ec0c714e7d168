"""Database migrations. `upgrade` brings every branch to its head."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from portal.db import Database
from portal.extension import Extension

FOLDER = Path(__file__).parent


def _config(extensions: Iterable[Extension]) -> Config:
    folders = [FOLDER / "versions", *(e.migrations for e in extensions if e.migrations)]
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(folder) for folder in folders))
    return config


def upgrade(database: Database, extensions: Iterable[Extension]) -> None:
    """Bring the schema to the newest revision of every branch, in one transaction."""
    config = _config(extensions)
    with database.writing() as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "heads")


def downgrade(database: Database, extensions: Iterable[Extension], target: str) -> None:
    config = _config(extensions)
    with database.writing() as session:
        config.attributes["connection"] = session.connection()
        command.downgrade(config, target)


def is_current(database: Database, extensions: Iterable[Extension]) -> bool:
    """True if the schema stands at the heads of all branches."""
    script = ScriptDirectory.from_config(_config(extensions))
    with database.reading() as session:
        found = MigrationContext.configure(session.connection()).get_current_heads()
    return set(found) == set(script.get_heads())


def current_revisions(database: Database) -> tuple[str, ...]:
    """Return the heads at which the schema stands."""
    with database.reading() as session:
        heads = MigrationContext.configure(session.connection()).get_current_heads()
    return tuple(sorted(heads))


def known_revisions(extensions: Iterable[Extension]) -> frozenset[str]:
    """Return every revision that this version and its extensions know."""
    script = ScriptDirectory.from_config(_config(extensions))
    return frozenset(revision.revision for revision in script.walk_revisions())
