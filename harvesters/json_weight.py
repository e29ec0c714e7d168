"""What a JSON text weighs once it is read, told before it is read."""

from __future__ import annotations

from harvesters.patience import AnswerTooLarge

MAX_VALUES = 500_000
"""Each takes some 60 to 100 bytes in memory, however short its text."""


def check_json(content: bytes) -> None:
    """Refuse a text of too many values.

    Commas and brackets are counted, those inside of texts too: an upper bound, and quick.

    Raises:
        AnswerTooLarge: too many.
    """
    values = sum(content.count(mark) for mark in (b",", b"[", b"{"))
    if values > MAX_VALUES:
        raise AnswerTooLarge(
            f"来源的一页含有 {MAX_VALUES} 个以上的值，没有读取。请来源分页提供，或缩小每页的条数。"
        )
