"""A look at a document (PDF, Word): its text is searched; what cannot be read waits for a person."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from extensions.quality.scan.findings import Finding, Looked
from extensions.quality.scan.leftovers import UNREAD

WHOLE_FILE = "*"
"""Stands for the file itself: nothing is known of its columns."""

WHOLE_TEXT = "文件全文"
READ = frozenset({"pdf", "docx", "odt"})
FORMATS = READ | {"doc", "wps", "ofd"}
"""What is looked at; of those that are not READ nothing is known."""

MOST_BYTES = 200 * 1024 * 1024
SECONDS = 90


def look_at_document(path: Path, kind: str) -> Looked:
    """Return the kinds found in a document's text, or one finding that it was not read.

    An unread document (a password, a scanned page, a broken file) may hold anything, so that it waits
    for a decision like one in which something was found.
    """
    found = _found(path, kind) if kind in READ and path.stat().st_size <= MOST_BYTES else None
    if found is None:
        return Looked((Finding(WHOLE_FILE, WHOLE_TEXT, UNREAD, 1, 1.0),))
    return Looked(
        tuple(
            Finding(WHOLE_FILE, WHOLE_TEXT, code, one["count"], 1.0, (one["example"],))
            for code, one in found.items()
        )
    )


def _found(path: Path, kind: str) -> dict[str, dict[str, int | str]] | None:
    """Let a process of its own read; None where it could not."""
    command = [sys.executable, "-m", "extensions.quality.scan.document_text", str(path), kind]
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    try:
        done = subprocess.run(
            command, env=kept, capture_output=True, timeout=SECONDS, check=False, cwd=_root()
        )
    except subprocess.TimeoutExpired:
        return None
    found: dict[str, dict[str, int | str]] | None = (
        json.loads(done.stdout) if done.returncode == 0 else None
    )
    return found


def _root() -> Path:
    """Where the packages lie, so that the child finds those of this very process."""
    return Path(__file__).resolve().parents[3]
