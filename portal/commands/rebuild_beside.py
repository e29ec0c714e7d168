"""Prepare documents for a rebuild in processes beside the one that writes the index.

Reading rows and analysing Chinese text take nearly all of a rebuild's time, and threads of one
process would wait for each other: each helper prepares one range of entries at a time.
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import multiprocessing.connection
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing.context import BaseContext

from sqlalchemy import event

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
    pool = ProcessPoolExecutor(
        helpers,
        mp_context=_context(platform),
        initializer=_begin,
        initargs=(platform.settings,),
    )
    try:
        pool.submit(os.getpid).result()  # all start now, before the writer's threads do
        yield lambda ranges: _in_order(pool, ranges, helpers * _AHEAD)
    finally:
        pool.shutdown(cancel_futures=True)
        gc.unfreeze()  # what is frozen at the end is reported as leaked


def _context(platform: Platform) -> BaseContext:
    """Return how helpers are started: forked from this process, whose memory they share.

    Where threads run already they are forked from a server of their own, which shares less.
    """
    if threading.active_count() > 1:
        served = multiprocessing.get_context("forkserver")
        served.set_forkserver_preload(["portal.commands.rebuild_helper"])
        return served
    importlib.import_module("portal.commands.rebuild_helper")
    platform.database.dispose()  # no connection is shared with a helper
    gc.freeze()  # no collection looks at what is loaded, here or in the helpers
    return multiprocessing.get_context("fork")


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
    if _platform.database.is_sqlite:
        event.listen(_platform.database.engine, "connect", _unmapped)
    gc.freeze()  # what is loaded now stays: no collection need look at it again


def _unmapped(connection: sqlite3.Connection, _record: object) -> None:
    """Read the database through the system's cache: mapped, its pages would count as our memory."""
    connection.execute("PRAGMA mmap_size=0")


def _end_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


def _prepare(wanted: Range) -> PreparedRange:
    assert _platform is not None
    return prepare_range(_platform.database, _platform.engine, wanted)
