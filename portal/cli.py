"""The command `xiangyun`. Errors go to standard error and end with a non-zero status."""

from __future__ import annotations

import sys

import click

from portal.commands import (
    audit,
    backup,
    calendar,
    catalogue,
    database,
    dump,
    flows,
    harvest,
    index,
    mail,
    mcp,
    people,
    running,
    search,
    settings,
)
from portal.errors import Invalid, PortalError
from portal.settings import SettingsError
from search.engine import SearchUnavailable


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xiangyun")
def cli() -> None:
    """Xiangyun (祥云): the open-data portal and public-data platform of Jilin Province."""


for command in (
    *running.COMMANDS,
    *database.COMMANDS,
    *backup.COMMANDS,
    *people.COMMANDS,
    *catalogue.COMMANDS,
    *index.COMMANDS,
    *harvest.COMMANDS,
    *dump.COMMANDS,
    *mail.COMMANDS,
    *mcp.COMMANDS,
    *audit.COMMANDS,
    *calendar.COMMANDS,
    *flows.COMMANDS,
    *settings.COMMANDS,
    *search.COMMANDS,
):
    cli.add_command(command)


def main() -> None:
    """Run a command; what goes wrong is said in one line on standard error."""
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except Invalid as error:
        _say(error.text(), *(f"  {d.field}: {d.text()}" for d in error.defects))
    except (PortalError, SettingsError, SearchUnavailable) as error:
        _say(str(error))


def _say(*lines: str) -> None:
    for line in lines:
        click.echo(line, err=True)
    sys.exit(1)
