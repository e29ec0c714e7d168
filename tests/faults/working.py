"""What the fault tests share: committed records, a worker that runs, waiting with a limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from portal.actor import ANONYMOUS
from portal.jobs.worker import Worker
from portal.platform import Platform
from portal.services import indexer
from portal.services.search import search_catalogue
from search.request import SearchRequest, SearchResult
from tests.factories import Catalogue, People


@contextmanager
def committing(platform: Platform) -> Iterator[Catalogue]:
    """A catalogue whose changes are committed at the end, in one transaction."""
    with platform.database.writing() as session:
        yield Catalogue(platform, session, People(platform, session))


@contextmanager
def running_worker(platform: Platform) -> Iterator[Worker]:
    """A worker that runs in a thread of its own, as it does in its process."""
    worker = Worker(platform)
    thread = threading.Thread(target=worker.run, name="worker", daemon=True)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(timeout=30)
        assert not thread.is_alive()


def wait_until(is_so: Callable[[], bool], seconds: float, *, pause: float = 0.05) -> float:
    """Wait until it is so; return after how many seconds.

    Raises:
        TimeoutError: it never was.
    """
    began = time.monotonic()
    while not is_so():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"not so after {seconds} s")
        time.sleep(pause)
    return time.monotonic() - began


def search(platform: Platform, words: str = "", **asked: object) -> SearchResult:
    """Search as an anonymous visitor."""
    request = SearchRequest(words=words, **asked)  # type: ignore[arg-type]
    with platform.database.reading() as session:
        return search_catalogue(session, platform.engine, request, ANONYMOUS)


def found_ids(platform: Platform, words: str = "", **asked: object) -> set[int]:
    return {hit.id for hit in search(platform, words, **{"rows": 100, **asked}).hits}


def index_everything(platform: Platform) -> None:
    while indexer.index_pending(platform.database, platform.engine, platform.clock):
        pass


def threads_of(*targets: Callable[[], None]) -> list[BaseException]:
    """Run the targets at once; return what they raised."""
    raised: list[BaseException] = []

    def guarded(target: Callable[[], None]) -> None:
        try:
            target()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=guarded, args=(target,)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    return raised
