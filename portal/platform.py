"""One process's parts, wired: settings, database, search engine, storage, tables, extensions.

Web processes, workers and commands all start from here.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from portal.clock import Clock, system_clock
from portal.db import Database
from portal.extension import Extension, load_extensions
from portal.jobs.kinds import CORE_JOBS
from portal.jobs.registry import JobRegistry
from portal.services import catalogue_flow, freshness_flow, open_list_flow, supplementary_flow
from portal.services.flow import FLOWS
from portal.services.search_counts import SearchCounts
from portal.services.search_names import install_search_names
from portal.settings import Settings
from portal.storage import open_storage
from portal.storage.base import Storage
from portal.tables.cache import TableCache
from search.elasticsearch_layout import IndexLayout
from search.engine import SearchEngine
from search.engines import open_engine

CORE_FLOWS = (
    catalogue_flow.BINDING,
    open_list_flow.BINDING,
    freshness_flow.BINDING,
    supplementary_flow.BINDING,
)


@dataclass
class Platform:
    """The parts that a request, a job or a command works with."""

    settings: Settings
    clock: Clock
    database: Database
    engine: SearchEngine
    storage: Storage
    tables: TableCache
    extensions: tuple[Extension, ...]
    jobs: JobRegistry
    searches: SearchCounts
    download_slots: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(6)
    )

    def close(self) -> None:
        self.searches.close()
        self.tables.close()
        self.engine.close()
        self.database.dispose()


def open_platform(settings: Settings, *, clock: Clock = system_clock) -> Platform:
    """Wire the parts.

    Raises:
        TableError: a transition row is not bound to a guard; nothing starts.
        ExtensionError: an enabled extension cannot be found.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    for binding in CORE_FLOWS:
        FLOWS.add(binding)
    extensions = load_extensions(settings.extensions)
    jobs = JobRegistry()
    for kind in (*CORE_JOBS, *(job for extension in extensions for job in extension.jobs)):
        jobs.add(kind)
    storage = open_storage(
        settings.effective_storage_url,
        endpoint_url=settings.s3_endpoint_url,
        cache_folder=settings.cache_folder / "files",
    )
    database = Database(settings.effective_database_url)
    install_search_names(settings)
    return Platform(
        settings=settings,
        clock=clock,
        database=database,
        engine=open_engine(
            settings.search_url,
            settings.search_folder,
            layout=IndexLayout(
                settings.search_shards, settings.search_replicas, settings.search_refresh
            ),
        ),
        storage=storage,
        tables=TableCache(
            settings.cache_folder / "tables", storage, max_bytes=settings.table_cache_bytes
        ),
        extensions=extensions,
        jobs=jobs,
        searches=SearchCounts(database, clock, settings.secret_key),
    )
