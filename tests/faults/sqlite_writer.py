"""A process of its own that writes drafts from several threads.

usage: sqlite_writer HOME NUMBER THREADS EACH; NUMBER keeps the names of two processes apart.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from portal.platform import open_platform
from portal.settings import Settings
from tests import factories
from tests.faults.working import committing, threads_of
from tests.platforms import SECRET


def main(home: str, number: str, threads: str, each: str) -> None:
    factories._numbers = itertools.count(1 + int(number) * 100_000)
    platform = open_platform(Settings(home=Path(home), secret_key=SECRET))

    def write() -> None:
        for _ in range(int(each)):
            with committing(platform) as catalogue:
                catalogue.draft()

    raised = threads_of(*[write] * int(threads))
    platform.close()
    for error in raised:
        print(repr(error), file=sys.stderr)
    sys.exit(1 if raised else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
