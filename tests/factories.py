"""Makes the things that tests need, through the real services."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.models import (
    Account,
    CatalogueEntry,
    Distribution,
    EntryVersion,
    OpenListEntry,
    Organisation,
)
from portal.models.organisation import get_organisation
from portal.platform import Platform
from portal.rules.entry_content import EntryContent, InformationItem, LegalBasis
from portal.services.accounts import actor_of, create_account
from portal.services.distributions import DistributionService, Upload
from portal.services.entries import EntryService
from portal.services.open_list import OpenListService

BUREAU, TRANSPORT, HEALTH = "JL-BUR", "JL-TRA", "JL-HEA"
PASSWORD = "correct horse battery"
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # Tuesday, 10:00 in Jilin
_numbers = itertools.count(1)


class SetClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **parts: float) -> None:
        self.now += timedelta(**parts)


def content(**changes: Any) -> EntryContent:
    """A content that keeps every rule of profile jl-1."""
    number = next(_numbers)
    complete = EntryContent(
        title=f"吉林省城市公共汽电车线路站点信息第{number}号",
        abstract="全省九个市（州）公共汽电车线路、站点和首末班时间，供公众出行查询和企业开发使用。",
        theme="transport",
        keywords=("公交", "站点"),
        region="220000",
        format=("csv",),
        items=(
            InformationItem(
                1, "站点编码", "stop_code", "string", 20, primary_key=True, nullable=False
            ),
            InformationItem(2, "站点名称", "stop_name", "string", 100),
            InformationItem(3, "日客流量", "daily_passengers", "integer"),
        ),
        share_type="unconditional",
        share_mode=("interface",),
        open_type="unconditional",
        security_level="1",
        acquisition_method="generated",
        collection_basis=(LegalBasis("law", "中华人民共和国公路法", article="第八条"),),
        update_frequency="monthly",
        contact_name="省交通运输厅科技处",
        licence="cc-by-4.0",
    )
    return replace(complete, **changes)


def conditional_content(**changes: Any) -> EntryContent:
    return content(
        open_type="conditional",
        open_condition="申请人须具备相应的数据安全保护能力",
        open_condition_ground=("capability",),
        security_level="2",
        licence="jl-conditional-1.0",
        **changes,
    )


class People:
    """Accounts of the roles that the flows need, made once in a database."""

    def __init__(self, platform: Platform, session: Session) -> None:
        self._platform, self._session = platform, session
        self._made: dict[tuple[str, str, int], Account] = {}

    def account(self, role: str, organisation: str = "", *, number: int = 1) -> Account:
        key = (role, organisation, number)
        if key not in self._made:
            self._made[key] = self._create(role, organisation, number)
        return self._made[key]

    def _create(self, role: str, organisation: str, number: int) -> Account:
        place = get_organisation(self._session, organisation) if organisation else None
        return create_account(
            self._session,
            self._platform.clock,
            username=f"{role}-{organisation or 'none'}-{number}-{next(_numbers)}".lower(),
            password=PASSWORD,
            memberships=[(role, place)],
            applicant_kind="natural_person" if role == "applicant" else "",
            identity_verified=role == "applicant",
        )

    def actor(self, role: str, organisation: str = "", *, number: int = 1) -> Actor:
        return actor_of(self.account(role, organisation, number=number))

    @property
    def editor(self) -> Actor:
        return self.actor("agency_editor", TRANSPORT)

    @property
    def department(self) -> Actor:
        return self.actor("responsible_dept", TRANSPORT)

    @property
    def security_officer(self) -> Actor:
        return self.actor("agency_security_officer", TRANSPORT)

    @property
    def agency_reviewer(self) -> Actor:
        return self.actor("agency_reviewer", TRANSPORT)

    @property
    def bureau(self) -> Actor:
        return self.actor("bureau_reviewer", BUREAU)

    @property
    def admin(self) -> Actor:
        return self.actor("bureau_admin", BUREAU)

    @property
    def applicant(self) -> Actor:
        return self.actor("applicant")

    @property
    def stranger(self) -> Actor:
        return self.actor("agency_editor", HEALTH)


class Catalogue:
    """Entries in whatever state a test starts from, brought there by the real flow."""

    def __init__(self, platform: Platform, session: Session, people: People) -> None:
        self._platform, self._session, self._people = platform, session, people
        self.entries = EntryService(session, platform.clock)
        self.open_list = OpenListService(session, platform.clock)
        self.distributions = DistributionService(session, platform.clock)

    def organisation(self, code: str = TRANSPORT) -> Organisation:
        return get_organisation(self._session, code)

    def draft(self, given: EntryContent | None = None) -> EntryVersion:
        return self.entries.create(self._people.editor, self.organisation(), given or content())

    def submitted(self, given: EntryContent | None = None) -> EntryVersion:
        return self.entries.submit(self._people.department, self.draft(given))

    def published(self, given: EntryContent | None = None) -> CatalogueEntry:
        return self.entries.approve(self._people.bureau, self.submitted(given)).entry

    def file(
        self, entry: CatalogueEntry, data: bytes = b"", filename: str = "站点.csv"
    ) -> Distribution:
        data = (
            data or "站点编码,站点名称,日客流量\n000123,人民广场,1200\n000124,桂林路,900\n".encode()
        )
        stored = self._platform.storage.put(io.BytesIO(data))
        return self.distributions.add_file(self._people.editor, entry, Upload(stored, filename))

    def proposed(self, given: EntryContent | None = None) -> OpenListEntry:
        return self.open_list.propose(self._people.agency_reviewer, self.published(given))

    def planned(self, given: EntryContent | None = None) -> OpenListEntry:
        return self.open_list.pass_review(
            self._people.security_officer, self.proposed(given), {"confidential": "否"}
        )

    def opened(self, given: EntryContent | None = None) -> OpenListEntry:
        """A place on the open list in state `open`, with a file (unconditional) or an interface."""
        place = self.planned(given)
        if place.open_type == "conditional":
            self.distributions.add_interface(
                self._people.editor, place.entry, name="数据接口", url="/data/v1/test"
            )
        else:
            self.file(place.entry)
        return self.open_list.publish(self._people.agency_reviewer, place)
