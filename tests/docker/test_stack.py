"""docker/local starts the scaled-out set, which goes on when a web process dies, and stops it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.services.node import ROOT, SCRIPTS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.elasticsearch,
    pytest.mark.postgresql,
    pytest.mark.s3,
    pytest.mark.redis,
    pytest.mark.skipif(not os.environ.get("XIANGYUN_TEST_ALL"), reason="runs in make test"),
    pytest.mark.skipif(not (ROOT / "portal" / "cli.py").exists(), reason="no command yet"),
]


@pytest.fixture
def stack() -> Iterator[Path]:
    """A running set in a folder that PostgreSQL's own user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="xiangyun-stack-"))
    folder.chmod(0o755)
    up = subprocess.run([SCRIPTS / "up", folder], capture_output=True, text=True)
    try:
        assert up.returncode == 0, up.stdout + up.stderr
        yield folder
    finally:
        subprocess.run([SCRIPTS / "down", folder], check=True)
        shutil.rmtree(folder)


def test_the_set_serves_loses_a_web_process_and_stops(stack):
    env = dict(line.split("=", 1) for line in (stack / "env").read_text().splitlines())
    address = f"{env['XIANGYUN_SITE_URL']}/api/3/action/status_show"
    assert requests.get(address, timeout=10).json()["success"] is True
    pids = [int(path.read_text()) for path in stack.glob("*/service.pid")]
    assert len(pids) == 8
    os.killpg(int((stack / "web-1" / "service.pid").read_text()), signal.SIGKILL)
    assert {requests.get(address, timeout=10).status_code for _ in range(6)} == {200}
    subprocess.run([SCRIPTS / "down", stack], check=True)
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
