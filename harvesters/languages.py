"""Of a text in several languages, the one that our readers read first."""

from __future__ import annotations

from collections.abc import Iterable

_FIRST = ("zh-hans-cn", "zh-hans", "zh-cn", "zh", "zh-hant", "zh-tw", "zh-hk", "", "en")


def best_text(texts: Iterable[tuple[str, str]]) -> str:
    """Return the best of (language tag, text): Chinese, then unmarked, English, any other.

    Of one language the first text counts; without any text the answer is empty.
    """
    known: dict[str, str] = {}
    for language, text in texts:
        if text.strip():
            known.setdefault(language.lower().replace("_", "-"), text.strip())
    for language in _FIRST:
        if language in known:
            return known[language]
    regional = next((known[tag] for tag in known if tag.startswith(("zh-", "en-"))), "")
    return regional or next(iter(known.values()), "")
