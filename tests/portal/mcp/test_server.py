"""The tools as the official SDK's own client finds them, over standard input and output."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
import requests
from click.testing import CliRunner
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from portal.commands.mcp import mcp
from portal.mcp.calling import ActionCaller, CallRefused
from portal.models.organisation import get_organisation
from portal.platform import Platform
from portal.services.accounts import create_account, create_token
from tests.factories import PASSWORD, TRANSPORT
from tests.portal.web.conftest import Site, site, visitor

__all__ = ["site", "visitor"]
READ_SECONDS = 120  # a busy machine starts a process slowly


def server_of(platform: Platform, *, token: str = "", calls: int = 100) -> StdioServerParameters:
    """The command as a client starts it; the environment is the test's own and no more."""
    return StdioServerParameters(
        command=sys.executable,
        args=["-c", "from portal.cli import main; main()", "mcp", "--calls", str(calls)],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(filter(None, [os.getcwd(), *sys.path])),
            "XIANGYUN_HOME": str(platform.settings.home),
            "XIANGYUN_SECRET_KEY": platform.settings.secret_key,
            "XIANGYUN_TOKEN": token,
        },
    )


def talk(server: StdioServerParameters, with_client: Callable[[Client], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with Client(server, read_timeout_seconds=READ_SECONDS) as client:
            return await with_client(client)

    with ThreadPoolExecutor(1) as beside:  # the browser of other tests has this thread's loop
        return beside.submit(lambda: asyncio.run(run())).result()


async def ask(client: Client, tool: str, **arguments: Any) -> Any:
    answer = await client.call_tool(tool, arguments)
    text = answer.content[0].text
    return (True, text) if answer.is_error else json.loads(text)


def test_a_model_finds_looks_and_counts(site: Site) -> None:
    slug = site.opened(title="吉林省公交站点客流")
    site.conditional(title="有条件开放的客流明细")

    async def journey(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"search", "show", "preview", "query"}
        assert all(tool.annotations.read_only_hint for tool in tools.values())
        found = await ask(client, "search", q="公交站点客流", theme="transport")
        assert found["results"][0]["name"] == slug
        (file,) = (await ask(client, "show", id=slug))["files"]
        assert file["can_be_queried"] is True
        seen = await ask(client, "preview", resource_id=file["resource_id"], rows=2)
        assert (seen["total"], len(seen["records"])) == (60, 2)
        column = seen["fields"][-2]["id"]
        sql = f'SELECT count(*) AS n, max({column}) AS m FROM "{file["resource_id"]}"'
        assert (await ask(client, "query", sql=sql))["records"] == [{"n": 60, "m": 600}]
        failed, text = await ask(client, "query", sql="DROP TABLE x")
        assert (failed, "SELECT" in text) == (True, True)
        failed, text = await ask(client, "show", id="nobody")
        assert (failed, "nobody" in text) == (True, True)
        failed, _ = await ask(client, "search", rows=1000)
        assert failed

    talk(server_of(site.platform), journey)


def token_of_editor(platform: Platform) -> str:
    with platform.database.writing() as session:
        place = get_organisation(session, TRANSPORT)
        account = create_account(
            session,
            platform.clock,
            username="model",
            password=PASSWORD,
            memberships=[("agency_editor", place)],
        )
        return create_token(session, platform.clock, account)


def test_the_labels_are_those_of_the_token_and_calls_are_counted(site: Site) -> None:
    draft = site.change(lambda _session, catalogue, _people: catalogue.draft().entry.slug)
    platform = site.platform
    token = token_of_editor(platform)
    own = ActionCaller(site.app, platform, token=token, calls_a_minute=3)
    assert own.call("package_show", {"id": draft})["name"] == draft
    anybody = ActionCaller(site.app, platform, calls_a_minute=3)
    with pytest.raises(CallRefused):
        anybody.call("package_show", {"id": draft})
    own.call("status_show", {})
    own.call("status_show", {})
    with pytest.raises(CallRefused, match="频繁"):
        ActionCaller(site.app, platform, token=token, calls_a_minute=3).call("status_show", {})
    assert anybody.call("status_show", {})["ckan_version"]
    with pytest.raises(CallRefused, match="令牌"):
        ActionCaller(site.app, platform, token="xy_nobody")


@contextmanager
def served(platform: Platform, calls: int = 100) -> Iterator[str]:
    """The command with --http; yield its address, which it says where it logs."""
    command = server_of(platform, calls=calls)
    environment = {**(command.env or {}), "XIANGYUN_TOKEN": ""}
    running = subprocess.Popen(
        [command.command, *command.args, "--http", "127.0.0.1:0"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stderr is not None
        said = []
        for line in running.stderr:
            said.append(line)
            found = re.search(r"running on (http://127\.0\.0\.1:\d+)", line)
            if found:
                break
        else:
            raise AssertionError("".join(said))
        threading.Thread(target=running.stderr.read, daemon=True).start()
        yield f"{found[1]}/mcp"
    finally:
        running.terminate()
        running.wait(timeout=30)


def test_over_http_each_request_brings_its_own_token(site: Site) -> None:
    slug = site.opened(title="吉林省公交站点客流")
    draft = site.change(lambda _session, catalogue, _people: catalogue.draft().entry.slug)
    token = token_of_editor(site.platform)

    async def journey(address: str, token: str) -> tuple[bool, bool]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx2.AsyncClient(headers=headers, timeout=READ_SECONDS) as http:
            transport = streamable_http_client(address, http_client=http)
            async with Client(transport, read_timeout_seconds=READ_SECONDS) as client:
                tools = {tool.name for tool in (await client.list_tools()).tools}
                assert tools == {"search", "show", "preview", "query"}
                public, own = [await ask(client, "show", id=key) for key in (slug, draft)]
                return isinstance(public, dict), isinstance(own, dict)

    with served(site.platform) as address, ThreadPoolExecutor(1) as beside:

        def run(token: str) -> tuple[bool, bool]:
            return beside.submit(lambda: asyncio.run(journey(address, token))).result()

        assert run("") == (True, False)
        assert run(token) == (True, True)
        assert run("nobody") == (False, False)
        foreign = requests.post(
            address, json={}, headers={"Host": "evil.example"}, timeout=READ_SECONDS
        )
        assert foreign.status_code in (403, 421)
        large = requests.post(address, data=b"x" * 400_000, timeout=READ_SECONDS)
        assert 400 <= large.status_code < 500


@pytest.mark.parametrize("given", ["nowhere", "127.0.0.1:", ":80", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_named(given: str) -> None:
    done = CliRunner().invoke(mcp, ["--http", given], env={"XIANGYUN_TOKEN": ""})
    assert done.exit_code == 2
    assert "HOST:PORT" in done.output
