"""An agency's service that is killed in the middle of its answer: nothing half is given on."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extensions.access.services.usage import total_use
from extensions.access.upstream import BREAKER
from portal.platform import Platform
from tests.extensions.access.conftest import Served, serve
from tests.extensions.access.test_terms import WIDE
from tests.extensions.access.test_upstream import FORM, set_up

__all__ = ["serve"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def half() -> Iterator[subprocess.Popen[str]]:
    """A service that answers with half a body and then waits."""
    command = [sys.executable, "-m", "tests.extensions.access.upstream_server"]
    process = subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    yield process
    process.kill()
    process.wait()


def test_a_service_killed_in_mid_call(
    make_platform: Callable[..., Platform],
    serve: Callable[..., Served],
    half: subprocess.Popen[str],
) -> None:
    assert half.stdout is not None
    host = f"127.0.0.1:{int(half.stdout.readline())}"
    platform = make_platform("sqlite", fetch_allowed_hosts=(host,))
    served = serve(platform, WIDE, table_distribution=None)
    BREAKER.succeeded(served.interface_id)
    set_up(served, replace(FORM, url=f"http://{host}/stops", seconds=10))
    answers: list[Any] = []
    call = threading.Thread(target=lambda: answers.append(served.get("/rows?stop_code=1")))
    call.start()
    assert half.stdout.readline() == "half\n"
    half.kill()
    call.join(timeout=20)
    assert answers, "the call hangs"
    assert (answers[0].status_code, answers[0].get_json(force=True)["code"]) == (
        502,
        "upstream_failed",
    )
    assert "000123" not in answers[0].text
    gone = served.get("/rows?stop_code=1")  # nobody listens any more
    assert (gone.status_code, gone.get_json(force=True)["code"]) == (502, "upstream_failed")
    with platform.database.reading() as session:
        assert total_use(session, served.application_id)[0] == 2
    BREAKER.succeeded(served.interface_id)
