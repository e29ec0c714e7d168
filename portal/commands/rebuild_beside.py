"""Prepare documents for a rebuild in processes beside the one that writes the index.

Reading rows and analysing Chinese text take nearly all of a rebuild's time, and threads of one
process would wait for each other: each helper prepares one range of entries at a time.
"""

from __future__ import annotations

import gc
import multiprocessing
import multiprocessing.connection
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice

from portal.platform import Platform, open_platform
from portal.services.index_rebuild import (
    RANGE,
    Prepare,
    PreparedRange,
    Range,
    prepare_range,
    prepared_here,
)
from portal.settings import Settings

WORTH_PROCESSES = 10 * RANGE  # entries; below, helpers would still start when all is done
_MOST_HELPERS = 8
_AHEAD = 2  # ranges that each helper may be ahead of the writer: memory stays bounded


@contextmanager
def prepared_beside(platform: Platform, *, entries: int) -> Iterator[Prepare]:
    """Yield who prepares: helpers for many entries, this process for few."""
    cores = len(os.sched_getaffinity(0))
    if entries < WORTH_PROCESSES or cores < 2:
        yield prepared_here(platform.database, platform.engine)
        return
    helpers = min(cores, _MOST_HELPERS)
    processes = multiprocessing.get_context("forkserver")
    # Loaded once, before helpers are forked: they share the dictionaries' memory.
    processes.set_forkserver_preload(["portal.commands.rebuild_helper"])
    pool = ProcessPoolExecutor(
        helpers, mp_context=processes, initializer=_begin, initargs=(platform.settings,)
    )
    try:
        yield lambda ranges: _in_order(pool, ranges, helpers * _AHEAD)
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, ranges: Iterable[Range], ahead: int
) -> Iterator[PreparedRange]:
    source = iter(ranges)
    running: deque[Future[PreparedRange]] = deque()
    while True:
        running += [pool.submit(_prepare, one) for one in islice(source, ahead - len(running))]
        if not running:
            return
        yield running.popleft().result()


_platform: Platform | None = None


def _begin(settings: Settings) -> None:
    """Open the platform in a helper, which ends when whoever started it is gone."""
    global _platform
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    _platform = open_platform(settings)
    gc.freeze()  # what is loaded now stays: no collection need look at it again


def _end_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


def _prepare(wanted: Range) -> PreparedRange:
    assert _platform is not None
    return prepare_range(_platform.database, _platform.engine, wanted)
