"""How deeply JSON from outside is nested: deeper than any record is, nothing can write it again."""

from __future__ import annotations

from typing import Any

DEEPEST = 64


def is_too_deep(raw: bytes, value: Any) -> bool:
    """Say whether a decoded value is nested more than DEEPEST levels; `raw` spares most the walk."""
    if raw.count(b"[") + raw.count(b"{") <= DEEPEST:
        return False
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
