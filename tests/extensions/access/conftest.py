"""Grants in whatever state a test starts from, brought there by the real flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from extensions.access.models import AccessApplication, DataInterface
from extensions.access.rules import UNDERTAKINGS, Request, Terms
from extensions.access.services.applications import ApplicationService
from extensions.access.services.grants import agreement_of
from extensions.access.services.interfaces import InterfaceOffer, InterfaceService
from portal.actor import Actor
from portal.app import create_app
from portal.jobs.worker import Worker
from portal.platform import Platform
from portal.rules.entry_content import InformationItem
from portal.services.deadlines import list_open_deadlines
from tests.extensions.access.sandbox_fixtures import box_document, open_box  # noqa: F401
from tests.factories import Catalogue, People, SetClock, conditional_content

ITEMS = (
    InformationItem(1, "站点编码", "stop_code", "string", 20, primary_key=True, nullable=False),
    InformationItem(2, "站点名称", "stop_name", "string", 100),
    InformationItem(3, "日客流量", "daily_passengers", "integer"),
    InformationItem(4, "启用日期", "opened_on", "date"),
    InformationItem(5, "值班电话", "duty_phone", "string", 20, masking="mask_phone"),
    InformationItem(6, "负责人", "keeper", "string", 20, masking="drop"),
    InformationItem(7, "内部标记", "internal_flag", "string", 10, open=False),
)
OFFERED = ("stop_code", "stop_name", "daily_passengers", "opened_on", "duty_phone")
ASKED = ("stop_code", "stop_name", "daily_passengers", "duty_phone")
DATA = (
    "站点编码,站点名称,日客流量,启用日期,值班电话,负责人,内部标记\n"
    "000123,人民广场,1200,2019-03-01,13912345678,张三丰,甲\n"
    "000124,桂林路,900,2020-05-06,13987654321,李四,乙\n"
    "000125,红旗街,1500,2021-07-08,,王五,丙\n"
    "000126,=cmd(),,2022-09-10,13700001111,赵六,丁\n"
)
REQUEST = Request(
    purpose="研究公交站点客流分布，改进换乘方案",
    scenario="在城市交通研究平台中展示站点客流热力图",
    fields=ASKED,
    volume_a_day=500,
    term_days=180,
    capability="数据保存在境内机房的加密数据库中，专人管理，按等级保护二级防护",
    undertakings=tuple(UNDERTAKINGS),
    storage="境内机房的加密数据库，期满后三十日内删除",
    field_reasons={"duty_phone": "核对站点值班安排"},
)
TERMS = Terms(
    fields=("stop_code", "stop_name", "duty_phone"), quota_day=100, per_minute=10, term_days=90
)


@dataclass
class Grants:
    """Makes interfaces and applications in one writing session."""

    platform: Platform
    session: Session
    people: People
    catalogue: Catalogue

    def __post_init__(self) -> None:
        clock = self.platform.clock
        self.applications = ApplicationService(self.session, clock)
        self.interfaces = InterfaceService(self.session, clock)

    @property
    def applicant(self) -> Actor:
        return self.people.applicant

    @property
    def reviewer(self) -> Actor:
        return self.people.agency_reviewer

    def interface(self, api_code: str = "bus-stops", **changes: Any) -> DataInterface:
        """An interface on an entry that is open conditionally, with its table's file."""
        items, data = changes.pop("items", ITEMS), changes.pop("data", DATA)
        place = self.catalogue.planned(conditional_content(items=items))
        file = self.catalogue.file(place.entry, data.encode())
        values = {"api_code": api_code, "fields": OFFERED, "table_distribution": file, **changes}
        offer = InterfaceOffer(**values)
        interface = self.interfaces.register(self.people.editor, place.entry, offer)
        self.catalogue.open_list.publish(self.reviewer, place)
        return interface

    def draft(self, request: Request = REQUEST, **changes: Any) -> AccessApplication:
        return self.applications.create(
            self.applicant, self.interface(), replace(request, **changes)
        )

    def submitted(self) -> AccessApplication:
        return self.applications.submit(self.applicant, self.draft())

    def correction_needed(self) -> AccessApplication:
        return self.applications.request_correction(
            self.reviewer,
            self.submitted(),
            [
                {"field": "purpose", "text": "请写明研究项目"},
                {"field": "", "text": "请说明保存期限"},
            ],
        )

    def under_review(self) -> AccessApplication:
        return self.applications.accept(self.reviewer, self.submitted())

    def approved(self, terms: Terms = TERMS) -> AccessApplication:
        return self.applications.approve(self.reviewer, self.under_review(), terms)

    def active(self, terms: Terms = TERMS) -> AccessApplication:
        return self.with_secret(terms)[0]

    def with_secret(self, terms: Terms = TERMS) -> tuple[AccessApplication, str]:
        application = self.approved(terms)
        new = self.applications.issue_key(
            self.applicant,
            application,
            accepted=True,
            agreement_hash=agreement_of(application).hash,
        )
        return application, new.secret

    def suspended(self) -> AccessApplication:
        application = self.active()
        self.applications.suspend(self.reviewer, application, reason="调用异常")
        return application

    def in_state(self, state: str) -> AccessApplication:
        return getattr(self, state)()

    def pass_deadline(self, application: AccessApplication, clock: SetClock) -> None:
        """Move the clock behind the last day of the duty that runs."""
        self.session.flush()
        due = max(
            d.due_on
            for d in list_open_deadlines(self.session, "access_application", application.id)
        )
        clock.advance(days=(due - clock.now.date()).days + 1)


@pytest.fixture
def grants(platform: Platform, session: Session, people: People, catalogue: Catalogue) -> Grants:
    return Grants(platform, session, people, catalogue)


@dataclass
class Served:
    """A committed grant with its table parsed, and a client of the application."""

    platform: Platform
    application_id: int
    interface_id: int
    entry_id: int
    secret: str
    client: FlaskClient
    reviewer: Actor
    applicant: Actor
    bureau: Actor

    def get(self, path: str = "", *, secret: str | None = None, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.secret if secret is None else secret}"}
        headers.update(options.pop("headers", {}))
        return self.client.get(f"/data/v1/bus-stops{path}", headers=headers, **options)

    def change(self, act: Callable[[ApplicationService, AccessApplication], Any]) -> Any:
        """Let a service act on the grant in a transaction of its own."""
        with self.platform.database.writing() as session:
            application = session.get(AccessApplication, self.application_id)
            return act(ApplicationService(session, self.platform.clock), application)


@pytest.fixture
def serve() -> Callable[..., Served]:
    """Return a maker: `serve(platform, terms)` commits a grant and parses its table."""

    def make(platform: Platform, terms: Terms = TERMS, **interface: Any) -> Served:
        with platform.database.writing() as session:
            people = People(platform, session)
            grants = Grants(platform, session, people, Catalogue(platform, session, people))
            made = grants.interface(**interface)
            grants.interface = lambda: made  # type: ignore[method-assign]
            application, secret = grants.with_secret(terms)
            values = (application.id, made.id, made.entry_id, secret)
            actors = (grants.reviewer, grants.applicant, people.bureau)
        Worker(platform).run_until_idle()
        return Served(platform, *values, create_app(platform).test_client(), *actors)

    return make


@pytest.fixture
def served(platform: Platform, serve: Callable[..., Served]) -> Served:
    return serve(platform)
