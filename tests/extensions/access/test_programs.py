"""The programs on an interface's page run as they are printed, against a live portal."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from extensions.access.api.code_samples import SECRET_VARIABLE, samples_of
from portal.platform import Platform
from tests.extensions.access.sandbox_fixtures import Box

SECONDS = 60
# How each language's program is kept and run; `{}` is its file.
RUNS = {
    "curl": ("sample.sh", ("sh", "{}"), "curl"),
    "Python": ("sample.py", ("python3", "{}"), "python3"),
    "JavaScript": ("sample.mjs", ("node", "{}"), "node"),
    "Java": ("Main.java", ("java", "-XX:TieredStopAtLevel=1", "{}"), "javac"),
}


@dataclass
class Live:
    box: Box
    folder: Path

    def run(self, language: str, *, secret: str = "") -> subprocess.CompletedProcess[str]:
        document = self.box.served.client.get("/data/v1/bus-stops/openapi.json").get_json()
        code = {one.language: one.code for one in samples_of(document)}[language]
        name, command, _ = RUNS[language]
        (self.folder / name).write_text(code, encoding="utf-8")
        return subprocess.run(
            [part.replace("{}", name) for part in command],
            cwd=self.folder,
            env={**os.environ, SECRET_VARIABLE: secret or self.box.secret, "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


@pytest.fixture
def live(
    make_platform: Callable[..., Platform], open_box: Callable[..., Box], tmp_path: Path
) -> Iterator[Live]:
    """A sandbox behind a port that its own addresses name, so that `next` leads back to it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        site_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        box = open_box(make_platform("sqlite", site_url=site_url))
        app = box.served.client.application
        server = make_server("127.0.0.1", 0, app, threaded=True, fd=listening.fileno())
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Live(box, tmp_path)
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


@pytest.mark.parametrize("language", RUNS)
def test_a_printed_program_reads_the_rows(live: Live, language: str) -> None:
    tool = RUNS[language][2]
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    total = live.box.get("/count").get_json()["count"]
    rows = live.box.get("/rows?limit=9").get_json()["data"]
    shown = next(row["duty_phone"] for row in rows if row["duty_phone"])
    done = live.run(language)
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout
    if language in ("Python", "JavaScript"):  # these follow `next` to the end
        assert len(done.stdout.splitlines()) == total
    refused = live.run(language, secret="xys_" + "A" * 43)
    said = refused.stdout + refused.stderr
    assert shown not in said
    assert "401" in said or "key_unknown" in said
