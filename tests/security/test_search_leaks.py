"""No result, count, suggestion, correction or explanation tells of what its reader may not open.

Entries come, go and change their names at random, with the index at random moments behind; after
each change every reader asks every way of searching. Each entry has two secrets: one is asked
for, the other must not be in the answer (nor the first, where it was typed wrongly).
"""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.app import create_app
from portal.jobs.worker import Worker
from portal.models.entry import CatalogueEntry, get_version
from portal.platform import Platform
from portal.services.accounts import create_token
from tests.factories import BUREAU, HEALTH, TRANSPORT, Catalogue, People, content

FACETS = json.dumps(["tags", "organization", "groups", "res_format", "jl_region"])


@dataclass
class Kept:
    """An entry as the test knows it. `asked` and `secret` are the two words of its title."""

    entry_id: int
    version_id: int
    asked: str
    secret: str
    state: str = "draft"
    old: list[str] = field(default_factory=list)


class World:
    """A portal whose entries change, and readers of four kinds."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.client: FlaskClient = create_app(platform).test_client()
        self.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0"
        self.entries: list[Kept] = []
        self._chance = random.Random(17)
        with platform.database.writing() as session:
            self._people = People(platform, session)
            roles = {
                "editor": ("agency_editor", TRANSPORT),
                "stranger": ("agency_editor", HEALTH),
                "bureau": ("bureau_reviewer", BUREAU),
            }
            self.tokens = {"visitor": ""}
            for name, role in roles.items():
                account = self._people.account(*role)
                self.tokens[name] = create_token(session, platform.clock, account)
            for name in ("department", "bureau", "editor"):
                getattr(self._people, name)

    def word(self) -> str:
        """Return three rare characters that stand in no other title."""
        return "".join(chr(self._chance.randrange(0x5600, 0x9F00)) for _ in range(3))

    def act(self, do: Callable[[Catalogue], Any]) -> Any:
        with self.platform.database.writing() as session:
            return do(Catalogue(self.platform, session, self._people))

    def draft(self) -> None:
        asked, secret = self.word(), self.word()
        version = self.act(lambda c: c.draft(_about(asked, secret)))
        self.entries.append(Kept(version.entry_id, version.id, asked, secret))

    def publish(self, one: Kept) -> None:
        def do(catalogue: Catalogue) -> None:
            version = get_version(catalogue._session, one.version_id)
            catalogue.entries.submit(self._people.department, version)
            catalogue.entries.approve(self._people.bureau, version)

        self.act(do)
        one.state = "public"

    def retire(self, one: Kept) -> None:
        def do(catalogue: Catalogue) -> None:
            entry = catalogue._session.get_one(CatalogueEntry, one.entry_id)
            catalogue.entries.retire(
                self._people.bureau, entry, reason="停止", consequences_shown=True
            )

        self.act(do)
        one.state = "retired"

    def rename(self, one: Kept) -> None:
        asked, secret = self.word(), self.word()

        def do(catalogue: Catalogue) -> None:
            entry = catalogue._session.get_one(CatalogueEntry, one.entry_id)
            version = catalogue.entries.revise(self._people.department, entry)
            catalogue.entries.save(self._people.editor, version, _about(asked, secret))
            catalogue.entries.submit(self._people.department, version)
            catalogue.entries.approve(self._people.bureau, version)

        self.act(do)
        one.old += [one.secret]
        one.asked, one.secret = asked, secret

    def index(self) -> None:
        Worker(self.platform).run_until_idle()

    def get(self, path: str, token: str = "", **query: Any) -> str:
        headers = {"Authorization": token} if token else {}
        answer = self.client.get(path, query_string=query, headers=headers)
        assert answer.status_code == 200, (path, query, answer.status_code)
        return answer.text


def _about(asked: str, secret: str) -> Any:
    return content(
        title=f"{asked}{secret}统计",
        keywords=(secret,),
        abstract=f"关于{secret}的统计，" + "按月汇总。" * 5,
    )


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["draft", "publish", "publish", "retire", "rename", "index"]),
        st.integers(0, 100),
    ),
    min_size=3,
    max_size=6,
)


def _step(world: World, act: str, number: int) -> None:
    needed = {"publish": "draft", "retire": "public", "rename": "public"}
    if act == "index":
        return world.index()
    fitting = [one for one in world.entries if one.state == needed.get(act)]
    if not fitting:
        return world.draft()
    return getattr(world, act)(fitting[number % len(fitting)])  # type: ignore[no-any-return]


def _begin(world: World) -> None:
    """A public entry, one that is no more while the index says it is, and a draft."""
    for _ in range(3):
        world.draft()
    world.publish(world.entries[0])
    world.publish(world.entries[1])
    world.index()
    world.retire(world.entries[1])


def _check_all(world: World, most: int) -> None:
    for one in world.entries[-most:]:
        for reader, token in world.tokens.items():
            inside = one.state == "draft" and reader in ("editor", "bureau")
            _check_api(world, one, token, may_see=one.state == "public" or inside)
        _check_pages(world, one, may_see=one.state == "public")


def _check_api(world: World, one: Kept, token: str, *, may_see: bool) -> None:
    shared = {"facet.field": FACETS, "explain": 1, "include_private": "true"}
    for query in (
        {"q": one.asked},
        {"q": one.asked[:2] + "测"},
        {"q": f"title:{one.asked} OR tags:{one.asked}"},
        {"fq": f"title:{one.asked[:2]}*"},
        {"q": "", "sort": "metadata_modified desc", "rows": 100},
    ):
        text = world.get("/api/3/action/package_search", token, **shared, **query)
        _holds_nothing_old(text, one)
        if not may_see:
            assert one.secret not in text, query
            if query.get("q") == one.asked:
                result = json.loads(text)["result"]
                assert result["count"] == 0
                assert not any(result["facets"].values())
    if not may_see:
        for query in ({"q": one.asked}, {"q": one.asked[:1]}):
            assert one.secret not in world.get("/api/3/action/package_autocomplete", token, **query)
        assert one.secret not in world.get("/api/3/action/tag_list", token)


def _check_pages(world: World, one: Kept, *, may_see: bool) -> None:
    mistyped = one.asked[:2] + "测"
    for path, query in (
        ("/dataset", {"q": one.asked, "explain": "1"}),
        ("/dataset", {"q": mistyped}),
        ("/dataset", {"q": f"{one.asked} 统计", "since": "2020-01-01", "bbox": "120,40,132,47"}),
        ("/dataset", {"sort": "title"}),
        ("/search/suggest", {"q": one.asked[:1]}),
        ("/search/suggest", {"q": one.asked}),
    ):
        text = world.get(path, **query)
        _holds_nothing_old(text, one)
        if not may_see:
            assert one.secret not in text, (path, query)
            if query.get("q") == mistyped:
                assert one.asked not in text, "no correction tells it"


def _holds_nothing_old(text: str, one: Kept) -> None:
    assert not any(old in text for old in one.old), "a name that is no more"


ENGINES = ["tantivy", pytest.param("elasticsearch", marks=pytest.mark.elasticsearch)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ENGINES)
def test_nobody_learns_of_what_they_may_not_open(
    make_platform: Callable[..., Platform], request: pytest.FixtureRequest, kind: str
) -> None:
    embedded = kind == "tantivy"
    server = "" if embedded else request.getfixturevalue("elasticsearch_url")
    url = f"{server}/?index=leaks-{secrets.token_hex(4)}" if server else ""
    world = World(make_platform("sqlite", search_url=url))

    _begin(world)
    _check_all(world, 3)

    @settings(
        max_examples=3 if embedded else 1,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(STEPS)
    def run(steps: list[tuple[str, int]]) -> None:
        for act, number in steps:
            _step(world, act, number)
        _check_all(world, 4 if embedded else 1)

    run()
