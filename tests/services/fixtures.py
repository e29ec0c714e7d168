"""Fixtures for the real services, each started when the first test asks for it.

They are (each takes XIANGYUN_TEST_<NAME>_URL instead of starting a server where that is set):

- `elasticsearch_url` (session), `elasticsearch_prefix` (a name of the test's own; every index that
  begins with it is removed afterwards)
- `postgresql_database` (session): a call returns the address of a fresh database;
  `postgresql_url`: one for this test
- `redis_database` (session), `redis_url`: likewise
- `s3_bucket` (session): a call returns an `S3Server` with a fresh bucket; `s3_server`: one per module
- `chromium` (session), `browser` (session): how to launch it, and one that runs
- `elasticsearch_node`, `s3_node`, `postgresql_node`, `redis_node`: `with s3_node() as node:` runs a
  server of the test's own with `.url`, `.stop()`, `.kill()` and `.start()` on the same data and port

Missing software skips a test, and fails it under XIANGYUN_TEST_ALL=1 (`make test`).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import pytest

from tests.services.browser import Chromium, find_chromium
from tests.services.databases import PostgresqlDatabases, RedisDatabases
from tests.services.node import Node, ServiceFailed, ServiceMissing
from tests.services.nodes import DIRECT, ElasticsearchNode, PostgresqlNode, RedisNode, S3Node
from tests.services.run import RUN
from tests.services.s3 import S3Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

N = TypeVar("N", bound=Node)
NodeMaker = Callable[..., AbstractContextManager[N]]
REDIS_DATABASES_PER_WORKER = 32


def _refuse(error: Exception) -> NoReturn:
    if isinstance(error, ServiceMissing) and not os.environ.get("XIANGYUN_TEST_ALL"):
        pytest.skip(str(error))
    pytest.fail(str(error), pytrace=False)


def _shared_url(config: pytest.Config, name: str, kind: type[Node]) -> str:
    given = os.environ.get(f"XIANGYUN_TEST_{name.upper()}_URL")
    if given:
        return given
    try:
        return config.stash[RUN].shared_url(name, kind)
    except (ServiceMissing, ServiceFailed) as error:
        _refuse(error)


def _maker(config: pytest.Config, name: str, kind: type[N]) -> NodeMaker[N]:
    """Return a context manager that runs a server of the test's own."""

    @contextmanager
    def run(*args: Any, **options: Any) -> Iterator[N]:
        folder = config.stash[RUN].folder / f"{name}-{secrets.token_hex(4)}"
        node = kind(folder, *args, **options)
        try:
            node.start()
        except (ServiceMissing, ServiceFailed) as error:
            _refuse(error)
        try:
            yield node
        finally:
            node.stop()

    return run


@pytest.fixture(scope="session")
def elasticsearch_url(pytestconfig: pytest.Config) -> str:
    return _shared_url(pytestconfig, "elasticsearch", ElasticsearchNode)


@pytest.fixture
def elasticsearch_prefix(elasticsearch_url: str) -> Iterator[str]:
    """The server is shared: begin the name of every index and alias with this."""
    prefix = f"test-{secrets.token_hex(6)}-"
    yield prefix
    # By name, since a cluster may refuse to remove by wildcard.
    for index in DIRECT.get(f"{elasticsearch_url}/{prefix}*", timeout=30).json():
        DIRECT.delete(f"{elasticsearch_url}/{index}", timeout=30)


@pytest.fixture(scope="session")
def postgresql_database(pytestconfig: pytest.Config) -> Iterator[PostgresqlDatabases]:
    databases = PostgresqlDatabases(_shared_url(pytestconfig, "postgresql", PostgresqlNode))
    yield databases
    databases.drop_all()


@pytest.fixture
def postgresql_url(postgresql_database: PostgresqlDatabases) -> str:
    return postgresql_database()


@pytest.fixture(scope="session")
def redis_database(pytestconfig: pytest.Config) -> RedisDatabases:
    url = _shared_url(pytestconfig, "redis", RedisNode)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    first = int(worker) * REDIS_DATABASES_PER_WORKER
    return RedisDatabases(url, first, REDIS_DATABASES_PER_WORKER)


@pytest.fixture
def redis_url(redis_database: RedisDatabases) -> str:
    return redis_database()


@pytest.fixture(scope="session")
def s3_bucket(pytestconfig: pytest.Config) -> Iterator[Callable[[], S3Server]]:
    """A call makes a bucket; all are removed at the end of the session."""
    url = _shared_url(pytestconfig, "s3", S3Node)
    made: list[S3Server] = []

    def make() -> S3Server:
        server = S3Server.at(url, f"test-{secrets.token_hex(6)}")
        server.create_bucket()
        made.append(server)
        return server

    yield make
    for server in made:
        server.remove_bucket()


@pytest.fixture(scope="module")
def s3_server(s3_bucket: Callable[[], S3Server]) -> S3Server:
    return s3_bucket()


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    try:
        return find_chromium()
    except ServiceMissing as error:
        _refuse(error)


@pytest.fixture(scope="session")
def browser(chromium: Chromium) -> Iterator[Browser]:
    """A running headless Chromium; make a context of your own: `browser.new_context()`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(**chromium.options)
        yield running
        running.close()


@pytest.fixture(scope="session")
def elasticsearch_node(pytestconfig: pytest.Config) -> NodeMaker[ElasticsearchNode]:
    return _maker(pytestconfig, "elasticsearch", ElasticsearchNode)


@pytest.fixture(scope="session")
def s3_node(pytestconfig: pytest.Config) -> NodeMaker[S3Node]:
    return _maker(pytestconfig, "s3", S3Node)


@pytest.fixture(scope="session")
def postgresql_node(pytestconfig: pytest.Config) -> NodeMaker[PostgresqlNode]:
    return _maker(pytestconfig, "postgresql", PostgresqlNode)


@pytest.fixture(scope="session")
def redis_node(pytestconfig: pytest.Config) -> NodeMaker[RedisNode]:
    return _maker(pytestconfig, "redis", RedisNode)
