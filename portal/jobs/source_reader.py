"""Reading a source in a process of its own (`reader_child`), record by record."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harvesters.record import FaultyRecord, HarvestedRecord, SourceFailed
from harvesters.wire import message_of
from portal.codes import all_code_names
from portal.models.harvest import HarvestSource

USER_AGENT = "xiangyun-harvester"
LONGEST_LINE = 20_000_000
DIED = "读取来源的进程中断（{how}），未作任何处理。内容可能过大：请来源分页提供，或缩小每页的条数。"


@dataclass(frozen=True)
class SourceReader:
    """Starts one process for each reading of a source.

    Args:
        request_seconds: for one request with its redirects and its body.
        total_seconds: for the whole reading.
    """

    allowed_hosts: frozenset[str]
    request_seconds: float = 300.0
    total_seconds: float = 4 * 3600.0

    def read(
        self, source: HarvestSource, options: Mapping[str, Any]
    ) -> Iterator[HarvestedRecord | FaultyRecord]:
        """Yield what the source's kind yields; closing the iterator ends the process.

        Raises:
            SourceFailed: by the kind; or the process ended, by its limits or otherwise.
        """
        task = {
            "kind": source.kind,
            "url": source.url,
            "options": options,
            "codes": all_code_names(),
            "allowed_hosts": sorted(self.allowed_hosts),
            "user_agent": USER_AGENT,
            "max_seconds": self.request_seconds,
        }
        with subprocess.Popen(
            [sys.executable, "-m", "portal.jobs.reader_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            timer = threading.Timer(self.total_seconds, process.kill)
            timer.daemon = True
            timer.start()
            try:
                yield from _records(process, task)
            finally:
                timer.cancel()
                process.kill()


def _records(
    process: subprocess.Popen[bytes], task: Mapping[str, Any]
) -> Iterator[HarvestedRecord | FaultyRecord]:
    assert process.stdin is not None  # pipes were asked for
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(task).encode() + b"\n")
        process.stdin.close()
    except BrokenPipeError:
        pass  # it died at once; what it left says why
    while line := process.stdout.readline(LONGEST_LINE):
        if not line.endswith(b"\n"):
            break
        message = message_of(line)
        if message is None:
            return
        yield message
    process.kill()
    code = process.wait()
    raise SourceFailed(DIED.format(how=f"信号 {-code}" if code < 0 else f"代码 {code}"))
