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

from search.building import BEFORE_ALL
from search.elasticsearch_layout import IndexLayout
from search.elasticsearch_mapping import FORMAT, SETTINGS, facet_properties, mappings
from search.engine import SearchFull, SearchRefused, SearchUnavailable
from search.facets import FACETS
from search.fields import LIVE
from search.prepared import Prepared, Refusals

_BULK_TIMEOUT_SECONDS = 60.0
_BATCH, _BATCH_BYTES = 500, 8_000_000  # documents and bytes a request
_MISSING, _CONFLICT, _TOO_LARGE, _TOO_MANY = 404, 409, 413, 429
_OLDEST_BUILD_SECONDS = 24 * 3600.0  # a build that nobody goes on with is given up
_FULL = "read-only-allow-delete"  # the block that the flood stage of the disk puts on an index


@contextmanager
def answering() -> Iterator[None]:
    """Turn the client's errors into those of `search.engine`."""
    try:
        yield
    except (TransportError, SerializationError) as error:
        raise SearchUnavailable(f"Elasticsearch does not answer: {error}") from error
    except ApiError as error:
        status = error.meta.status
        if _FULL in str(error):
            raise full(error) from error
        if status == _TOO_MANY or status >= 500 or status in (401, 403, 404):
            raise SearchUnavailable(f"Elasticsearch cannot answer: {error}") from error
        raise SearchRefused(f"Elasticsearch refused the request: {error}") from error


def full(error: object) -> SearchFull:
    return SearchFull(f"the disk of Elasticsearch is full, it takes no writes: {error}"[:1000])


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

    def __init__(self, client: Elasticsearch, alias: str, layout: IndexLayout):
        self._client = client
        self._layout = layout
        self._bulk = client.options(request_timeout=_BULK_TIMEOUT_SECONDS)
        self.alias = alias
        self._building = f"{alias}-building"
        self._mapped: frozenset[str] = frozenset()

    def ensure(self) -> None:
        """Make the index if there is none, and give it the fields of facets added since."""
        if self._mapped == frozenset(FACETS):
            return
        try:
            found = read(self._client.indices.get_mapping(index=self.alias, local=True))
        except NotFoundError:
            self._create_live()
            found = read(self._client.indices.get_mapping(index=self.alias, local=True))
        for mapping in found.values():
            if mapping["mappings"].get("_meta", {}).get("format") != FORMAT:
                raise SearchUnavailable("the search index is of another release: rebuild it")
            known = mapping["mappings"]["properties"]["facets"].get("properties", {})
            if set(FACETS) - set(known):
                facets = {"facets": {"properties": facet_properties()}}
                self._client.indices.put_mapping(index=self.alias, properties=facets)
        self._apply_layout()
        self._mapped = frozenset(FACETS)

    def _apply_layout(self) -> None:
        """Give the live index the replicas and the refresh interval of the settings.

        An index that is read-only or a cluster without a master cannot take them now; the next
        process will tell it.
        """
        wanted = self._layout.changeable()
        found = read(
            self._client.indices.get_settings(index=self.alias, flat_settings=True, local=True)
        )
        for index in found.values():
            have = index["settings"]
            if any(str(have.get(f"index.{name}", "")) != str(v) for name, v in wanted.items()):
                with suppress(ApiError, TransportError):
                    self._client.indices.put_settings(index=self.alias, settings=wanted)

    def forget(self) -> None:
        """Look again at the next call: the index is not what it was."""
        self._mapped = frozenset()

    def _create_live(self) -> None:
        """Make the first index; of two processes that do so at once, one is told it exists."""
        try:
            self._client.indices.create(
                index=f"{self.alias}-first",
                aliases={self.alias: {}},
                settings={**SETTINGS, **self._layout.settings()},
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

    def begin_build(self, *, resume: bool) -> tuple[str, int, int]:
        """Make an index that later writes go to as well, or find what an earlier build left.

        Returns:
            Its name, the id up to which it was given every entry, and how many these were.
        """
        if resume and (found := self._resumable()):
            return found
        self.abandon_builds()
        name = f"{self.alias}-{time.time_ns()}-{uuid.uuid4().hex[:6]}"
        self._client.indices.create(
            index=name,
            aliases={self._building: {}},
            settings={**SETTINGS, **self._layout.settings()},
            mappings=mappings(),
        )
        return name, BEFORE_ALL, 0

    def _resumable(self) -> tuple[str, int, int] | None:
        left = self._behind(self._building)
        if len(left) != 1 or _age_seconds(left[0]) > _OLDEST_BUILD_SECONDS:
            return None
        mapping = read(self._client.indices.get_mapping(index=left[0]))[left[0]]["mappings"]
        meta = mapping.get("_meta", {})
        facets = mapping["properties"].get("facets", {}).get("properties", {})
        if meta.get("format") != FORMAT or set(facets) != set(FACETS) or "stands_at" not in meta:
            return None
        return left[0], int(meta["stands_at"]), int(meta["given"])

    def keep_progress(self, name: str, stands_at: int, given: int) -> None:
        """Remember in the index itself how far its build has come."""
        meta = {"format": FORMAT, "stands_at": stands_at, "given": given}
        self._client.indices.put_mapping(index=name, meta=meta)

    def abandon_builds(self) -> None:
        for left in self._behind(self._building):
            self._client.indices.delete(index=left, ignore_unavailable=True)

    def abandon_old_builds(self) -> None:
        """Give up builds that nobody went on with for a day: each write goes to them as well."""
        for left in self._behind(self._building):
            if _age_seconds(left) > _OLDEST_BUILD_SECONDS:
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

    def write(self, writes: list[Prepared]) -> Refusals:
        """Write to what is live and to what is being built; searchable on return.

        The index being built comes first: if it goes live meanwhile, the second write meets it
        there, so that no swap loses a write. It is made searchable too: a swap right after this
        call must neither hide what was just found nor show what was just removed.
        """
        waits = self._layout.waits_for_refresh
        if self._behind(self._building):
            self.write_building(writes)
            with suppress(NotFoundError):  # it has just gone live
                self._bulk.indices.refresh(index=self._building)
        refused = self._put(self.alias, writes, refresh="wait_for" if waits else "false")
        if refused is None:
            self.forget()
            raise SearchUnavailable("the search index is gone; try again")
        if not waits:
            self._bulk.indices.refresh(index=self.alias)
        return refused

    def write_building(self, writes: list[Prepared]) -> Refusals:
        return self._put(self._building, writes) or {}

    def _put(
        self, alias: str, writes: list[Prepared], *, refresh: str = "false"
    ) -> Refusals | None:
        """Write documents; one older than what the index holds is left out.

        Returns:
            What the engine refused; None when nothing is behind the alias (and no index springs up
            under its name).
        """
        refused: Refusals = {}
        for batch in _batches(writes):
            operations: list[Any] = [
                line for write in batch for line in (_target(write), write.payload)
            ]
            try:
                answer = read(
                    self._bulk.bulk(
                        index=alias, operations=operations, require_alias=True, refresh=refresh
                    )
                )
            except ApiError as error:
                if error.meta.status not in (400, _TOO_LARGE) or _FULL in str(error):
                    raise
                refused |= self._halved(alias, batch, error, refresh)
                continue
            outcomes = [item["index"] for item in answer["items"]]
            if any(outcome["status"] == _MISSING for outcome in outcomes):
                return None
            refused |= dict(filter(None, map(_refusal, outcomes)))
        return refused

    def _halved(self, alias: str, batch: list[Prepared], error: ApiError, refresh: str) -> Refusals:
        """Write the halves of a request that was refused as a whole, down to the one to blame."""
        if len(batch) == 1:
            return {batch[0].id: str(error)[:2000]}
        middle = len(batch) // 2
        found = (
            self._put(alias, half, refresh=refresh) for half in (batch[:middle], batch[middle:])
        )
        return {entry_id: text for refused in found for entry_id, text in (refused or {}).items()}

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

    def is_blocked(self) -> bool:
        """Say whether the live index, or one being built, takes no writes because of a full disk."""
        names = f"{self.alias},{self._building}"
        found = read(
            self._client.indices.get_settings(
                index=names, flat_settings=True, ignore_unavailable=True
            )
        )
        blocks = (
            one["settings"].get("index.blocks.read_only_allow_delete") for one in found.values()
        )
        return any(str(block) == "true" for block in blocks)

    def count(self, index: str) -> int:
        """Return how many entries an index holds, tombstones left out."""
        return self._count(index, {"term": {LIVE: "yes"}})

    def removed(self, index: str) -> int:
        """Return how many removals an index remembers."""
        return self._count(index, {"bool": {"must_not": [{"term": {LIVE: "yes"}}]}})

    def _count(self, index: str, query: dict[str, Any]) -> int:
        return int(read(self._client.count(index=index, query=query))["count"])


def _age_seconds(name: str) -> float:
    """Return how long ago a build was begun; its name says when."""
    return time.time() - int(name.split("-")[-2]) / 1e9


def _target(write: Prepared) -> bytes:
    head = b'{"index":{"_id":"%d","version":%d,"version_type":"external_gte"}}'
    return head % (write.id, write.order)


def _batches(writes: list[Prepared]) -> Iterator[list[Prepared]]:
    batch: list[Prepared] = []
    size = 0
    for write in writes:
        if batch and (len(batch) == _BATCH or size + len(write.payload) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(write)
        size += len(write.payload)
    if batch:
        yield batch


def _refusal(outcome: dict[str, Any]) -> tuple[int, str] | None:
    """Return (id, reason) of a document that the engine does not take.

    A conflict only says that the index knows better.

    Raises:
        SearchUnavailable: it cannot write just now; SearchFull: it has no room.
    """
    status = outcome["status"]
    if status < 400 or status == _CONFLICT:
        return None
    if _FULL in str(outcome["error"]):
        raise full(outcome["error"])
    if status == _TOO_MANY or status >= 500:
        raise SearchUnavailable(f"Elasticsearch cannot write: {outcome['error']}")
    return int(outcome["_id"]), str(outcome["error"]["reason"])[:2000]
