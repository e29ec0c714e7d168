"""`xiangyun audit verify`."""

from __future__ import annotations

import sys

import click

from portal.commands import opened_platform
from portal.services import audit as trail
from portal.services.audit_anchor import FileAnchor


@click.group("audit")
def audit() -> None:
    """The append-only audit trail."""


@audit.command("verify")
def verify() -> None:
    """Check the whole chain; name every edited, removed or reordered event and a cut tail."""
    with opened_platform() as platform:
        anchor = FileAnchor(platform.settings.home / "audit-head.json")
        with platform.database.reading() as session:
            faults = trail.verify(session, anchor)
    for fault in faults:
        click.echo(f"seal {fault.seal_number}: {fault.problem}", err=True)
    if faults:
        sys.exit(1)
    click.echo("the audit trail is whole")


COMMANDS = (audit,)
