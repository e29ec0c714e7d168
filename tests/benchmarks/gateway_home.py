"""A data folder whose only table has a million rows, with grants that may ask for all of it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
from sqlalchemy.orm import Session

from extensions.access.models import AccessApplication, DataInterface
from extensions.access.rules import Terms
from extensions.access.services.applications import ApplicationService
from extensions.access.services.grants import agreement_of
from extensions.access.services.interfaces import InterfaceOffer, InterfaceService
from portal.jobs.worker import Worker
from portal.models.distribution import DataVersion
from portal.platform import Platform
from portal.rules.entry_content import InformationItem
from portal.services.distributions import Upload
from portal.tables.info import TableInfo
from tests.extensions.access.conftest import REQUEST
from tests.factories import Catalogue, People, conditional_content

API_CODE = "bench-stops"
DISTRICTS = (
    "南关区",
    "宽城区",
    "朝阳区",
    "二道区",
    "绿园区",
    "双阳区",
    "九台区",
    "榆树市",
    "德惠市",
)
Item = InformationItem
ITEMS = (
    Item(1, "站点编码", "stop_code", "string", 20, primary_key=True, nullable=False),
    Item(2, "站点名称", "stop_name", "string", 100),
    Item(3, "所在区县", "district", "string", 20),
    Item(4, "日客流量", "daily_passengers", "integer"),
    Item(5, "启用日期", "opened_on", "date"),
    Item(6, "更新时间", "updated_at", "datetime"),
    Item(7, "经过线路数", "line_count", "integer"),
    Item(8, "平均候车分钟", "wait_minutes", "number", 9, precision=2),
    Item(9, "站台长度", "platform_length", "number", 9, precision=1),
    Item(10, "站点类型", "stop_kind", "string", 20),
    Item(11, "备注", "note", "string", 100),
    Item(12, "值班电话", "duty_phone", "string", 20, masking="mask_phone"),
)
FIELDS = tuple(item.field_name for item in ITEMS)
SAMPLE = """
SELECT 'JL' || lpad(i::VARCHAR, 8, '0') AS 站点编码, '第' || (i % 9973) || '公交站' AS 站点名称,
  {districts}[i % {count_districts} + 1] AS 所在区县, i * 37 % 100000 AS 日客流量,
  DATE '2005-01-01' + (i % 7000)::INTEGER AS 启用日期,
  TIMESTAMP '2026-01-01 08:00:00' + INTERVAL (i % 100000) MINUTE AS 更新时间,
  i % 23 + 1 AS 经过线路数, ((i * 13 % 6000) / 100)::DECIMAL(9, 2) AS 平均候车分钟,
  CASE WHEN i % 50 = 0 THEN NULL ELSE ((i * 7 % 900) / 10)::DECIMAL(9, 1) END AS 站台长度,
  ['首末站', '中途站', '换乘站'][i % 3 + 1] AS 站点类型,
  CASE WHEN i % 50 = 1 THEN NULL ELSE '设有候车亭和电子站牌，编组' || (i % 700) END AS 备注,
  '139' || lpad((i * 7919 % 100000000)::VARCHAR, 8, '0') AS 值班电话
FROM range({count}) AS r(i)
"""


@dataclass(frozen=True)
class Grant:
    client_id: str
    application_id: int
    secret: str


@dataclass(frozen=True)
class Home:
    grants: Sequence[Grant]
    table: TableInfo


def stop_code(number: int) -> str:
    return f"JL{number:08d}"


def fill(platform: Platform, rows: int, grants: int) -> Home:
    """Make the table of so many rows, its interface and as many grants."""
    with platform.database.writing() as session:
        people = People(platform, session)
        catalogue = Catalogue(platform, session, people)
        interface, version_id = _interface(platform, session, people, catalogue, rows)
        made = [_grant(platform, session, people, interface) for _ in range(grants)]
    Worker(platform).run_until_idle()
    with platform.database.reading() as session:
        table = session.get_one(DataVersion, version_id).table
    if table is None:
        raise RuntimeError("the table was not read")
    return Home(made, TableInfo.from_dict(table))


def _interface(
    platform: Platform, session: Session, people: People, catalogue: Catalogue, rows: int
) -> tuple[DataInterface, int]:
    place = catalogue.planned(conditional_content(items=ITEMS))
    with tempfile.NamedTemporaryFile(suffix=".csv") as file, duckdb.connect() as connection:
        sql = SAMPLE.format(count=rows, districts=list(DISTRICTS), count_districts=len(DISTRICTS))
        connection.execute(f"COPY ({sql}) TO '{file.name}' (FORMAT csv, HEADER)")
        with Path(file.name).open("rb") as source:
            stored = platform.storage.put(source)
    kept = catalogue.distributions.add_file(people.editor, place.entry, Upload(stored, "站点.csv"))
    offer = InterfaceOffer(API_CODE, FIELDS, table_distribution=kept)
    interface = InterfaceService(session, platform.clock).register(
        people.editor, place.entry, offer
    )
    catalogue.open_list.publish(people.agency_reviewer, place)
    version_id = kept.current_version_id
    assert version_id is not None
    return interface, version_id


def _grant(platform: Platform, session: Session, people: People, interface: DataInterface) -> Grant:
    """A grant as the flow makes it; then its limits are raised beyond what anybody is granted."""
    service = ApplicationService(session, platform.clock)
    applicant, reviewer = people.applicant, people.agency_reviewer
    application = service.create(applicant, interface, replace(REQUEST, fields=FIELDS))
    service.accept(reviewer, service.submit(applicant, application))
    service.approve(reviewer, application, Terms(FIELDS, 500, 1000, 90))
    new = service.issue_key(
        applicant, application, accepted=True, agreement_hash=agreement_of(application).hash
    )
    application.per_minute = application.quota_day = 10**9
    session.flush()
    return Grant(application.number, application.id, new.secret)


def revoke(platform: Platform, grant: Grant) -> None:
    with platform.database.writing() as session:
        people = People(platform, session)
        application = session.get_one(AccessApplication, grant.application_id)
        ApplicationService(session, platform.clock).revoke(
            people.agency_reviewer, application, reason="测量撤销"
        )
