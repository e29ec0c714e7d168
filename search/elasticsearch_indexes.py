"""The indexes behind an alias: made when missing, built anew beside the live one, swapped."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from elastic_transport import ApiResponse
from elasticsearch import (
    ApiError,
    BadRequestError,
    Elasticsearch,
    NotFoundError,
    SerializationError,
    TransportError,
)

from search.elasticsearch_mapping import FORMAT, SETTINGS, facet_properties, mappings
from search.engine import SearchRefused, SearchUnavailable
from search.facets import FACETS
from search.fields import LIVE

_BULK_TIMEOUT_SECONDS = 60.0
_BATCH = 500  # documents a request
_MISSING, _CONFLICT, _TOO_MANY = 404, 409, 429

Write = tuple[int, int, dict[str, Any]]  # id, order, body


@contextmanager
def answering() -> Iterator[None]:
    """Turn the client's errors into those of `search.engine`."""
    try:
        yield
    except (TransportError, SerializationError) as error:
        raise SearchUnavailable(f"Elasticsearch does not answer: {error}") from error
    except ApiError as error:
        status = error.meta.status
        if status == _TOO_MANY or status >= 500 or status in (401, 403, 404):
            raise SearchUnavailable(f"Elasticsearch cannot answer: {error}") from error
        raise SearchRefused(f"Elasticsearch refused the request: {error}") from error


def read(answer: ApiResponse[Any]) -> dict[str, Any]:
    """Return an answer's body.

    Raises:
        SearchUnavailable: the connection broke after the headers, so that there is none.
    """
    body = answer.body
    if not isinstance(body, dict):
        raise SearchUnavailable("Elasticsearch broke off its answer")
    return body


class AliasedIndex:
    """One logical index: an alias that points to the live index, another to those being built."""

    def __init__(self, client: Elasticsearch, alias: str):
        self._client = client
        self._bulk = client.options(request_timeout=_BULK_TIMEOUT_SECONDS)
        self.alias = alias
        self._building = f"{alias}-building"
        self._mapped: frozenset[str] = frozenset()

    def ensure(self) -> None:
        """Make the index if there is none, and give it the fields of facets added since."""
        if self._mapped == frozenset(FACETS):
            return
        try:
            found = read(self._client.indices.get_mapping(index=self.alias))
        except NotFoundError:
            self._create_live()
            found = read(self._client.indices.get_mapping(index=self.alias))
        for mapping in found.values():
            if mapping["mappings"].get("_meta", {}).get("format") != FORMAT:
                raise SearchUnavailable("the search index is of another release: rebuild it")
            known = mapping["mappings"]["properties"]["facets"].get("properties", {})
            if set(FACETS) - set(known):
                facets = {"facets": {"properties": facet_properties()}}
                self._client.indices.put_mapping(index=self.alias, properties=facets)
        self._mapped = frozenset(FACETS)

    def forget(self) -> None:
        """Look again at the next call: the index is not what it was."""
        self._mapped = frozenset()

    def _create_live(self) -> None:
        """Make the first index; of two processes that do so at once, one is told it exists."""
        try:
            self._client.indices.create(
                index=f"{self.alias}-first",
                aliases={self.alias: {}},
                settings=SETTINGS,
                mappings=mappings(),
            )
        except BadRequestError as error:
            if "resource_already_exists" not in str(error):
                raise

    def _behind(self, alias: str) -> list[str]:
        try:
            return sorted(read(self._client.indices.get_alias(name=alias)))
        except NotFoundError:
            return []

    def begin_build(self) -> str:
        """Make an index that later writes go to as well; what an earlier build left is removed."""
        self.abandon_builds()
        name = f"{self.alias}-{time.time_ns()}-{uuid.uuid4().hex[:6]}"
        self._client.indices.create(
            index=name,
            aliases={self._building: {}},
            settings=SETTINGS,
            mappings=mappings(),
        )
        return name

    def abandon_builds(self) -> None:
        for left in self._behind(self._building):
            self._client.indices.delete(index=left, ignore_unavailable=True)

    def publish(self, name: str) -> None:
        """Make a built index the live one, at once for all readers, and remove the old one."""
        old = self._behind(self.alias)
        swap: list[dict[str, Any]] = [
            {"remove": {"index": name, "alias": self._building}},
            {"add": {"index": name, "alias": self.alias}},
        ]
        swap += [{"remove_index": {"index": index}} for index in old]
        self._client.indices.update_aliases(actions=swap)
        self._mapped = frozenset(FACETS)

    def write(self, writes: list[Write]) -> None:
        """Write to what is live and to what is being built; searchable on return.

        The index being built comes first: if it goes live meanwhile, the second write meets it
        there, so that no swap loses a write. It is made searchable too: a swap right after this
        call must neither hide what was just found nor show what was just removed.
        """
        if self._behind(self._building):
            self.write_building(writes)
            with suppress(NotFoundError):  # it has just gone live
                self._bulk.indices.refresh(index=self._building)
        if not self._put(self.alias, writes):
            self.forget()
            raise SearchUnavailable("the search index is gone; try again")
        self._bulk.indices.refresh(index=self.alias)

    def write_building(self, writes: list[Write]) -> None:
        self._put(self._building, writes)

    def _put(self, alias: str, writes: list[Write]) -> bool:
        """Write documents; one older than what the index holds is left out.

        Returns:
            False when nothing is behind the alias (and no index springs up under its name).

        Raises:
            SearchRefused: the engine refused a document; its id and the reason are named.
        """
        for start in range(0, len(writes), _BATCH):
            operations: list[dict[str, Any]] = []
            for entry_id, order, body in writes[start : start + _BATCH]:
                target = {"_id": str(entry_id), "version": order, "version_type": "external_gte"}
                operations += [{"index": target}, body]
            answer = read(self._bulk.bulk(index=alias, operations=operations, require_alias=True))
            outcomes = [item["index"] for item in answer["items"]]
            if any(outcome["status"] == _MISSING for outcome in outcomes):
                return False
            for outcome in outcomes:
                _check(outcome)
        return True

    def publish_checked(self, name: str, asked: int) -> int:
        """Make a built index live if it holds what it was given; return how many entries it holds.

        Raises:
            SearchUnavailable: documents are missing; the live index stays.
        """
        self._bulk.indices.refresh(index=name)
        held = self.count(name)
        # What was removed meanwhile is missing rightly, and remembered as removed.
        if held + self.removed(name) < asked:
            raise SearchUnavailable(f"the new index holds {held} of {asked} entries")
        self.publish(name)
        return held

    def count(self, index: str) -> int:
        """Return how many entries an index holds, tombstones left out."""
        return self._count(index, {"term": {LIVE: "yes"}})

    def removed(self, index: str) -> int:
        """Return how many removals an index remembers."""
        return self._count(index, {"bool": {"must_not": [{"term": {LIVE: "yes"}}]}})

    def _count(self, index: str, query: dict[str, Any]) -> int:
        return int(read(self._client.count(index=index, query=query))["count"])


def _check(outcome: dict[str, Any]) -> None:
    """Raise for a write that failed; a conflict only says that the index knows better."""
    status = outcome["status"]
    if status < 400 or status == _CONFLICT:
        return
    if status == _TOO_MANY or status >= 500:
        raise SearchUnavailable(f"Elasticsearch cannot write: {outcome['error']}")
    raise SearchRefused(f"entry {outcome['_id']}: {outcome['error']['reason']}")
