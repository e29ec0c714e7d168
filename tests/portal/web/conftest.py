"""A small catalogue behind the public pages, and a visitor without an account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from portal.app import create_app
from portal.jobs.worker import Worker
from portal.models.entry import CatalogueEntry, get_entry
from portal.models.open_list import OpenListEntry
from portal.platform import Platform
from portal.services.entry_view import FileView, view_entry
from tests.factories import Catalogue, People, conditional_content, content

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}
ROWS = "站点编码,站点名称,日客流量,启用日期\n" + "".join(
    f"{n:06d},第{n}站,{n * 10},2025-{n % 12 + 1:02d}-01\n" for n in range(1, 61)
)


@dataclass
class Site:
    """A platform, its application, and what a test does with them."""

    platform: Platform
    app: Flask

    def visitor(self) -> FlaskClient:
        client = self.app.test_client()
        client.environ_base["HTTP_USER_AGENT"] = BROWSER["User-Agent"]
        return client

    def change(
        self, do: Callable[[Session, Catalogue, People], Any], *, settle: bool = True
    ) -> Any:
        """Run a change in a transaction of its own, and let the worker catch up."""
        with self.platform.database.writing() as session:
            people = People(self.platform, session)
            result = do(session, Catalogue(self.platform, session, people), people)
        if settle:
            Worker(self.platform).run_until_idle()
        return result

    def retire(self, slug: str, reason: str, *, settle: bool = True) -> None:
        def do(session: Session, catalogue: Catalogue, people: People) -> None:
            entry = get_entry(session, slug)
            catalogue.entries.retire(people.bureau, entry, reason=reason, consequences_shown=True)

        self.change(do, settle=settle)

    def opened(
        self, data: bytes = ROWS.encode(), filename: str = "公交站点.csv", **changes: Any
    ) -> str:
        """Publish and open an unconditional entry with one file; return its slug."""

        def do(session: Session, catalogue: Catalogue, people: People) -> str:
            place: OpenListEntry = catalogue.planned(content(**changes))
            catalogue.file(place.entry, data, filename)
            catalogue.open_list.publish(people.agency_reviewer, place)
            return place.entry.slug

        return str(self.change(do))

    def conditional(self, **changes: Any) -> str:
        return str(
            self.change(
                lambda session, catalogue, people: self._with_file(
                    catalogue, catalogue.published(conditional_content(**changes))
                )
            )
        )

    def _with_file(self, catalogue: Catalogue, entry: CatalogueEntry) -> str:
        catalogue.file(entry, ROWS.encode(), "床位.csv")
        return entry.slug

    def files(self, slug: str) -> list[FileView]:
        with self.platform.database.reading() as session:
            entry = get_entry(session, slug)
            version = entry.published_version
            assert version is not None
            return list(view_entry(session, entry, version).files)


@pytest.fixture
def site(make_platform: Callable[..., Platform]) -> Site:
    platform = make_platform("sqlite")
    return Site(platform, create_app(platform))


@pytest.fixture
def visitor(site: Site) -> FlaskClient:
    return site.visitor()
