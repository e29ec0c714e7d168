"""`xiangyun db upgrade`."""

from __future__ import annotations

import click

from portal import migrations
from portal.commands import opened_platform
from portal.platform import Platform
from portal.services.calendar_days import load_calendar_days
from portal.services.code_releases import record_releases
from portal.services.organisations import load_departments


@click.group("db")
def db() -> None:
    """The database's schema."""


@db.command("upgrade")
def upgrade() -> None:
    """Bring the schema to the newest revision and load the code lists' organisations and days."""
    with opened_platform() as platform:
        prepare_database(platform)
        click.echo("database is current")


def prepare_database(platform: Platform) -> None:
    migrations.upgrade(platform.database, platform.extensions)
    with platform.database.writing() as session:
        load_departments(session, platform.clock)
        load_calendar_days(session, platform.clock)
        record_releases(session, platform.clock)


COMMANDS = (db,)
