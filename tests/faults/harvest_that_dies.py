"""Run as a program: `xiangyun harvest run city`, killed from inside at a named moment.

    python -m tests.faults.harvest_that_dies MOMENT

The process ends as by a power cut (SIGKILL to itself), right before or after a step of the run.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from portal.cli import cli
from portal.services.harvest_gathering import Gathering
from portal.services.harvest_run import HarvestExecution

MOMENTS: dict[str, tuple[type, str, bool]] = {
    "before gathering": (Gathering, "go", False),
    "before what was gathered is concluded": (Gathering, "_conclude", False),
    "after gathering": (Gathering, "go", True),
    "after the first write": (HarvestExecution, "_write_batch", True),
    "before the finish": (HarvestExecution, "_finish", False),
    "after the finish": (HarvestExecution, "_finish", True),
}


def _deadly(step: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def run(*arguments: Any, **options: Any) -> Any:
        if after:
            step(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    return run


if __name__ == "__main__":
    owner, name, is_after = MOMENTS[sys.argv[1]]
    setattr(owner, name, _deadly(getattr(owner, name), after=is_after))
    cli(["harvest", "run", "city"])
