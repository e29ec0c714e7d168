"""A served grant with its sandbox, and a sandbox key of an account that was granted nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from extensions.access.services.sandbox_keys import SandboxKeyService
from extensions.access.services.sandboxes import watch_sandboxes
from portal.actor import Actor
from portal.jobs.worker import Worker
from portal.platform import Platform
from tests.factories import People

if TYPE_CHECKING:
    from tests.extensions.access.conftest import Served


@dataclass
class Box:
    """A served grant, its sandbox, and a key that another account made."""

    served: Served
    secret: str
    key_id: int
    owner: Actor

    def get(self, path: str = "/rows", *, secret: str | None = None, **options: Any) -> Any:
        return self.served.get(path, secret=self.secret if secret is None else secret, **options)


def make_sandboxes(platform: Platform) -> None:
    watch_sandboxes(platform, {})
    Worker(platform).run_until_idle()


@pytest.fixture
def open_box(serve: Callable[..., Served]) -> Callable[..., Box]:
    def make(platform: Platform, **interface: Any) -> Box:
        served = serve(platform, **interface)
        make_sandboxes(platform)
        with platform.database.writing() as session:
            owner = People(platform, session).actor("applicant", number=5)
            new = SandboxKeyService(session, platform.clock).make(owner)
            return Box(served, new.secret, new.key.id, owner)

    return make


@pytest.fixture
def box_document() -> dict[str, object]:
    """An OpenAPI document that nobody wrote by hand for the programs made from it."""
    rows = {"type": "array", "items": {"$ref": "#/components/schemas/Well"}}
    answer = {"properties": {"items": rows, "following": {"type": "string", "format": "uri"}}}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Page"}}}
    get = {
        "operationId": "rows",
        "parameters": [{"name": "limit", "in": "query", "schema": {"default": 40}}],
        "responses": {"200": {"content": content}},
    }
    return {
        "servers": [{"url": "https://data.example.cn"}],
        "paths": {"/data/v1/wells/rows": {"get": get}},
        "components": {"schemas": {"Page": answer, "Well": {"properties": {"depth": {}}}}},
    }
