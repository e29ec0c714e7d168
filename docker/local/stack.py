"""Starts and stops the scaled-out set on this machine, from packages: see `up` and `down` beside it.

The set is that of docker/compose.yaml: PostgreSQL, Elasticsearch, S3, Redis, nginx, two web
processes and a worker, all on 127.0.0.1. A folder holds all its data, logs and process ids; its
ports and secrets are made at the first start and kept.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.services.node import Node, ServiceFailed, ServiceMissing, free_port, stop_keeper
from tests.services.nodes import ElasticsearchNode, PostgresqlNode, RedisNode, S3Node
from tests.services.portal_nodes import NginxNode, WebNode, WorkerNode
from tests.services.s3 import S3Server

# Later ones use earlier ones; they stop in the opposite order.
NAMES = ("postgresql", "elasticsearch", "s3", "redis", "web-1", "web-2", "worker", "nginx")
BUCKET = "xiangyun"


@dataclass(frozen=True)
class Kept:
    """What one folder's set keeps from start to start."""

    ports: dict[str, int]
    database_password: str
    s3_access_key: str
    s3_secret_key: str
    secret_key: str

    @classmethod
    def read_or_make(cls, folder: Path, port: int) -> Kept:
        path = folder / "stack.json"
        if path.exists():
            kept = cls(**json.loads(path.read_text("utf-8")))
        else:
            ports = {name: free_port() for name in NAMES}
            ports["s3"] = free_port(4, also_above=10_000)
            kept = cls(ports, *(secrets.token_hex(24) for _ in range(4)))
        if port:
            kept.ports["nginx"] = port
        write_private(path, json.dumps(vars(kept), indent=2) + "\n")
        return kept


def write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


class Stack:
    """The set in one folder."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.resolve()
        self.kept = Kept.read_or_make(self.folder, port)

    def up(self) -> None:
        """Start everything anew on the data of the folder, and print the ports."""
        down(self.folder)
        self._start_services()
        settings = self.settings()
        lines = (f"{name}={value}\n" for name, value in settings.items())
        write_private(self.folder / "env", "".join(lines))
        xiangyun = Path(sys.executable).with_name("xiangyun")
        subprocess.run([xiangyun, "db", "upgrade"], env={**os.environ, **settings}, check=True)
        self._start_portal(settings)

    def settings(self) -> dict[str, str]:
        """The environment of every process of the portal."""
        ports = self.kept.ports
        return {
            "XIANGYUN_HOME": str(self.folder / "home"),
            "XIANGYUN_DATABASE_URL": self._database_url("xiangyun"),
            "XIANGYUN_SEARCH_URL": f"http://127.0.0.1:{ports['elasticsearch']}",
            "XIANGYUN_REDIS_URL": f"redis://127.0.0.1:{ports['redis']}/0",
            "XIANGYUN_SITE_URL": f"http://127.0.0.1:{ports['nginx']}",
            "XIANGYUN_SECRET_KEY": self.kept.secret_key,
            "XIANGYUN_TRUSTED_PROXIES": "1",
            **self._s3().environment,
        }

    def _database_url(self, name: str) -> str:
        address = f"127.0.0.1:{self.kept.ports['postgresql']}"
        return f"postgresql+psycopg://xiangyun:{self.kept.database_password}@{address}/{name}"

    def _s3(self) -> S3Server:
        url = f"http://127.0.0.1:{self.kept.ports['s3']}"
        return S3Server(url, BUCKET, self.kept.s3_access_key, self.kept.s3_secret_key)

    def _start_services(self) -> None:
        kept, ports = self.kept, self.kept.ports
        folder = self.folder
        for node in (
            PostgresqlNode(
                folder / "postgresql",
                kept.database_password,
                port=ports["postgresql"],
                owner_pid=0,
                durable=True,
            ),
            ElasticsearchNode(folder / "elasticsearch", port=ports["elasticsearch"], owner_pid=0),
            S3Node(
                folder / "s3",
                kept.s3_access_key,
                kept.s3_secret_key,
                port=ports["s3"],
                owner_pid=0,
            ),
            RedisNode(folder / "redis", port=ports["redis"], owner_pid=0),
        ):
            start(node)
        self._make_database()
        s3 = self._s3()
        if BUCKET not in [found["Name"] for found in s3.client().list_buckets()["Buckets"]]:
            s3.create_bucket()

    def _make_database(self) -> None:
        address = self._database_url("postgres").replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = 'xiangyun'"
            if connection.execute(query).fetchone() is None:
                connection.execute("CREATE DATABASE xiangyun")

    def _start_portal(self, settings: dict[str, str]) -> None:
        ports = self.kept.ports
        for name in ("web-1", "web-2"):
            start(WebNode(self.folder / name, settings, port=ports[name], owner_pid=0))
        start(WorkerNode(self.folder / "worker", settings, port=ports["worker"], owner_pid=0))
        webs = [ports["web-1"], ports["web-2"]]
        files = self.folder / "home" / "files"
        start(
            NginxNode(self.folder / "nginx", webs, files, port=ports["nginx"], owner_pid=0),
        )


def down(folder: Path) -> None:
    """Stop what runs, by the process ids in the folder; the data stays."""
    for name in reversed(NAMES):
        stop_keeper(folder / name / "keeper.pid")


def start(node: Node) -> None:
    node.start()
    print(f"{node.folder.name:<14} {'' if isinstance(node, WorkerNode) else node.port}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="docker/local", description=__doc__)
    parser.add_argument("command", choices=("up", "down"))
    parser.add_argument("folder", type=Path, help="holds all data, logs and process ids")
    parser.add_argument("--port", type=int, default=0, help="port of nginx (default: a free one)")
    given = parser.parse_args()
    if given.command == "down":
        down(given.folder)
        return
    stack = Stack(given.folder, given.port)
    try:
        stack.up()
    except (ServiceMissing, ServiceFailed, subprocess.CalledProcessError) as error:
        down(stack.folder)
        sys.exit(f"docker/local/up: {error}")
    print(f"\nThe portal: http://127.0.0.1:{stack.kept.ports['nginx']}")
    print(f"Settings for the command xiangyun: set -a; . {stack.folder}/env; set +a")
    print(f"Stop: docker/local/down {given.folder}")


if __name__ == "__main__":
    main()
