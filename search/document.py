"""What the search index holds for one catalogue entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from search.box import Box


@dataclass(frozen=True)
class SearchDocument:
    """One catalogue entry as search sees it. Search knows labels, not roles.

    `version` rises with every request to index the entry; an engine keeps the highest one it saw.
    `labels` says who may find it: "public", "org:CODE", "bureau".
    `facets` maps a facet name of `search.facets` to the entry's codes.
    `modified` is when the record changed, `updated` when the data did (None: as `modified`).
    `area` is where the data is about, None if nobody knows.
    `stored` is handed back with each hit untouched (a JSON object; what a result list shows).
    """

    id: int
    version: int
    labels: frozenset[str]
    code: str
    title: str
    value_score: float
    created: datetime
    modified: datetime
    name: str = ""
    title_en: str = ""
    abstract: str = ""
    keywords: tuple[str, ...] = ()
    item_names: tuple[str, ...] = ()
    provider_names: tuple[str, ...] = ()
    sample_values: tuple[str, ...] = ()
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    downloads: int = 0
    area: Box | None = None
    updated: datetime | None = None
    stored: Mapping[str, Any] = field(default_factory=dict)
