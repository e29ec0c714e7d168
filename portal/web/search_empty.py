"""What a page without results says: what was tried, and how to ask for the data."""

from __future__ import annotations

from flask_babel import gettext

from portal.extension import SearchOffer
from portal.web.asked import Asked
from portal.web.context import actor, platform, session
from search.request import SearchResult
from search.words import analyse, everyday

_SHOWN = 8


def tried_ways(asked: Asked, found: SearchResult) -> list[str]:
    """Return, as sentences, how the words were read before nothing was found."""
    if not asked.words:
        return []
    words = analyse(asked.words).required
    synonyms = dict.fromkeys(form for word in words for form in word.synonyms)
    reading = everyday(asked.words)
    official = dict.fromkeys(t for terms in reading.meanings for t in terms) if reading else {}
    tried = [gettext("逐词查找：%(words)s", words=_list(word.text for word in words))]
    if synonyms:
        tried.append(gettext("同义词：%(words)s", words=_list(synonyms)))
    if official:
        tried.append(gettext("正式名称：%(words)s", words=_list(official)))
    if found.correction:
        tried.append(gettext("其他写法：%(words)s", words=found.correction.used))
    elif not asked.as_typed:
        tried.append(gettext("拼音、错别字和部分词语：没有相近的数据"))
    return tried


def _list(words: object) -> str:
    found = list(words)  # type: ignore[call-overload]
    return str(gettext("、").join(found[:_SHOWN])) + ("…" if len(found) > _SHOWN else "")


def data_requests(words: str) -> list[SearchOffer]:
    """Return what extensions offer to somebody who found nothing (a prefilled data request)."""
    offers = (
        offer(session(), actor(), words)
        for extension in platform().extensions
        for offer in extension.empty_search_offers
    )
    return [offer for offer in offers if offer is not None]
