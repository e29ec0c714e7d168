"""`xiangyun mcp`: the catalogue for language models, over standard input and output or over HTTP."""

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
@click.option(
    "--http",
    default="",
    metavar="HOST:PORT",
    help="Serve over HTTP at /mcp instead; each request then brings its own token.",
)
def mcp(token: str, calls: int, http: str) -> None:
    """Serve the Model Context Protocol: search, show, preview and query, all read-only."""
    # Late: nothing else needs these libraries, and standard output belongs to the protocol.
    from portal.app import create_app
    from portal.mcp.calling import ActionCaller, CallRefused
    from portal.mcp.over_http import serve_http
    from portal.mcp.server import make_server

    host, _, port = http.rpartition(":")
    if http and not (host and port.isdecimal() and int(port) < 65536):
        raise click.BadParameter("应为 HOST:PORT，如 127.0.0.1:5005。", param_hint="--http")
    if http and token:
        raise click.UsageError("--http 时由每个请求自带令牌，请去掉 --token 和 XIANGYUN_TOKEN。")
    logs.configure()
    with opened_platform() as platform:
        app, most = create_app(platform), max(1, calls)
        if http:
            serve_http(app, platform, host.strip("[]"), int(port), calls_a_minute=most)
            return
        try:
            caller = ActionCaller(app, platform, token=token, calls_a_minute=most)
        except CallRefused as error:
            raise click.ClickException(str(error)) from error
        make_server(lambda _asked: caller, name=platform.settings.site_title).run("stdio")


COMMANDS = (mcp,)
