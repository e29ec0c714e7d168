"""Nothing is walked past: changes that are committed late on PostgreSQL, and renamed data sets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from extensions.exchange import horizon
from portal.actor import SYSTEM
from portal.app import create_app
from portal.clock import system_clock
from portal.models.entry import get_entry
from portal.models.former_slug import FormerSlug
from portal.platform import Platform
from tests.factories import Catalogue, People, SetClock
from tests.portal.web.conftest import Site


def published(platform: Platform, session: Session) -> str:
    catalogue = Catalogue(platform, session, People(platform, session))
    slug = catalogue.published().slug
    session.flush()
    return str(slug)


def touched(platform: Platform, session: Session, slug: str) -> None:
    """Change an entry: what two agencies do at the same time."""
    catalogue = Catalogue(platform, session, People(platform, session))
    catalogue.distributions.add_link(SYSTEM, get_entry(session, slug), "https://a.example/x.csv")
    session.flush()


def names(found: dict[str, Any]) -> list[str]:
    return [one["name"] for one in found["changes"]]


@pytest.mark.postgresql
def test_a_change_that_is_committed_late_is_not_walked_past(
    make_platform: Callable[..., Platform], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(horizon, "HORIZON", timedelta(0))  # the open transaction alone holds back
    platform = make_platform("postgresql")
    platform.clock = system_clock
    client = create_app(platform).test_client()
    with platform.database.writing() as session:
        slugs = [published(platform, session) for _ in range(2)]
    known = client.get("/api/changes").get_json()
    assert names(known) == slugs
    address = f"/api/changes?cursor={known['next_cursor']}"
    since = known["settled_until"][:19] + "Z"
    listing = f"/oai?verb=ListIdentifiers&metadataPrefix=oai_dc&from={since}"
    with platform.database.writing_session() as late:
        touched(platform, late, slugs[0])  # stamped, not committed
        with platform.database.writing() as early:
            touched(platform, early, slugs[1])
        assert names(client.get(address).get_json()) == []
        assert slugs[1].encode() not in client.get(listing).data
        late.commit()
    after = client.get(address).get_json()
    assert names(after) == slugs
    assert after["settled_until"] > known["settled_until"]


@pytest.mark.postgresql
def test_what_is_seconds_old_is_handed_out_a_little_later(
    make_platform: Callable[..., Platform], clock: SetClock
) -> None:
    platform = make_platform("postgresql")
    client = create_app(platform).test_client()
    with platform.database.writing() as session:
        slug = published(platform, session)
    clock.advance(seconds=9)
    assert names(client.get("/api/changes").get_json()) == []
    clock.advance(seconds=2)
    assert names(client.get("/api/changes").get_json()) == [slug]


def test_a_former_name_leads_to_the_description_of_today(site: Site) -> None:
    slug = site.opened()

    def rename(session: Session, _catalogue: Catalogue, _people: People) -> None:
        entry = get_entry(session, slug)
        session.add(FormerSlug(slug="old-name", entry_id=entry.id, since=site.platform.clock()))

    site.change(rename)
    found = site.visitor().get("/dataset/old-name.ttl")
    assert (found.status_code, found.headers["Location"]) == (301, f"/dataset/{slug}.ttl")
