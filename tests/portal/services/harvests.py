"""A platform with harvest sources on a replay server, and what the tests ask of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Connection, event, func, select
from sqlalchemy.orm import Session

from portal.actor import SYSTEM
from portal.db import Base
from portal.jobs.harvests import run_in_foreground
from portal.models import CatalogueEntry, HarvestRun, HarvestSource
from portal.models.harvest import get_run, get_source
from portal.models.organisation import get_organisation
from portal.platform import Platform
from portal.services.harvest_lease import take_lease
from portal.services.harvest_report import ReportLine, report_lines
from portal.services.harvest_run import no_progress
from portal.services.harvest_sources import SourceService
from portal.services.harvesting import HarvestService
from portal.services.source_secrets import SourceSecrets
from tests.factories import TRANSPORT
from tests.harvesters.packages import package
from tests.harvesters.replay import CkanCatalogue, ReplayServer

QUICK = {"attempts": 2, "backoff_seconds": 0.01}
WRITTEN_BY_RUNS = {"harvest_run", "harvest_item", "job"}


def file(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"file-{number:04}-a",
        "name": f"文件 {number}",
        "url": f"https://data.example.cn/{number}.csv",
        "format": "CSV",
        "description": "",
        **changes,
    }


def open_packages(count: int) -> list[dict[str, Any]]:
    """Packages that anyone can download, with a theme and an update frequency."""
    return [
        package(
            number,
            resources=[file(number)],
            groups=[{"name": "transport"}],
            extras=[{"key": "frequency", "value": "monthly"}],
            license_id="cc-by-4.0",
        )
        for number in range(count)
    ]


class Harvests:
    """Sources of one replay server; each `run` goes to its end in this process."""

    def __init__(self, platform: Platform, server: ReplayServer) -> None:
        self.platform = platform
        self.server = server

    def add(
        self,
        packages: list[dict[str, Any]],
        name: str = "city",
        *,
        trusted: bool = True,
        organisation: str = TRANSPORT,
        **options: Any,
    ) -> CkanCatalogue:
        """Serve the packages at a path of their own, as a CKAN source of this name."""
        catalogue = CkanCatalogue(packages)
        self.server.on(f"/{name}/api/action/package_search", catalogue)
        self.add_source(
            name, f"{self.server.url}/{name}", trusted=trusted, organisation=organisation, **options
        )
        return catalogue

    def add_source(
        self,
        name: str,
        url: str,
        *,
        kind: str = "ckan",
        trusted: bool = True,
        organisation: str = TRANSPORT,
        schedule: str = "",
        **options: Any,
    ) -> None:
        with self.platform.database.writing() as session:
            secrets = SourceSecrets(self.platform.settings.secret_key)
            SourceService(session, self.platform.clock, secrets).add(
                SYSTEM,
                get_organisation(session, organisation),
                name=name,
                kind=kind,
                url=url,
                trusted=trusted,
                schedule=schedule,
                options={**QUICK, **options},
            )

    def start(self, name: str = "city") -> int:
        with self.platform.database.writing() as session:
            service = HarvestService(session, self.platform.clock)
            return service.start(SYSTEM, get_source(session, name)).id

    def run(self, name: str = "city") -> HarvestRun:
        return self.go_on(self.start(name))

    def go_on(self, run_id: int) -> HarvestRun:
        with self.platform.database.writing() as session:
            lease = take_lease(session, self.platform.clock, get_run(session, run_id))
        assert lease is not None
        run_in_foreground(self.platform, run_id, lease, no_progress)
        with self.platform.database.reading() as session:
            return get_run(session, run_id)

    def lines(self, run: HarvestRun, *states: str) -> list[ReportLine]:
        with self.platform.database.reading() as session:
            return list(report_lines(session, run.id, states=frozenset(states)))

    def entries(self, name: str = "city") -> dict[str, CatalogueEntry]:
        """Return remote id -> entry, with its published version loaded."""
        with self.platform.database.reading() as session:
            source = get_source(session, name)
            query = select(CatalogueEntry).where(CatalogueEntry.source_id == source.id)
            found = {str(entry.remote_id): entry for entry in session.scalars(query)}
            for entry in found.values():
                _ = entry.published_version
            return found

    def source(self, name: str = "city") -> HarvestSource:
        with self.platform.database.reading() as session:
            return get_source(session, name)


def totals(run: HarvestRun) -> dict[str, int]:
    """Return the counts of a run without zeros."""
    return {state: n for state, n in run.counts.items() if n and state != "live"}


def count_rows(session: Session) -> dict[str, int]:
    """Return the number of rows of every table but those that hold the run itself."""
    tables = [t for t in Base.metadata.sorted_tables if t.name not in WRITTEN_BY_RUNS]
    return {t.name: session.scalar(select(func.count()).select_from(t)) or 0 for t in tables}


class Writes:
    """Counts the writing statements by table while it is in force."""

    def __init__(self, platform: Platform) -> None:
        self._engine = platform.database.engine
        self.tables: Counter[str] = Counter()

    def __enter__(self) -> Writes:
        event.listen(self._engine, "before_cursor_execute", self._count)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._count)

    def _count(self, _connection: Connection, _cursor: Any, statement: str, *_rest: object) -> None:
        words = statement.split()
        place = {"INSERT": 2, "UPDATE": 1, "DELETE": 2}.get(words[0].upper())
        if place is not None:
            self.tables[words[place].strip('"')] += 1
