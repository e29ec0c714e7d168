"""What may be wrong with a list as a whole, and with one cell of it."""

from __future__ import annotations

from harvesters.record import SourceFailed


class UnreadableList(SourceFailed):
    """The file as a whole cannot be read; the text (Chinese) says what to do."""


class NoHeader(UnreadableList):
    """No line names the columns in words that we know: a person must say what they hold."""


class CellFault(ValueError):
    """One cell says something that its column does not take."""
