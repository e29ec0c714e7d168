"""Commands of harvest."""

from __future__ import annotations

import click

COMMANDS: tuple[click.Command, ...] = ()
