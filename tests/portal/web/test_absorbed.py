"""The address of a city's entry that the province took in leads to the provincial one."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from portal.models.entry import get_entry
from portal.models.former_slug import remember_slug
from portal.services.supplementary import SupplementaryService
from tests.cities import City
from tests.portal.web.conftest import Site


@pytest.fixture
def slugs(site: Site) -> tuple[str, str]:
    """The slugs of an absorbed entry and of the one that absorbed it."""

    def do(session, catalogue, people):  # type: ignore[no-untyped-def]
        clock = site.platform.clock
        city, service = (
            City(session, clock, people),
            SupplementaryService(session, clock, site.platform.engine),
        )
        version = service.create(city.editor, city.organisation(), city.content())
        service.publish(city.authority, service.submit(city.editor, version), {})
        provincial = catalogue.published()
        service.absorb(people.bureau, version, provincial)
        return version.entry.slug, provincial.slug

    found: tuple[str, str] = site.change(do, settle=False)
    return found


def test_the_page_moves_for_good(site: Site, visitor: FlaskClient, slugs: tuple[str, str]) -> None:
    own, provincial = slugs
    moved = visitor.get(f"/dataset/{own}")
    assert (moved.status_code, moved.location) == (301, f"/dataset/{provincial}")
    assert visitor.get(moved.location).status_code == 200
    described = visitor.get(f"/dataset/{own}.ttl")
    assert (described.status_code, described.location) == (301, f"/dataset/{provincial}.ttl")

    def rename(session, _catalogue, _people):  # type: ignore[no-untyped-def]
        remember_slug(session, get_entry(session, provincial), "taken-in", site.platform.clock())

    site.change(rename, settle=False)
    assert visitor.get(f"/dataset/{own}").location == "/dataset/taken-in"


def test_what_hung_on_it_is_gone_and_names_the_provincial_entry(
    visitor: FlaskClient, slugs: tuple[str, str]
) -> None:
    own, provincial = slugs
    gone = visitor.get(f"/dataset/{own}/history")
    assert gone.status_code == 410
    assert "并入省级目录" in gone.text
    shown = visitor.get("/api/3/action/package_show", query_string={"id": own})
    assert shown.status_code == 404
    error = shown.get_json()["error"]
    assert error["__type"] == "Not Found Error"
    assert error["absorbed_by"] == provincial
    assert "并入省级目录" in error["message"]


def test_another_retired_entry_stays_gone(site: Site, visitor: FlaskClient) -> None:
    slug = str(site.change(lambda _s, catalogue, _p: catalogue.published().slug, settle=False))
    site.retire(slug, "停止采集", settle=False)
    assert visitor.get(f"/dataset/{slug}").status_code == 410
    error = visitor.get("/api/3/action/package_show", query_string={"id": slug}).get_json()["error"]
    assert "absorbed_by" not in error
