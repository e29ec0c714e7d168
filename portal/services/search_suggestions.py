"""What to offer while somebody types: data sets, themes, organisations, and what others found.

Only what anybody may see is offered, as it stands now: titles come from the index less what is
denied at the moment, and past searches only if their words still find something public.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import ANONYMOUS
from portal.clock import Clock, local_date
from portal.codes import code_list
from portal.models.entry import CatalogueEntry
from portal.models.organisation import Organisation
from portal.services.organisations import count_published
from portal.services.search import search_catalogue, suggest_entries
from portal.services.search_counts import proven_searches
from search import analysis
from search.engine import SearchEngine
from search.pinyin import title_starts
from search.request import SearchRequest, Suggestion
from search.suggestions import beginnings

LIMIT = 8
MOST_NAMES, MOST_SEARCHES = 2, 3
KEPT_SECONDS = 300.0  # how long a process offers the same names and past searches
_TYPED_MAX = 40


class Kind(StrEnum):
    DATASET = "dataset"
    THEME = "theme"
    ORGANISATION = "organisation"
    SEARCH = "search"


@dataclass(frozen=True)
class Offered:
    """`code` is that of the theme or organisation, or an entry's slug; empty for a search."""

    kind: Kind
    text: str
    code: str = ""


@dataclass(frozen=True)
class _Named:
    offered: Offered
    starts: tuple[str, ...]  # as of titles: t: text, p: pinyin, i: initials


class Suggester:
    """The suggestions of one process; keeps names and past searches for some minutes."""

    def __init__(self, clock: Clock, timer: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._timer = timer
        self._lock = threading.Lock()
        self._made_at = float("-inf")
        self._names: tuple[_Named, ...] = ()
        self._searches: tuple[_Named, ...] = ()

    def suggest(self, session: Session, engine: SearchEngine, typed: str) -> list[Offered]:
        """Return at most `LIMIT` offers, of each kind the best.

        Raises:
            Unavailable: the engine does not answer.
        """
        starts = beginnings(typed)
        if not starts:
            return []
        names, searches = self._known(session)
        named = _beginning(names, starts)[:MOST_NAMES]
        past = [
            one
            for one in _beginning(searches, starts)[:MOST_SEARCHES]
            if analysis.exact_key(one.text) != analysis.exact_key(typed)
            and _still_finds(session, engine, one.text)
        ]
        room = LIMIT - len(named) - len(past)
        entries = suggest_entries(session, engine, typed[:_TYPED_MAX], limit=room)
        offered = _public(session, entries)
        titles = {one.text for one in offered}
        return [*(one for one in past if one.text not in titles), *offered, *named]

    def _known(self, session: Session) -> tuple[tuple[_Named, ...], tuple[_Named, ...]]:
        with self._lock:
            if self._timer() - self._made_at >= KEPT_SECONDS:
                self._names = tuple(_names(session))
                today = local_date(self._clock())
                self._searches = tuple(
                    _Named(Offered(Kind.SEARCH, words), tuple(title_starts(words)))
                    for words in proven_searches(session, today)
                )
                self._made_at = self._timer()
            return self._names, self._searches


def _names(session: Session) -> Iterable[_Named]:
    for theme in code_list("themes"):
        yield _Named(Offered(Kind.THEME, theme.name, theme.code), tuple(title_starts(theme.name)))
    # Only who has published something: others would be an empty page, or nobody's business.
    rows = session.execute(
        select(Organisation.code, Organisation.name, Organisation.short_name)
        .where(Organisation.id.in_(count_published(session)))
        .order_by(Organisation.code)
    )
    for code, name, short in rows:
        starts = (*title_starts(name), *(title_starts(short) if short else ()))
        yield _Named(Offered(Kind.ORGANISATION, name, code), starts)


def _beginning(named: Iterable[_Named], starts: tuple[str, ...]) -> list[Offered]:
    return [one.offered for one in named if any(s.startswith(starts) for s in one.starts)]


def _still_finds(session: Session, engine: SearchEngine, words: str) -> bool:
    """Say whether all the words still stand in an entry that anybody may see."""
    asked = SearchRequest(words, rows=0, as_typed=True, thesaurus=False)
    found = search_catalogue(session, engine, asked, ANONYMOUS)
    return found.total > 0 and not found.relaxed


def _public(session: Session, suggestions: Sequence[Suggestion]) -> list[Offered]:
    """Return the entries that are public in the database too, with their names in addresses."""
    entry = CatalogueEntry
    rows = session.execute(
        select(entry.id, entry.slug).where(
            entry.id.in_([one.id for one in suggestions]),
            entry.published_version_id.is_not(None),
            entry.retired_at.is_(None),
        )
    )
    slugs = {row.id: row.slug for row in rows}
    return [
        Offered(Kind.DATASET, one.title, slugs[one.id]) for one in suggestions if one.id in slugs
    ]
