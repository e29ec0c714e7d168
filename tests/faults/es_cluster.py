"""A cluster of three Elasticsearch nodes on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.services.node import ServiceFailed, ServiceMissing, free_port
from tests.services.nodes import DIRECT, ElasticsearchNode

NAMES = ("one", "two", "three")


class ClusterNode(ElasticsearchNode):
    def environment(self) -> dict[str, str]:
        return {"ES_HEAP": "400m"}


class Cluster:
    def __init__(self, folder: Path) -> None:
        ports = dict(zip(NAMES, _ports(), strict=True))
        seeds = ",".join(f"127.0.0.1:{port}" for port in ports.values())
        self.nodes = {
            name: ClusterNode(
                folder / name,
                (
                    "cluster.name=faults",
                    f"node.name={name}",
                    f"transport.port={port}",
                    f"discovery.seed_hosts={seeds}",
                    f"cluster.initial_master_nodes={','.join(NAMES)}",
                ),
            )
            for name, port in ports.items()
        }

    @property
    def url(self) -> str:
        """Return all addresses, as SEARCH_URL takes them."""
        return ",".join(node.url for node in self.nodes.values())

    def start(self) -> None:
        """Start all at once: a single one would wait for the others.

        Raises:
            ServiceMissing, ServiceFailed.
        """
        failed: list[Exception] = []

        def start(node: ClusterNode) -> None:
            try:
                node.start()
            except (ServiceMissing, ServiceFailed) as error:
                failed.append(error)

        threads = [threading.Thread(target=start, args=(n,)) for n in self.nodes.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]
        self.wait_for("green")

    def wait_for(self, status: str) -> None:
        node = next(node for node in self.nodes.values() if node.answers())
        path = f"_cluster/health?wait_for_status={status}&timeout=60s"
        DIRECT.get(f"{node.url}/{path}", timeout=90).raise_for_status()

    def master(self) -> str:
        node = next(iter(self.nodes.values()))
        said = DIRECT.get(f"{node.url}/_cat/master?h=node", timeout=10)
        said.raise_for_status()
        return said.text.strip()

    def stop(self) -> None:
        for node in self.nodes.values():
            node.stop()


def _ports() -> Sequence[int]:
    first = free_port(len(NAMES))
    return range(first, first + len(NAMES))


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder)
    with ExitStack() as stack:
        stack.callback(cluster.stop)
        cluster.start()
        yield cluster
