"""The sample catalogue's interfaces and applications."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from extensions.access.models import AccessApplication, DataInterface
from extensions.access.samples import sample_applications
from portal.clock import system_clock
from portal.demo.loader import load_sample
from portal.platform import Platform
from tests.factories import SetClock


@pytest.mark.slow
def test_the_sample_has_interfaces_and_applications(
    make_platform: Callable[..., Platform], clock: SetClock
) -> None:
    clock.now = system_clock()
    platform = make_platform("sqlite")
    load_sample(platform)
    for _ in range(2):
        sample_applications(platform)
    with platform.database.reading() as session:
        states = {a.interface.api_code: a.state for a in session.scalars(select(AccessApplication))}
        codes = set(session.scalars(select(DataInterface.api_code)))
    assert states == {
        "charging-status": "approved",
        "hospital-beds": "under_review",
        "bus-arrivals": "submitted",
    }
    assert {"air-hourly", "business-register", "heat-substations"} <= codes
