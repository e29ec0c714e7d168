"""What entries are offered while somebody types: those whose title goes on as typed."""

from __future__ import annotations

from search import analysis
from search.clauses import AllOf, AnyOf, Clause, Not, Prefix, Term, Terms
from search.fields import ID, LABELS, STARTS
from search.pinyin import FIRST, plain_sound, without_tones

_LONGEST = 40  # characters; nobody types more before choosing
_MOST_RUNS = 6


def beginnings(typed: str) -> tuple[str, ...]:
    """Return the values of `search.pinyin.title_starts` that begin as typed begin with one of these.

    Nothing when no letter or digit was typed. Spaces, case, width, traditional characters, tones
    and ü make no difference.
    """
    plain = without_tones(analysis.exact_key(typed[: 4 * _LONGEST])).replace(" ", "")[:_LONGEST]
    if not plain:
        return ()
    sound = plain_sound(plain)
    return tuple(dict.fromkeys((f"t:{plain}", f"p:{sound}", f"i:{plain}")))


def suggestion_clause(
    typed: str, labels: frozenset[str], excluded_ids: frozenset[int]
) -> Clause | None:
    """Return what a suggestion must fulfil; None when nothing was typed."""
    starts = beginnings(typed)
    if not starts:
        return None
    plain = starts[0].removeprefix("t:")
    if len(plain) == 1:  # so many titles have a word that begins so that each keeps it as a whole
        return visible(Terms(STARTS, (FIRST + plain,)), labels, excluded_ids)
    ways: list[Clause] = [Prefix(STARTS, start) for start in starts]
    inside = _inside(typed)
    return visible(AnyOf((*ways, inside) if inside else tuple(ways)), labels, excluded_ids)


def _inside(typed: str) -> Clause | None:
    """Return what holds of a title with all that was typed in it, wherever, the last word begun."""
    plain = without_tones(analysis.normalise(typed[:_LONGEST]))
    parts: list[Clause] = []
    for run, is_cjk in list(analysis.runs(plain))[:_MOST_RUNS]:
        if is_cjk:
            parts += [Term("title", token) for token in analysis.bigrams(run) or [run]]
        else:
            sounds = (Prefix(STARTS, f"p:{plain_sound(run)}"), Prefix(STARTS, f"i:{run}"))
            parts.append(AnyOf((Term("title", analysis.stem(run)), *sounds)))
    return AllOf((), filters=tuple(parts)) if parts else None


def visible(clause: Clause, labels: frozenset[str], excluded_ids: frozenset[int]) -> Clause:
    """Return the clause for one viewer, without what is denied just now."""
    hidden = (Not(Terms(ID, tuple(sorted(excluded_ids)))),) if excluded_ids else ()
    return AllOf((), filters=(clause, Terms(LABELS, tuple(sorted(labels))), *hidden))
