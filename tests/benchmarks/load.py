"""Drives an address with wrk and reads what it measured."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 6
SCRIPT = """
local paths = { %s }
local credentials = { %s }
local n = 0
request = function()
  n = n + 1
  local headers = {}
  if #credentials > 0 then
    headers["Authorization"] = "Bearer " .. credentials[(n - 1) %% #credentials + 1]
  end
  return wrk.format("GET", paths[(n - 1) %% #paths + 1], headers)
end
done = function(summary, latency, requests)
  io.write(string.format("RESULT %%.3f %%.3f %%.3f %%d %%d\\n",
    latency:percentile(50) / 1000, latency:percentile(95) / 1000,
    summary.requests / (summary.duration / 1000000),
    summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.timeout))
end
"""


@dataclass(frozen=True)
class Figures:
    """Latencies in ms, rate in requests a second; `failed` counts answers that were not 2xx or 3xx."""

    median_ms: float
    p95_ms: float
    rate: float
    failed: int


def drive(
    url: str,
    paths: Sequence[str],
    *,
    clients: int,
    seconds: int = SECONDS,
    credentials: Sequence[str] = (),
) -> Figures:
    """Ask for the paths in turn, over and over, with so many clients at once.

    Args:
        credentials: keys to call with, each in its turn.
    """
    script = SCRIPT % tuple(", ".join(map(json.dumps, one)) for one in (paths, credentials))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "paths.lua"
        file.write_text(script, encoding="utf-8")
        done = subprocess.run(
            [
                "wrk",
                "-t1",
                f"-c{clients}",
                f"-d{seconds}s",
                "--timeout",
                "10s",
                "-s",
                str(file),
                url,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    found = re.search(r"RESULT (\S+) (\S+) (\S+) (\d+) (\d+)", done.stdout)
    if found is None:
        raise RuntimeError(f"wrk said: {done.stdout} {done.stderr}")
    median, p95, rate, status, broken = found.groups()
    return Figures(float(median), float(p95), float(rate), int(status) + int(broken))
