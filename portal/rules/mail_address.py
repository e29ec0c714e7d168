"""What counts as a mail address or a mobile number; what may stand in a line of a mail's head."""

from __future__ import annotations

import re

LONGEST = 254
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"({_LOCAL})@((?:{_LABEL}\.)+[A-Za-z][A-Za-z0-9-]{{0,61}}[A-Za-z0-9])", re.A)
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})", re.A)


def clean_address(text: str) -> str | None:
    """Return the address in lower case; None if it is none that we write to.

    One plain address only: no name before it, no list, no quoting, no line break, so that it can
    never become a second recipient or another line of the head.
    """
    text = text.strip().lower()
    found = _ADDRESS.fullmatch(text)
    if found is None or len(text) > LONGEST or len(found[1]) > 64:
        return None
    return text


def clean_mobile(text: str) -> str | None:
    """Return a mainland mobile number as 11 digits; None if it is none."""
    found = _MOBILE.fullmatch(re.sub(r"[\s-]", "", text))
    return found[1] if found else None


def masked_mobile(mobile: str) -> str:
    """Return a number as pages show it: 138****5555."""
    return f"{mobile[:3]}****{mobile[-4:]}" if len(mobile) == 11 else ""


def head_line(text: str, longest: int = 150) -> str:
    """Return the text as one line: control characters and line breaks become spaces."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(plain.split())[:longest]
