"""What the helpers of a rebuild share: modules and dictionaries, loaded before they are forked."""

from __future__ import annotations

import gc
from datetime import UTC, datetime

from sqlalchemy.orm import configure_mappers

import portal.commands.rebuild_beside  # noqa: F401 - loaded for the helpers
from search.document import SearchDocument
from search.fields import indexed_text, sort_keys

_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
# The segmenter and the pinyin tables load at their first use.
_SAMPLE = SearchDocument(
    0, 0, frozenset(), "0", "吉林省公交线路", 0.0, _MOMENT, _MOMENT, title_en="bus routes"
)
indexed_text(_SAMPLE)
sort_keys(_SAMPLE)
configure_mappers()
gc.freeze()  # or the first collection in each helper would copy all of it
