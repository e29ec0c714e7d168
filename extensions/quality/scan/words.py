"""The same patterns on a single text in Python: names of columns, short texts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from extensions.quality.scan.checksums import LIBRARY_CHECKS
from extensions.quality.scan.kinds import FULL_WIDTH, HALF_WIDTH, KINDS

_NARROW = str.maketrans(FULL_WIDTH, HALF_WIDTH)
_IN_TEXT = ("id_number", "bank_card", "mobile", "email", "plate")
_PATTERNS = {code: re.compile(KINDS[code].pattern, re.ASCII) for code in _IN_TEXT}


def kinds_in_text(text: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, the part of the text) for what stands in it beyond doubt."""
    narrow = text.translate(_NARROW)
    for code, pattern in _PATTERNS.items():
        check = LIBRARY_CHECKS.get(code)
        for found in pattern.finditer(narrow):
            if check is None or check(found[1]):
                yield code, text[found.start(1) : found.end(1)]
