"""Reads pages as a visitor does: links with their words, and what would run."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser

SKIPPED = {"script", "style"}


@dataclass(frozen=True)
class Link:
    href: str
    text: str


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[Link] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._href: str | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag == "a":
            self._href, self._text = values.get("href") or "", []

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._href is not None:
            self.links.append(Link(self._href, " ".join("".join(self._text).split())))
            self._href = None

    def handle_data(self, data: str) -> None:
        if self._href is not None:
            self._text.append(data)


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


def links(page: str) -> list[Link]:
    return _read(page).links


def active_parts(page: str) -> list[str]:
    """Return what could run in a browser and is not ours: elements, handlers, addresses."""
    found = []
    for tag, attributes in _read(page).tags:
        if tag == "script" and not attributes.get("nonce"):
            found.append("script without nonce")
        if tag in ("iframe", "object", "embed", "base", "style", "math"):
            found.append(tag)
        for name, value in attributes.items():
            address = "".join((value or "").split()).lower()
            if name.startswith("on") or name == "style":
                found.append(f"{tag} {name}")
            if name in ("href", "src", "action", "formaction") and address.startswith(
                ("javascript:", "data:", "vbscript:")
            ):
                found.append(f"{tag} {name}={address}")
    return found
