"""`xiangyun settings`: every setting as a page; docs/settings.md is its output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from portal.settings import PREFIX, Settings

HEAD = """\
# Settings

Made by `xiangyun settings` from `portal/settings.py`; do not edit.
Each is an environment variable, read once when a process starts. An empty one counts as not given.

"""
KINDS = {
    str: "text",
    Path: "folder",
    int: "number",
    float: "number",
    bool: "true or false",
    tuple[str, ...]: "list, by commas",
}


def settings_page() -> str:
    """Return the Markdown page of all settings, in the order in which they stand in the code."""
    lines = [HEAD, "| variable | type | default | what it is |\n", "| --- | --- | --- | --- |\n"]
    for name, field in Settings.model_fields.items():
        kind = KINDS[field.annotation]  # type: ignore[index]
        shown = f"| `{PREFIX}{name.upper()}` | {kind} | {_shown(field.default)} "
        lines.append(f"{shown}| {field.description} |\n")
    return "".join(lines)


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        default = ",".join(default)
    return f"`{default}`" if default != "" else "(empty)"


@click.command("settings")
def settings() -> None:
    """List every setting with its default and what it does."""
    click.echo(settings_page(), nl=False)


COMMANDS = (settings,)
