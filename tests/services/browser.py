"""The Chromium of the system, quiet and without a sandbox where it must be."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import Any

from tests.services.node import ServiceMissing

NAMES = ("chromium", "chromium-browser", "google-chrome")
# It calls nobody: no updates, no metrics, no guesses at the network.
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@dataclass(frozen=True)
class Chromium:
    """How to launch it: `playwright.chromium.launch(**chromium.options)`."""

    executable_path: str
    args: tuple[str, ...]

    @property
    def options(self) -> dict[str, Any]:
        return {"executable_path": self.executable_path, "args": list(self.args), "headless": True}


def find_chromium() -> Chromium:
    """Return the installed Chromium, or the one XIANGYUN_TEST_CHROMIUM_PATH names.

    Raises:
        ServiceMissing: there is none.
    """
    named = os.environ.get("XIANGYUN_TEST_CHROMIUM_PATH")
    path = named or next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise ServiceMissing("missing: chromium (Debian: chromium)")
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return Chromium(path, (*QUIET, *sandbox))
