"""The region facet as the tree of province, cities and counties.

Entries are indexed with their region and all above it: choosing a city finds its counties, and its
count holds theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping

from portal.codes import code_list, region_and_ancestors
from portal.web.facet_values import Value, toggled
from portal.web.paging import Pairs

TOP = ""


def region_values(
    found: Mapping[str, int],
    chosen: Collection[str],
    path: str,
    pairs: Pairs,
    text_of: Callable[[str], str],
) -> tuple[Value, ...]:
    """Return the tree of the regions that count something or are chosen, with all above them.

    Choosing a region takes the place of those chosen above and below it, which it would change
    nothing beside.
    """
    present = dict.fromkeys((*found, *chosen))
    for code in list(present):
        present.update(dict.fromkeys(region_and_ancestors(code)))
    parents: dict[str, list[str]] = defaultdict(list)
    for code in present:
        parents[_parent(code)].append(code)

    def values(above: str) -> tuple[Value, ...]:
        ordered = sorted(parents[above], key=lambda code: (-found.get(code, 0), code))
        return tuple(value(code) for code in ordered)

    def value(code: str) -> Value:
        below = values(code)
        relatives = {
            other
            for other in chosen
            if other != code
            and (other in region_and_ancestors(code) or code in region_and_ancestors(other))
        }
        return Value(
            code,
            text_of(code),
            found.get(code, 0),
            code in chosen,
            toggled(path, pairs, "region", code, instead_of=relatives),
            below,
            _parent(code) == TOP or code in chosen or any(b.chosen or b.is_open for b in below),
        )

    return values(TOP)


def _parent(code: str) -> str:
    region = code_list("regions").find(code)
    return TOP if region is None else region["parent_code"]
