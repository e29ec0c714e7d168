"""What a new password must keep to (GB/T 35273 asks for strength; length does most of it)."""

from __future__ import annotations

from itertools import pairwise

from portal.errors import Defect

SHORTEST, LONGEST = 10, 200
_LEAST_DIFFERENT = 5
_KNOWN = (
    "1234567890",
    "0987654321",
    "qwertyuiop",
    "1qaz2wsx3edc",
    "password",
    "admin",
    "woaini",
    "iloveyou",
    "letmein",
    "abcdefghij",
    "jilin",
    "changchun",
    "5201314",
    "123456",
    "111111",
    "888888",
    "666666",
    "654321",
)


def password_defects(password: str, *names: str, field: str = "password") -> list[Defect]:
    """Return what is wrong with a new password; every defect at once, none if it may be used.

    Args:
        names: user name, mail address, display name: a password must not be built around them.
    """
    found = []
    if len(password) < SHORTEST:
        found.append(Defect(field, "too_short", "密码至少{n}位。", {"n": SHORTEST}))
    if len(password) > LONGEST:
        found.append(Defect(field, "too_long", "密码不能超过{n}位。", {"n": LONGEST}))
    if found:
        return found
    lower = password.lower()
    if len(set(lower)) < _LEAST_DIFFERENT or _is_run(lower):
        found.append(
            Defect(field, "too_simple", "密码过于简单：不能是重复或连续的字符，请换一个。")
        )
    if any(name in lower and _rest(lower, name) < SHORTEST // 2 for name in _parts(names)):
        found.append(
            Defect(field, "own_name", "密码不能由用户名、姓名或邮箱加几个字符组成，请换一个。")
        )
    if any(word in lower and _rest(lower, word) < SHORTEST // 2 for word in _KNOWN):
        found.append(Defect(field, "well_known", "这类密码最先被人猜到，请换一个。"))
    return found


def _parts(names: tuple[str, ...]) -> set[str]:
    lower = (name.lower() for name in names)
    return {part for name in lower for part in (name, name.split("@")[0]) if len(part) >= 4}


def _rest(password: str, word: str) -> int:
    """Return how many characters are left when the word is taken out everywhere."""
    return len(password.replace(word, ""))


def _is_run(text: str) -> bool:
    """True if every character follows the one before it, upwards or downwards, or by ten (9 to 0)."""
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    return len(steps) == 1 and abs(next(iter(steps))) <= 1
