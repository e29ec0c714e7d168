"""Index in a process of its own while a command writes: with two cores both go on at once."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event

from portal.commands import opened_platform
from portal.services.indexer import index_pending

PAUSE_SECONDS = 0.2


@contextmanager
def indexing_beside(*, wanted: bool) -> Iterator[None]:
    """Index what the body commits, as it does; what is left at the end is the caller's to index.

    Args:
        wanted: False does nothing: a second process is not worth its start for little work.
    """
    if not wanted:
        yield
        return
    processes = multiprocessing.get_context("spawn")
    done = processes.Event()
    helper = processes.Process(target=index_until, args=(done,), daemon=True)
    helper.start()
    try:
        yield
    finally:
        done.set()
        helper.join()


def index_until(done: Event) -> None:
    """Index what waits until `done` is set and nothing waits."""
    with opened_platform() as platform:
        while True:
            ending = done.is_set()
            if not index_pending(platform.database, platform.engine, platform.clock):
                if ending:
                    return
                time.sleep(PAUSE_SECONDS)
