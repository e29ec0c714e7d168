"""What citizens say and what officials call it: expressions met inside a longer query.

An expression is pieces that must all be there, in any order and with anything between them
(看病 … 报销), so that 的, 怎么, 哪里 or 能 are no hindrance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from search import analysis

_MOST_MEANINGS = 3
_MOST_OFFICIAL = 6
_SURE = 3  # a piece so long is met even where the segmenter sees no word begin or end


@dataclass(frozen=True)
class Expression:
    """`pieces`: each is a choice of words (孩子/小孩), one of which must be there.

    `number` is its place among the expressions.
    """

    number: int
    pieces: tuple[tuple[str, ...], ...]
    official: tuple[str, ...]


@dataclass(frozen=True)
class Meaning:
    """Official terms for a part of a query; `covered` are the characters it explains."""

    official: tuple[str, ...]
    covered: frozenset[int]


def pieces_of(expression: str, stop_words: frozenset[str]) -> tuple[tuple[str, ...], ...]:
    """Return the pieces of an expression: given by spaces, else its words.

    A word of one character stays with its neighbour (上户口), a stop word is left out.
    """
    if " " in expression:
        return tuple(
            tuple(choice for choice in piece.split("/") if choice)
            for piece in expression.split(" ")
            if piece.strip("/")
        )
    words: list[str] = []
    for run, is_cjk in analysis.runs(expression):
        words += analysis.cut(run) if is_cjk else [run]
    kept = [word for word in words if word not in stop_words] or words
    if any(len(word) == 1 for word in kept) or len(kept) == 1:
        return ((expression,),)
    return tuple((word,) for word in kept)


def _edges(plain: str) -> tuple[set[int], set[int]]:
    """Return where words may begin and end."""
    begins, ends = set[int](), set[int]()
    at = 0
    for run, is_cjk in analysis.runs(plain):
        at = plain.index(run, at)
        words = analysis.cut_with_parts(run) if is_cjk else [(run, 0)]
        for word, start in words:
            begins.add(at + start)
            ends.add(at + start + len(word))
        # A guessed word may swallow the end of one (失业 金能领): look at the known ones too.
        for word in analysis.cut(run, guess=False) if is_cjk else ():
            begins.add(at)
            at += len(word)
            ends.add(at)
        at += 0 if is_cjk else len(run)
    return begins, ends


def _places(plain: str, piece: str, begins: set[int], ends: set[int]) -> Iterator[int]:
    at = plain.find(piece)
    while at >= 0:
        if len(piece) >= _SURE or (at in begins and at + len(piece) in ends):
            yield at
        at = plain.find(piece, at + 1)


def _cover(
    plain: str, expression: Expression, begins: set[int], ends: set[int]
) -> frozenset[int] | None:
    """Return the characters the pieces stand on; None if one is missing."""
    covered: set[int] = set()
    for choices in expression.pieces:
        found = next(
            (
                (at, choice)
                for choice in choices
                for at in _places(plain, choice, begins, ends)
                if at not in covered
            ),
            None,
        )
        if found is None:
            return None
        covered.update(range(found[0], found[0] + len(found[1])))
    return frozenset(covered)


def by_first_character(expressions: Iterable[Expression]) -> dict[str, tuple[Expression, ...]]:
    """Return the expressions by the characters their first piece may begin with."""
    found: dict[str, dict[Expression, None]] = {}
    for expression in expressions:
        for choice in expression.pieces[0]:
            found.setdefault(choice[0], {})[expression] = None
    return {character: tuple(each) for character, each in found.items()}


def meanings(plain: str, expressions: Mapping[str, tuple[Expression, ...]]) -> tuple[Meaning, ...]:
    """Return what a normalised query means, the expressions that explain most of it first.

    `expressions` are those of `by_first_character`. One that explains something which a longer
    one explains already is left out.
    """
    near = {
        expression
        for character in dict.fromkeys(plain)
        for expression in expressions.get(character, ())
        if all(any(choice in plain for choice in piece) for piece in expression.pieces)
    }
    if not near:
        return ()
    begins, ends = _edges(plain)
    found: dict[frozenset[int], dict[str, None]] = {}
    for expression in sorted(near, key=lambda each: each.number):
        covered = _cover(plain, expression, begins, ends)
        if covered is not None:
            found.setdefault(covered, {}).update(dict.fromkeys(expression.official))
    accepted: list[Meaning] = []
    explained: set[int] = set()
    for covered in sorted(found, key=lambda each: (-len(each), min(each))):
        if covered & explained or not found[covered]:
            continue
        accepted.append(Meaning(tuple(found[covered])[:_MOST_OFFICIAL], covered))
        explained |= covered
    return tuple(accepted[:_MOST_MEANINGS])
