"""The developer guide's commands and programs, run against a running portal as a stranger would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest

from extensions.access.services.sandbox_keys import client_id_of
from portal.platform import Platform
from tests.extensions.access.conftest import Served, serve  # noqa: F401
from tests.extensions.access.sandbox_fixtures import Box, open_box  # noqa: F401
from tests.extensions.access.test_use import site_of
from tests.live import LiveServer

GUIDE = Path(__file__).parents[2] / "docs" / "api-guide.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGE_COMMAND = re.compile(r'<pre id="guide-[a-z]+"[^>]*>(.*?)</pre>', re.DOTALL)
SAMPLE = re.compile(r'<pre id="sample-2"[^>]*>(.*?)</pre>', re.DOTALL)
SECONDS = 60
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")


@dataclass
class Portal:
    box: Box
    url: str

    def run(self, command: list[str], **options: object) -> str:
        environment = {**os.environ, "XY": self.url, "XY_SECRET": self.box.secret}
        environment["XY_ID"] = client_id_of(self.box.key_id)
        environment["no_proxy"] = "127.0.0.1"
        done = subprocess.run(
            command, env=environment, timeout=SECONDS, capture_output=True, text=True, **options
        )  # type: ignore[call-overload]
        assert done.returncode == 0, done.stderr[-2_000:]
        assert "urn:xiangyun:problem" not in done.stdout, done.stdout[:2_000]
        return str(done.stdout)


@pytest.fixture
def portal(
    make_platform: Callable[..., Platform],
    open_box: Callable[..., Box],  # noqa: F811
    live_server: Callable[[Platform], LiveServer],
) -> Portal:
    box = open_box(make_platform("sqlite"))
    return Portal(box, live_server(box.served.platform).url)


def blocks(language: str) -> list[str]:
    found = FENCE.findall(GUIDE.read_text(encoding="utf-8"))
    return [block for name, block in found if name == language]


@needs_curl
def test_the_commands_of_the_guide_work_on_the_sandbox(portal: Portal, tmp_path: Path) -> None:
    commands = "\n".join(blocks("sh"))
    assert commands.count("curl ") >= 5
    commands = commands.replace("https://data.example.cn", portal.url)
    commands = commands.replace("SX00000001", client_id_of(portal.box.key_id))
    script = tmp_path / "guide.sh"
    script.write_text(f"set -e\n{commands}", encoding="utf-8")
    shown = portal.run(["bash", str(script)], input=f"{portal.box.secret}\n", cwd=tmp_path)
    assert '"stop_code"' in shown
    assert '"groups"' in shown
    assert (tmp_path / "rows.ndjson").read_text(encoding="utf-8").startswith('{"stop_code"')


def test_the_programs_of_the_guide_and_of_the_page_work(portal: Portal, tmp_path: Path) -> None:
    programs = blocks("python")
    assert len(programs) == 2
    page = portal.box.served.client.get("/interfaces/bus-stops").get_data(as_text=True)
    programs.append(unescape(SAMPLE.findall(page)[0]))
    for number, text in enumerate(programs):
        program = tmp_path / f"program{number}.py"
        program.write_text(text, encoding="utf-8")
        shown = portal.run([sys.executable, str(program)], cwd=tmp_path)
        assert len(shown.splitlines()) >= 200, number


@needs_curl
def test_the_quick_start_of_the_developer_centre_works(portal: Portal, tmp_path: Path) -> None:
    page = site_of(portal.box.served).signed_in("other").page("/developer")
    commands = [unescape(one) for one in PAGE_COMMAND.findall(page)]
    assert len(commands) == 3
    for command in commands:
        assert "stop_code" in portal.run(["bash", "-c", command], cwd=tmp_path)
