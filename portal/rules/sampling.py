"""Draw a random sample that anyone can draw again.

Before the draw the codes to draw from are frozen and a secret is made; the SHA-256 of both is
published, so that neither can be changed afterwards. The draw joins the secret with a value that
nobody at the Bureau chooses (a lottery number of a later day, named beforehand). Each code's mark is
SHA-256 of the seed, a line feed and the code; the codes with the smallest marks are the sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection


def digest(text: str) -> str:
    """Return SHA-256 of the text in UTF-8, as lower-case hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def population_digest(codes: Collection[str]) -> str:
    """Return the digest of the codes in order, one a line, without a last line feed."""
    return digest("\n".join(sorted(codes)))


def seed_of(secret: str, public_value: str) -> str:
    return f"{secret}:{public_value}"


def mark_of(seed: str, code: str) -> str:
    return digest(f"{seed}\n{code}")


def draw(codes: Collection[str], size: int, seed: str) -> list[tuple[str, str]]:
    """Return (code, mark) of the sample, the smallest mark first.

    Raises:
        ValueError: `size` is below 1 or above the number of codes.
    """
    if not 1 <= size <= len(set(codes)):
        raise ValueError("the sample is larger than what it is drawn from")
    marked = sorted((mark_of(seed, code), code) for code in set(codes))
    return [(code, mark) for mark, code in marked[:size]]
