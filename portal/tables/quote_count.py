"""Whether the quotes of a delimited text stand where they can only mean one thing."""

from __future__ import annotations


class QuoteCount:
    """Counts quotes that open and close values, piece by piece, without parsing.

    A stray quote makes readers swallow the lines up to the next one without an error. Where every
    quote (doubled ones aside) stands at an end of a value, and as many open as close, there is none.
    """

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._rest = b""
        self._quotes = self._opens = self._closes = 0

    def add(self, data: bytes) -> None:
        text = self._rest + data
        cut = text.rfind(b"\n") + 1
        self._count(text[:cut])
        self._rest = text[cut:]

    def are_paired(self) -> bool:
        """Call once, behind the last piece."""
        self._count(self._rest + b"\n")
        return self._opens == self._closes and self._opens + self._closes == self._quotes

    def _count(self, text: bytes) -> None:
        if b'"' not in text:
            return
        bare = text.replace(b'""', b"")
        self._quotes += bare.count(b'"')
        before = (self._delimiter + b'"', b'\n"', b'\r"')
        self._opens += sum(map(bare.count, before)) + bare.startswith(b'"')
        self._closes += sum(map(bare.count, (b'"' + self._delimiter, b'"\n', b'"\r')))
