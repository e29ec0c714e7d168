"""The program that reads one source: a process of its own, with a limit on its memory and its time.

What a source sends may unfold beyond all bounds inside the libraries that read it (RDF graphs,
JSON trees). Here that ends this process and nothing else: the run fails with a reason, the worker
goes on. Standard input: one JSON object (`Task`); standard output: lines of `harvesters.wire`.
Only the guarded client and the source kinds are loaded, neither database nor search.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from harvesters.kinds import make_kind
from harvesters.record import SourceFailed, SourceSettings
from harvesters.wire import line_of
from portal.net import guarded_session

DATA_BYTES = 216_000_000
"""Of data, so that the whole process stays below 256 MB."""
CPU_SECONDS = 3600
TOO_MUCH = (
    "来源的内容展开后占用的内存过多，已停止读取，未作任何处理。请来源分页提供，或缩小每页的条数。"
)
_DIE_WITH_PARENT = 1
_STACK_BYTES = 1 << 20
_LARGEST_ANSWER = 200_000_000
"""Kinds have bounds of their own, of what they read whole."""


def main() -> None:
    _limit()
    task: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    end = _copy(task, line_of(SourceFailed(TOO_MUCH)))
    sys.stdout.buffer.write(line_of(end))
    sys.stdout.buffer.flush()
    os._exit(0)  # what filled the memory need not be taken apart


def _copy(task: dict[str, Any], too_much: bytes) -> SourceFailed | None:
    """Write every record; return why the source failed, or None when its answer was complete.

    Args:
        too_much: the line that says so when no memory is left, not even for making one.
    """
    out = sys.stdout.buffer
    try:
        for record in _read(task):
            out.write(line_of(record))
            out.flush()
    except SourceFailed as error:
        return error.with_traceback(None)
    except MemoryError:
        os.write(out.fileno(), too_much)
        os._exit(0)
    except BrokenPipeError:
        os._exit(1)  # nobody listens any more
    except Exception as error:
        traceback.print_exc()
        return SourceFailed(f"读取来源时出错：{error}")
    return None


def _read(task: dict[str, Any]) -> Iterator[Any]:
    http = guarded_session(
        allowed_hosts=frozenset(task["allowed_hosts"]),
        user_agent=task["user_agent"],
        max_seconds=task["max_seconds"],
        max_bytes=_LARGEST_ANSWER,
    )
    try:
        kind = make_kind(task["kind"], task["codes"])
    except KeyError as error:
        raise SourceFailed(f"没有名为“{task['kind']}”的采集方式。") from error
    yield from kind.gather(SourceSettings(task["url"], task["options"]), http)


def _limit() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker decides, and kills us
    with suppress(OSError):  # where there is no such call, a pipe that breaks ends us
        libc = ctypes.CDLL(None)
        set_option: Callable[..., int] | None = getattr(libc, "prctl", None)
        if set_option is not None:
            set_option(_DIE_WITH_PARENT, signal.SIGKILL)
    threading.stack_size(_STACK_BYTES)  # counts against the limit
    resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES, DATA_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 10))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
