"""Demands in whatever state a test starts from, and signed-in browsers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from extensions.participation.models import DataDemand
from extensions.participation.models.moderated import SHOWN
from extensions.participation.rules import DemandText
from extensions.participation.services.demands import DemandService, Similar
from portal.actor import Actor
from portal.app import create_app
from portal.models import CatalogueEntry, OpenListEntry
from portal.models.organisation import get_organisation
from portal.platform import Platform
from tests.factories import PASSWORD, TRANSPORT, Catalogue, People, SetClock

TEXT = DemandText(
    "全省农村客运班线时刻", "做一个返乡换乘查询小程序", "线路、站点、发车时刻", "transport"
)


@pytest.fixture
def database_kind() -> str:
    """Most of what is asked here differs in nothing between databases; votes name both."""
    return "sqlite"


@dataclass
class Demands:
    """Brings a demand to a state by its own events."""

    session: Session
    clock: SetClock
    people: People
    catalogue: Catalogue

    @property
    def service(self) -> DemandService:
        return DemandService(self.session, self.clock)

    @property
    def voter(self) -> Actor:
        return self.people.actor("applicant", number=2)

    def file(self, entry: CatalogueEntry | None = None, *, shown: bool = True) -> DataDemand:
        demand = self.service.file(
            self.people.applicant, TEXT, similar=Similar(), seen=(), entry=entry
        )
        if shown:
            demand.review = SHOWN
        return demand

    def assigned(self) -> DataDemand:
        demand = self.file()
        self.service.vote(self.voter, demand)
        agency = get_organisation(self.session, TRANSPORT)
        self.service.assign(self.people.bureau, demand, agency)
        return demand

    def planned(self) -> tuple[DataDemand, OpenListEntry]:
        demand, place = self.assigned(), self.catalogue.planned()
        day = self.clock().date()
        self.service.answer_planned(self.people.agency_reviewer, demand, place, day)
        return demand, place

    def at(self, state: str) -> DataDemand:
        if state == "planned":
            return self.planned()[0]
        return self.file() if state == "open" else self.assigned()


@pytest.fixture
def demands(session: Session, clock: SetClock, people: People, catalogue: Catalogue) -> Demands:
    return Demands(session, clock, people, catalogue)


@dataclass
class Site:
    """A committed open data set, and browsers of several people."""

    platform: Platform
    slug: str
    entry_id: int
    names: dict[str, str]

    def __post_init__(self) -> None:
        self.app = create_app(self.platform)

    def browser(self, who: str = "") -> Browser:
        client = self.app.test_client()
        if who:
            sign_in(client, self.names[who])
        return Browser(client)


@dataclass
class Browser:
    client: FlaskClient

    def page(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        return answer.get_data(as_text=True)

    def submit(self, path: str, form_page: str | None = None, **fields: Any) -> Any:
        """Post as the form on `form_page` would: with its token and its key."""
        html = self.client.get(form_page or path).get_data(as_text=True)
        found = re.search(r'name="csrf_token" value="([^"]+)"', html)
        assert found, form_page or path
        key = re.search(r'name="key" value="([^"]+)"', html)
        given = {"csrf_token": found[1], "key": key[1] if key else "", **fields}
        return self.client.post(path, data=given)


def sign_in(client: FlaskClient, username: str) -> None:
    html = client.get("/login").get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found
    form = {"username": username, "password": PASSWORD, "csrf_token": found[1]}
    assert client.post("/login", data=form).status_code in (302, 303)


MakeSite = Callable[..., Site]


@pytest.fixture
def site(make_platform: Callable[..., Platform]) -> Site:
    platform = make_platform("sqlite")
    with platform.database.writing() as session:
        people = People(platform, session)
        entry = Catalogue(platform, session, people).opened().entry
        names = {
            "alice": people.account("applicant").username,
            "bob": people.account("applicant", number=2).username,
            "editor": people.account("agency_editor", TRANSPORT).username,
            "stranger": people.account("agency_editor", "JL-HEA").username,
            "bureau": people.account("bureau_reviewer", "JL-BUR").username,
        }
        return Site(platform, entry.slug, entry.id, names)
