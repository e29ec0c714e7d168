"""Page numbers: read from an address, and the links between pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from portal.errors import Invalid

PAGE_MAX = 1_000_000
AROUND = 2

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Paging:
    """Page `number` of a list of `total` things, `size` on each page.

    `path` and `pairs` are the list's own address; `name` is the parameter of the page number.
    """

    number: int
    size: int
    total: int
    path: str
    pairs: Pairs = ()
    name: str = "page"
    anchor: str = ""

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def start(self) -> int:
        return (self.number - 1) * self.size

    @property
    def shown(self) -> list[int | None]:
        """Return the page numbers to link; None stands for a gap."""
        near = range(max(1, self.number - AROUND), min(self.pages, self.number + AROUND) + 1)
        wanted = sorted({1, self.pages, *near})
        numbers: list[int | None] = []
        for n in wanted:
            if numbers and numbers[-1] != n - 1:
                numbers.append(None)
            numbers.append(n)
        return numbers

    def url(self, number: int) -> str:
        pairs = [(k, v) for k, v in self.pairs if k != self.name]
        if number != 1:
            pairs.append((self.name, str(number)))
        return address(self.path, pairs, self.anchor)


def address(path: str, pairs: Pairs, anchor: str = "") -> str:
    query = f"?{urlencode(pairs)}" if pairs else ""
    return path + query + (f"#{anchor}" if anchor else "")


def page_number(args: Mapping[str, str], name: str = "page", most: int = PAGE_MAX) -> int:
    """Return the page number of an address, from 1; 1 where it has none.

    Raises:
        Invalid: it is no whole number from 1 to `most`.
    """
    text = args.get(name, "").strip()
    if not text:
        return 1
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
        raise Invalid.one(
            name,
            "out_of_range",
            "页码“{value}”不对，应为 1 到 {most} 的整数。",
            value=text[:20],
            most=most,
        )
    return int(text)
