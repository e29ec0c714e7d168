"""`xiangyun calendar load`."""

from __future__ import annotations

from pathlib import Path

import click

from portal.actor import SYSTEM
from portal.commands import opened_platform
from portal.rules.holiday_notice import HolidayNotice, read_days
from portal.services.calendar_notices import CalendarService, in_words


@click.group("calendar")
def calendar() -> None:
    """The working-day calendar."""


@calendar.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--year", type=click.IntRange(2004, 2099), required=True, help="The year it is for.")
@click.option("--source", required=True, help="Name and number of the notice.")
@click.option("--reason", default="", help="Why, kept in the audit trail.")
@click.option("--days", "single", is_flag=True, help="Single days only; the year's others stay.")
@click.option("--dry-run", is_flag=True, help="Say which deadlines would move; write nothing.")
def load(file: Path, year: int, source: str, reason: str, single: bool, dry_run: bool) -> None:
    """Load the CSV FILE (date, until, kind, name) and move every open deadline it touches."""
    days = read_days(file.read_text(encoding="utf-8-sig"), year, whole_year=not single)
    notice = HolidayNotice(year, days, source, reason, whole_year=not single)
    with opened_platform() as platform, platform.database.writing() as session:
        service = CalendarService(session, platform.clock)
        plan = service.plan(notice)
        for line in in_words(session, plan.moves, limit=len(plan.moves)):
            click.echo(f"{line.old} -> {line.new}  {line.flow}  {line.title}  {line.organisation}")
        if dry_run:
            session.rollback()
        else:
            service.load(SYSTEM, notice)
    verb = "would move" if dry_run else "moved"
    click.echo(f"{len(days)} days; {len(plan.moves)} deadlines {verb}")


COMMANDS = (calendar,)
