"""A revocation counts at once in every process of a real web server."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from extensions.access.rules import Terms
from portal.clock import system_clock
from portal.platform import Platform
from tests.extensions.access.conftest import Served
from tests.factories import SetClock
from tests.platforms import SECRET
from tests.services.nodes import DIRECT
from tests.services.portal_nodes import WebNode

TERMS = Terms(fields=("stop_code",), quota_day=10_000, per_minute=1_000, term_days=30)
CALLS, THREADS = 32, 8


@pytest.mark.slow
def test_a_revoked_key_fails_within_a_second_in_every_process(
    make_platform: Callable[..., Platform],
    serve: Callable[..., Served],
    clock: SetClock,
    tmp_path: Path,
) -> None:
    clock.now = system_clock()
    platform = make_platform("sqlite")
    served = serve(platform, TERMS)
    settings = {"XIANGYUN_HOME": str(platform.settings.home), "XIANGYUN_SECRET_KEY": SECRET}
    node = WebNode(tmp_path / "web", settings)
    node.start()
    try:
        basic = (f"SQ{served.application_id:08d}", served.secret)
        form = {"grant_type": "client_credentials"}
        token = DIRECT.post(f"{node.url}/oauth/token", data=form, auth=basic, timeout=20).json()
        for credential in (served.secret, token["access_token"]):
            assert statuses(node.url, credential) == {200}
        served.change(lambda s, a: s.revoke(served.reviewer, a, reason="违反协议"))
        revoked_at = time.monotonic()
        for credential in (served.secret, token["access_token"]):
            assert statuses(node.url, credential) == {403}
        assert time.monotonic() - revoked_at < 5  # all of them; each was refused from the first on
    finally:
        node.stop()


def statuses(url: str, secret: str) -> set[int]:
    """Call over many new connections, which granian spreads over its processes."""
    headers = {"Authorization": f"Bearer {secret}", "Connection": "close"}

    def call(_number: int) -> int:
        return DIRECT.get(f"{url}/data/v1/bus-stops", headers=headers, timeout=20).status_code

    with ThreadPoolExecutor(THREADS) as pool:
        return set(pool.map(call, range(CALLS)))
