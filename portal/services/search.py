"""Search the catalogue as somebody: adds the viewer's labels and what is denied just now."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.errors import Invalid, Unavailable
from portal.services.index_requests import denied_entry_ids
from search.engine import SearchEngine, SearchRefused, SearchUnavailable
from search.request import SearchRequest, SearchResult, Suggestion

PUBLIC = frozenset({"public"})
_UNAVAILABLE = "检索服务暂时不可用，请稍后重试；数据的下载不受影响。"


def search_catalogue(
    session: Session,
    engine: SearchEngine,
    request: SearchRequest,
    actor: Actor,
    *,
    include_private: bool = False,
) -> SearchResult:
    """Return what the actor may find.

    Raises:
        Unavailable: the engine does not answer; the page says so, and nothing else breaks.
        Invalid: too deep, or a cursor that is none.
    """
    labels = actor.labels if include_private else PUBLIC
    denied = denied_entry_ids(session)
    try:
        return engine.search(replace(request, excluded_ids=request.excluded_ids | denied), labels)
    except SearchUnavailable as error:
        raise Unavailable(_UNAVAILABLE) from error
    except SearchRefused as error:
        raise Invalid.one("start", "too_deep", "翻页太深或游标无效，请缩小检索范围。") from error


def suggest_entries(
    session: Session, engine: SearchEngine, typed: str, *, limit: int = 8
) -> tuple[Suggestion, ...]:
    """Return public entries whose title begins as typed; what is denied just now is left out.

    Raises:
        Unavailable: the engine does not answer.
    """
    try:
        return engine.suggest(typed, PUBLIC, limit, denied_entry_ids(session))
    except SearchUnavailable as error:
        raise Unavailable(_UNAVAILABLE) from error
