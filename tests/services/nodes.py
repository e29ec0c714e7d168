"""The servers that the tests and docker/local start: how each is called and when it is ready."""

from __future__ import annotations

import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg
import requests

from tests.services.node import Node

ACCESS_KEY, SECRET_KEY = "xiangyun", "xiangyun-secret"
DIRECT = requests.Session()
DIRECT.trust_env = False  # a proxy of the environment has no business between us and 127.0.0.1


def _ok(url: str, *statuses: int) -> bool:
    try:
        return DIRECT.get(url, timeout=2).status_code in statuses
    except requests.RequestException:
        return False


class ElasticsearchNode(Node):
    """Elasticsearch 8.17 with one node; extra settings as `key=value`."""

    script = "elasticsearch"
    start_seconds = 180.0  # the first start may fetch its jars

    def __init__(
        self,
        folder: Path,
        settings: Sequence[str] = (),
        *,
        port: int = 0,
        owner_pid: int | None = None,
    ) -> None:
        super().__init__(folder, port=port, owner_pid=owner_pid)
        self._settings = tuple(settings)

    def arguments(self) -> Sequence[str]:
        # Hundreds of tests each make an index or two; the default of 1000 shards is for production.
        return ("cluster.max_shards_per_node=5000", *self._settings)

    def answers(self) -> bool:
        return _ok(f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s", 200)


class S3Node(Node):
    """SeaweedFS; `url` is the endpoint for boto3 (path addressing, s3v4)."""

    script = "seaweedfs"
    port_span = 4
    ports_also_above = 10_000  # gRPC
    grace_seconds = 1.0  # it waits for gRPC clients that never leave; what it answered is on disk

    def __init__(
        self,
        folder: Path,
        access_key: str = ACCESS_KEY,
        secret_key: str = SECRET_KEY,
        *,
        port: int = 0,
        owner_pid: int | None = None,
    ) -> None:
        super().__init__(folder, port=port, owner_pid=owner_pid)
        self.access_key = access_key
        self.secret_key = secret_key

    def environment(self) -> Mapping[str, str]:
        return {"S3_ACCESS_KEY": self.access_key, "S3_SECRET_KEY": self.secret_key}

    def answers(self) -> bool:
        # 403 is S3 asking who we are; the volume server must have joined before a write succeeds.
        master = f"http://127.0.0.1:{self.port + 1}"
        return _ok(self.url, 403) and _ok(f"{master}/dir/assign", 200)


class PostgresqlNode(Node):
    """PostgreSQL; superuser `xiangyun`. `durable` keeps fsync on."""

    script = "postgresql"
    stop_signal = signal.SIGINT  # "fast": does not wait for clients to leave

    def __init__(
        self,
        folder: Path,
        password: str = "xiangyun",
        *,
        port: int = 0,
        owner_pid: int | None = None,
        durable: bool = False,
    ) -> None:
        super().__init__(folder, port=port, owner_pid=owner_pid)
        self.password = password
        self._durable = durable

    @property
    def url(self) -> str:
        """Address of the database `postgres`, for SQLAlchemy with psycopg 3."""
        return f"postgresql+psycopg://xiangyun:{self.password}@127.0.0.1:{self.port}/postgres"

    def arguments(self) -> Sequence[str]:
        fast = () if self._durable else ("-c", "fsync=off", "-c", "full_page_writes=off")
        return ("-c", "max_connections=300", *fast)

    def environment(self) -> Mapping[str, str]:
        return {"POSTGRES_PASSWORD": self.password}

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url.replace("+psycopg", ""), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


class RedisNode(Node):
    """Redis, in memory only, with 1024 databases."""

    script = "redis"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
