"""What goes wrong with a back-up, in words an operator can act on."""

from __future__ import annotations


class BackupError(Exception):
    """The back-up cannot be made, read or restored; nothing was left half done."""
