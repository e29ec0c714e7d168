"""Deliveries with and without sensitive content, brought where a test starts by the real jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from extensions.quality.models import TableScan
from extensions.quality.models.scan import find_scan
from extensions.quality.services.sensitive import Decision, SensitiveReview
from portal.jobs.worker import Worker
from portal.models import CatalogueEntry
from portal.models.distribution import Distribution, get_distribution
from portal.models.entry import get_entry
from portal.platform import Platform
from portal.rules.entry_content import EntryContent
from portal.storage.local import LocalStorage
from portal.tables.info import TableInfo
from portal.tables.reader import read_table
from portal.tables.store import build_table
from tests.factories import TRANSPORT, Catalogue, People

ID_NUMBER = "220102199003070013"  # its check digit is right
CANARY_PHONE = "13844445555"
ROWS = (
    "站点编码,站点名称,日客流量,身份证号,手机\n"
    f"000123,人民广场,1200,{ID_NUMBER},{CANARY_PHONE}\n"
    "000124,桂林路,900,220102198512120029,13844446666\n"
    "000125,红旗街,1500,220102197001010034,13844447777\n"
    "000126,重庆路,1100,220102196505050043,13844448888\n"
)


@pytest.fixture
def database_kind() -> str:
    """What is asked here differs in nothing between databases; the flow's tests name both."""
    return "sqlite"


@pytest.fixture
def look(tmp_path: Path) -> Callable[[str], tuple[TableInfo, Path]]:
    """Return (table, Parquet) of a CSV text."""
    storage = LocalStorage(tmp_path / "tables")

    def parsed(text: str) -> tuple[TableInfo, Path]:
        file = tmp_path / "table.csv"
        file.write_text(text, encoding="utf-8")
        with read_table(file, filename=file.name) as table:
            info = build_table(table, storage)
        return info, Path(storage.local_path(info.parquet_sha256))

    return parsed


@dataclass
class Delivered:
    """An open entry whose only file holds `ROWS`, looked at by the worker."""

    platform: Platform
    slug: str
    public_id: str

    def scan(self, session: Session) -> TableScan:
        distribution = get_distribution(session, self.public_id)
        assert distribution.current_version is not None
        found = find_scan(session, distribution.current_version.id)
        assert found is not None
        return found

    def distribution(self, session: Session) -> Distribution:
        return get_distribution(session, self.public_id)

    def entry(self, session: Session) -> CatalogueEntry:
        return get_entry(session, self.slug)

    def decide(self, treatments: Mapping[str, str], reason: str = "已核对来源授权") -> None:
        """Let the security officer decide, and the worker apply it."""
        with self.platform.database.writing() as session:
            scan = self.scan(session)
            officer = People(self.platform, session).security_officer
            decisions = {name: Decision(one, reason) for name, one in treatments.items()}
            SensitiveReview(session, self.platform.clock).decide(
                officer, scan, decisions, sha256=scan.sha256
            )
        Worker(self.platform).run_until_idle()


Deliver = Callable[..., Delivered]


@pytest.fixture
def deliver(platform: Platform) -> Deliver:
    """Return a maker of open entries with one file: `deliver(text, content)`."""

    def make(
        text: str | bytes = ROWS, given: EntryContent | None = None, name: str = "站点.csv"
    ) -> Delivered:
        with platform.database.writing() as session:
            people = People(platform, session)
            catalogue = Catalogue(platform, session, people)
            place = catalogue.planned(given)
            distribution = catalogue.file(
                place.entry, text if isinstance(text, bytes) else text.encode(), name
            )
            catalogue.open_list.publish(people.agency_reviewer, place)
            made = Delivered(platform, place.entry.slug, distribution.public_id)
        Worker(platform).run_until_idle()
        return made

    return make


__all__ = ["CANARY_PHONE", "ID_NUMBER", "ROWS", "TRANSPORT", "Deliver", "Delivered"]
