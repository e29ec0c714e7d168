"""One process that calls an interface in parallel and prints every status that it got.

It does so twice: while the database counts, then while Redis does; each time when a line comes in.

usage: python -m tests.extensions.access.caller HOME REDIS_URL CREDENTIAL CALLS
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flask import Flask

from portal.app import create_app
from portal.platform import open_platform
from portal.settings import Settings
from tests.platforms import SECRET

THREADS = 5


def main(home: str, redis_url: str, credential: str, calls: int) -> None:
    apps = [_app(home, ""), _app(home, redis_url)] if redis_url else [_app(home, "")]
    print("ready", flush=True)
    for app in apps:
        sys.stdin.readline()  # all processes begin together
        print(*_statuses(app, credential, calls), flush=True)


def _app(home: str, redis_url: str) -> Flask:
    settings = Settings(home=Path(home), secret_key=SECRET, anonymous_rate=0, redis_url=redis_url)
    return create_app(open_platform(settings))


def _statuses(app: Flask, credential: str, calls: int) -> list[int]:
    def call(_number: int) -> int:
        headers = {"Authorization": f"Bearer {credential}"}
        return app.test_client().get("/data/v1/bus-stops/count", headers=headers).status_code

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, range(calls)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
