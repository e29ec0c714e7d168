"""One value of a facet, and the address that chooses it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from portal.web.paging import Pairs, address


@dataclass(frozen=True)
class Value:
    """Its link chooses it, or takes it away again if chosen; `below` are parts of it, `is_open`
    says that they are worth seeing at once."""

    code: str
    text: str
    count: int
    chosen: bool
    url: str
    below: tuple[Value, ...] = ()
    is_open: bool = False


def toggled(
    path: str, pairs: Pairs, name: str, code: str, *, instead_of: Collection[str] = ()
) -> str:
    """Return the address with the value added, or taken away; on the first page again.

    `instead_of` are values of the same facet that the added one takes the place of.
    """
    kept = [(k, v) for k, v in pairs if k not in ("page", "explain")]
    if (name, code) in kept:
        kept.remove((name, code))
    else:
        kept = [(k, v) for k, v in kept if k != name or v not in instead_of]
        kept.append((name, code))
    return address(path, kept)
