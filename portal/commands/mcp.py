"""`xiangyun mcp`: the catalogue for language models, over standard input and output."""

from __future__ import annotations

import click

from portal import logs
from portal.commands import opened_platform


@click.command("mcp")
@click.option(
    "--token",
    envvar="XIANGYUN_TOKEN",
    default="",
    help="An Action API token, for what its account may read; without it, what everybody may.",
)
@click.option("--calls", default=120, show_default=True, help="Calls a minute, at most.")
def mcp(token: str, calls: int) -> None:
    """Serve the Model Context Protocol (stdio): search, show, preview and query, all read-only."""
    # Late: nothing else needs these libraries, and standard output belongs to the protocol.
    from portal.app import create_app
    from portal.mcp.calling import ActionCaller, CallRefused
    from portal.mcp.server import make_server

    logs.configure()
    with opened_platform() as platform:
        try:
            caller = ActionCaller(
                create_app(platform), platform, token=token, calls_a_minute=max(1, calls)
            )
        except CallRefused as error:
            raise click.ClickException(str(error)) from error
        make_server(caller, name=platform.settings.site_title).run("stdio")


COMMANDS = (mcp,)
