"""The catalogue in the languages of the world's open-data tools: DCAT, data.json, OAI-PMH, feeds.

Everything here is made from the public CKAN packages that the indexer keeps, and shows what
everybody may see, whoever asks.
"""

from __future__ import annotations

from pathlib import Path

from extensions.exchange.changes import run_changes
from extensions.exchange.dumps.making import run_dump
from extensions.exchange.series import series_extras
from extensions.exchange.series_actions import ACTIONS
from extensions.exchange.web import ckan_addresses, dumps, series
from extensions.exchange.web.feeds import blueprint as feeds
from extensions.exchange.web.harvesting import blueprint as harvesting
from extensions.exchange.web.linked_data import blueprint as linked_data
from portal.extension import Extension, NavigationItem
from portal.jobs.registry import JobKind

extension = Extension(
    name="exchange",
    routes=(dumps.pages, series.pages, series.work_pages),
    apis=(linked_data, feeds, harvesting, dumps.blueprint, ckan_addresses.blueprint),
    jobs=(
        JobKind("catalogue_dump", run_dump, cron="30 4 * * *"),
        JobKind("catalogue_changes", run_changes, cron="* * * * *"),
    ),
    extras=(series_extras,),
    panels=(series.series_panel,),
    actions=ACTIONS,
    navigation=(NavigationItem("数据系列", "exchange_series_work.listed", "work", icon="layers"),),
    migrations=Path(__file__).parent / "migrations",
)
