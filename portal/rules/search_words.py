"""Which searched words may be remembered: words that say what is wanted, never who asks."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 60  # characters; longer texts are pasted, and may hold anything

_PERSONAL = (
    re.compile(r"\d{7,}"),  # telephone, identity card, bank card, account
    re.compile(r"(?<!\d)1[3-9]\d[\s\-.]?\d{4}[\s\-.]?\d{4}(?!\d)"),
    re.compile(r"(?<!\d)0\d{2,3}[\s\-.()]+\d{7,8}"),
    re.compile(r"(?:\d[\s\-.]{0,2}){14,}[\dx]"),  # an identity card with gaps
    re.compile(r"(?<![a-z0-9])(?=[a-z0-9]*\d)[a-z0-9]{15,}(?![a-z0-9])"),  # credit codes, keys
    re.compile(r"\S@\S|://|\bwww\."),
    re.compile(
        r"[\u4e00-\u9fff][a-z][·\s]?(?=[a-z0-9]*\d)[a-z0-9]{5,6}(?![a-z0-9])"
    ),  # number plate
    re.compile(r"(?<![a-z0-9])[a-z]{1,2}\d{6,}"),  # passport, permit
)


def countable_words(typed: str) -> str | None:
    """Return the words in one spelling; None when they may say something about a person.

    Width and case are folded and gaps made one. Left out is what looks like a number of a person
    or a thing that belongs to one (telephone, identity card, plate, e-mail, address of a page),
    what is longer than `LONGEST`, and what holds no letter or digit.
    """
    words = unicodedata.normalize("NFKC", typed[: 4 * LONGEST]).lower()
    words = unicodedata.normalize("NFKC", words)
    words = "".join(c for c in words if c.isspace() or unicodedata.category(c)[0] != "C")
    words = " ".join(words.split())
    if len(typed) > 4 * LONGEST or not 0 < len(words) <= LONGEST:
        return None
    if not any(character.isalnum() for character in words):
        return None
    return None if any(pattern.search(words) for pattern in _PERSONAL) else words
