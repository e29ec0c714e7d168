"""`xiangyun index rebuild|check`."""

from __future__ import annotations

import sys

import click

from portal.commands import opened_platform
from portal.services import indexer


@click.group("index")
def index() -> None:
    """The search index: disposable, always rebuilt from the database."""


@index.command("rebuild")
def rebuild() -> None:
    """Build a fresh index beside the live one and swap."""
    with opened_platform() as platform:
        count = indexer.rebuild(platform.database, platform.engine)
        click.echo(f"{count} entries indexed")


@index.command("check")
@click.option("--repair", is_flag=True, help="Index every differing entry anew.")
def check(repair: bool) -> None:
    """Compare the index with the database; exit with 1 if they differ."""
    with opened_platform() as platform:
        difference = indexer.check(platform.database, platform.engine)
        click.echo(
            f"missing {len(difference.missing)}, extra {len(difference.extra)}, "
            f"stale {len(difference.stale)}"
        )
        if repair and not difference.is_empty:
            indexer.repair(platform.database, platform.engine, platform.clock, difference)
            while indexer.index_pending(platform.database, platform.engine, platform.clock):
                pass
            difference = indexer.check(platform.database, platform.engine)
            click.echo("repaired" if difference.is_empty else "differences remain")
    if not difference.is_empty:
        sys.exit(1)


COMMANDS = (index,)
