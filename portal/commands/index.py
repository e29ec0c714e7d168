"""`xiangyun index rebuild|check|retry-quarantined`."""

from __future__ import annotations

import sys

import click
from sqlalchemy import func, select

from portal.commands import opened_platform
from portal.commands.rebuild_beside import prepared_beside
from portal.models.entry import CatalogueEntry
from portal.platform import Platform
from portal.services.index_check import IndexDifference, check, repair
from portal.services.index_quarantine import Quarantined, list_quarantined, retry_quarantined
from portal.services.index_rebuild import rebuild
from portal.services.indexer import count_pending, index_pending

IDS_SHOWN = 20
ENDS_WITH_DIFFERENCES = 1


@click.group("index")
def index() -> None:
    """The search index: disposable, always rebuilt from the database."""


@index.command("rebuild")
@click.option("--fresh", is_flag=True, help="Begin anew instead of going on with a broken-off one.")
def rebuild_index(*, fresh: bool) -> None:
    """Build a fresh index beside the live one and swap; searches and writes go on meanwhile.

    A rebuild that was broken off is gone on with where it stopped.
    """
    with opened_platform() as platform:
        with platform.database.reading() as session:
            entries = session.scalar(select(func.count(CatalogueEntry.id))) or 0
        with prepared_beside(platform, entries=entries) as prepare, _bar(entries) as bar:

            def progress(done: int, total: int) -> None:
                bar.length = total
                bar.update(done - bar.pos)

            held = rebuild(
                platform.database, platform.engine, platform.clock,
                prepare=prepare, progress=progress, fresh=fresh,
            )  # fmt: skip
        click.echo(f"{held} entries indexed")
        with platform.database.reading() as session:
            _say_quarantined(list_quarantined(session))


def _bar(length: int) -> click._termui_impl.ProgressBar[int]:
    return click.progressbar(length=length, label="重建 rebuilding", file=sys.stderr, show_pos=True)


@index.command("check")
@click.option("--repair", "repairs", is_flag=True, help="Index every differing entry anew.")
def check_index(*, repairs: bool) -> None:
    """Compare the index with the database; exit with 1 if they differ.

    Missing entries are not in the index, extra ones should not be, stale ones are of another
    version, mislabelled ones may be found by the wrong people, quarantined ones cannot be indexed.
    """
    with opened_platform() as platform:
        difference = check(platform.database, platform.engine)
        _say(difference)
        if repairs and difference.ids:
            repair(platform.database, platform.engine, platform.clock, difference)
            _index(platform)
            difference = check(platform.database, platform.engine)
            click.echo("repaired" if difference.is_empty else "differences remain")
    if not difference.is_empty:
        sys.exit(ENDS_WITH_DIFFERENCES)


@index.command("retry-quarantined")
def retry() -> None:
    """Try the entries once more that could not be indexed."""
    with opened_platform() as platform:
        with platform.database.writing() as session:
            count = retry_quarantined(session)
        _index(platform)
        with platform.database.reading() as session:
            left = list_quarantined(session)
    click.echo(f"{count} tried again, {len(left)} still quarantined")
    _say_quarantined(left)
    if left:
        sys.exit(ENDS_WITH_DIFFERENCES)


def _index(platform: Platform) -> None:
    """Index what waits; what fails is tried until it is set aside."""
    while True:
        index_pending(platform.database, platform.engine, platform.clock)
        with platform.database.reading() as session:
            if not count_pending(session):
                return


def _say(difference: IndexDifference) -> None:
    kinds = ("missing", "extra", "stale", "mislabelled")
    found = {kind: getattr(difference, kind) for kind in kinds}
    counts = [f"{kind} {len(ids)}" for kind, ids in found.items()]
    click.echo(", ".join([*counts, f"quarantined {len(difference.quarantined)}"]))
    for kind, ids in found.items():
        if ids:
            more = " …" if len(ids) > IDS_SHOWN else ""
            click.echo(f"{kind}: {' '.join(map(str, ids[:IDS_SHOWN]))}{more}", err=True)
    _say_quarantined(difference.quarantined)


def _say_quarantined(found: list[Quarantined] | tuple[Quarantined, ...]) -> None:
    for one in found:
        click.echo(f"quarantined: {one.entry_id} {one.code} {one.title}: {one.reason}", err=True)


COMMANDS = (index,)
