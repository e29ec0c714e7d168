"""A small public catalogue, as the pages' tests have it, whose changes are noted as they happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from extensions.exchange.changes import note_changes
from portal.app import create_app
from portal.platform import Platform
from tests.factories import Catalogue, People
from tests.portal.web.conftest import Site, visitor

__all__ = ["visitor"]


class NotingSite(Site):
    """The job that notes changes runs after each of them, as it does every minute."""

    def change(
        self, do: Callable[[Session, Catalogue, People], Any], *, settle: bool = True
    ) -> Any:
        result = super().change(do, settle=settle)
        note_changes(self.platform.database, self.platform.clock)
        return result


@pytest.fixture
def site(make_platform: Callable[..., Platform]) -> Site:
    platform = make_platform("sqlite")
    return NotingSite(platform, create_app(platform))
