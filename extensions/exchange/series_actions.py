"""Series in the Action API. CKAN has no word for them; the names are those of ckanext-dataset-series."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from extensions.exchange.models.series import (
    DatasetSeries,
    SeriesMember,
    find_series,
    public_members,
)
from portal.api.action import Action, Call
from portal.api.inputs import ById, Page
from portal.errors import NotFound
from portal.models.entry import CatalogueEntry
from portal.services.public_entries import IS_PUBLIC
from portal.web.access import Access

MOST = 1000


def series_list(call: Call, given: Page) -> list[dict[str, Any]]:
    """Return the series that have public data sets. limit (at most 1000), offset."""
    shown = (
        select(SeriesMember.series_id)
        .join(CatalogueEntry, CatalogueEntry.id == SeriesMember.entry_id)
        .where(*IS_PUBLIC)
    )
    rows = call.session.scalars(
        select(DatasetSeries)
        .where(DatasetSeries.id.in_(shown))
        .order_by(DatasetSeries.id)
        .offset(given.offset)
        .limit(MOST if given.limit is None else min(given.limit, MOST))
    )
    return [_facts(one) for one in rows]


def series_show(call: Call, given: ById) -> dict[str, Any]:
    """Return a series by its id, with its public data sets in their order."""
    found = find_series(call.session, given.id)
    if found is None:
        raise NotFound("没有这个数据系列。")
    members = public_members(call.session, found.id)
    return {
        **_facts(found),
        "datasets": [
            {"id": one.entry.public_id, "name": one.entry.slug, "label": one.label}
            for one in members
        ],
    }


def _facts(series: DatasetSeries) -> dict[str, Any]:
    return {
        "id": series.public_id,
        "title": series.title,
        "notes": series.description,
        "cut_by": series.cut_by,
        "organization": series.organisation.slug,
    }


ACTIONS = (
    Action("series_list", Access.PUBLIC, series_list, Page),
    Action("series_show", Access.PUBLIC, series_show, ById),
)
