"""How an index lies on a cluster: shards, replicas, and when writes become searchable."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_INTERVAL = re.compile(r"[1-9]\d{0,4}(ms|s)")
_REPLICAS = re.compile(r"\d{1,2}(-(\d{1,2}|all))?")


@dataclass(frozen=True)
class IndexLayout:
    """What operators choose.

    Args:
        shards: of the next index that is built; the live one keeps its number. Counts and scores
            are the same for any number, at the cost of one more round trip inside the cluster.
        replicas: how many copies, or a range as `0-1` that follows the number of nodes.
        refresh: empty makes each batch searchable at once; an interval (`1s`) lets the cluster
            gather batches, and a batch is reported as written only when it is searchable.

    Raises:
        ValueError: a value that is none of these.
    """

    shards: int = 1
    replicas: str = "0-1"
    refresh: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.shards <= 64:
            raise ValueError("shards: 1 to 64")
        if not _REPLICAS.fullmatch(self.replicas):
            raise ValueError("replicas: a number as 1, or a range as 0-1")
        if self.refresh and not _INTERVAL.fullmatch(self.refresh):
            raise ValueError("refresh: empty, or an interval as 1s or 500ms")

    @property
    def waits_for_refresh(self) -> bool:
        return bool(self.refresh)

    def settings(self) -> dict[str, Any]:
        """Return the settings of a new index."""
        return {"number_of_shards": self.shards, **self.changeable()}

    def changeable(self) -> dict[str, Any]:
        """Return the settings that a living index takes as well."""
        interval = {"refresh_interval": self.refresh or "1s"}
        if "-" in self.replicas:
            return {"auto_expand_replicas": self.replicas, **interval}
        return {"auto_expand_replicas": "false", "number_of_replicas": self.replicas, **interval}

    def search_header(self) -> dict[str, Any]:
        """Return how searches are run: with several shards, scores by the words of all of them."""
        return {"search_type": "dfs_query_then_fetch"} if self.shards > 1 else {}
