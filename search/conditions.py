"""Conditions on an entry, as neutral clauses: what a boolean question is put together from.

`SearchRequest.where` takes any of them, joined by `AllOf`, `AnyOf` and `Not` as deep as
`search.query.DEEPEST_NESTING`. Only these functions know the fields of the index.
"""

from __future__ import annotations

from collections.abc import Iterable

from search import analysis
from search.box import Box, steps
from search.clauses import (
    AllOf,
    AnyOf,
    Best,
    Boost,
    Clause,
    Everything,
    Not,
    Prefix,
    Range,
    Term,
    Terms,
    Text,
)
from search.engine import SearchRefused
from search.facets import FACETS
from search.fields import CODE, DATES, ID, TEXT_BOOSTS, instant
from search.request import DateRange

EVERYTHING: Clause = Everything()
NOTHING: Clause = Not(Everything())


def any_of(parts: Iterable[Clause]) -> Clause:
    found = tuple(parts)
    return found[0] if len(found) == 1 else AnyOf(found) if found else NOTHING


def all_of(parts: Iterable[Clause]) -> Clause:
    found = tuple(parts)
    return found[0] if len(found) == 1 else AllOf(found) if found else EVERYTHING


def in_facet(name: str, codes: Iterable[str]) -> Clause:
    """Any of the codes of a facet. No code matches nothing.

    Raises:
        SearchRefused: there is no such facet.
    """
    if name not in FACETS:
        raise SearchRefused(f"unknown facet {name!r}")
    return Terms(FACETS[name].field, tuple(codes))


def facet_begins(name: str, beginning: str = "") -> Clause:
    """Any code of a facet that begins so; without a beginning, any code at all.

    Raises:
        SearchRefused: there is no such facet.
    """
    if name not in FACETS:
        raise SearchRefused(f"unknown facet {name!r}")
    return Prefix(FACETS[name].field, beginning)


def within(span: DateRange) -> Clause:
    """Raises: SearchRefused for a field that is no date."""
    if span.field not in DATES:
        raise SearchRefused(f"unknown range field {span.field!r}")
    start = None if span.start is None else instant(span.start)
    end = None if span.end is None else instant(span.end)
    return EVERYTHING if start is None and end is None else Range(span.field, start, end)


def overlaps(box: Box) -> Clause:
    """The entry's area and the box have a point in common; an entry without area has none."""
    return AllOf(
        (),
        filters=(
            Range("west", None, steps(box.east) + 1),
            Range("east", steps(box.west), None),
            Range("south", None, steps(box.north) + 1),
            Range("north", steps(box.south), None),
        ),
    )


def has_words(typed: str) -> Clause:
    """Every word of what somebody typed, in whichever field."""
    return Text(typed)


def in_field(field: str, typed: str, *, beginning: bool = False) -> Clause:
    """Every piece of a text in one text field; with `beginning` the last word may go on.

    Raises:
        SearchRefused: there is no such text field.
    """
    if field not in TEXT_BOOSTS:
        raise SearchRefused(f"unknown text field {field!r}")
    runs = list(analysis.runs(analysis.normalise(typed)))
    parts: list[Clause] = []
    for place, (run, is_cjk) in enumerate(runs):
        if is_cjk:
            parts += [Term(field, token) for token in analysis.bigrams(run) or [run]]
        elif beginning and place == len(runs) - 1:
            parts.append(AnyOf((Prefix(field, run), Term(field, analysis.stem(run)))))
        else:
            parts.append(Term(field, analysis.stem(run)))
    return all_of(parts) if parts else NOTHING


def has_code(codes: Iterable[str]) -> Clause:
    """Exactly one of the resource codes or names."""
    return Terms(CODE, tuple(codes))


def code_begins(beginning: str) -> Clause:
    return Prefix(CODE, beginning)


def has_id(ids: Iterable[int]) -> Clause:
    return Terms(ID, tuple(ids))


def depth_of(clause: Clause) -> int:
    """Return how deep the clauses are nested; one without parts is 1 deep."""
    deepest, level = 0, [clause]
    while level:
        deepest += 1
        level = [part for one in level for part in _parts_of(one)]
    return deepest


def _parts_of(clause: Clause) -> tuple[Clause, ...]:
    match clause:
        case AllOf(parts, hopes, filters):
            return (*parts, *hopes, *filters)
        case AnyOf(parts) | Best(parts):
            return parts
        case Not(part) | Boost(part):
            return (part,)
        case _:
            return ()
