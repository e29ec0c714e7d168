"""Demands in the Bureau's overview: each number is what its link lists."""

from __future__ import annotations

from sqlalchemy import select

from extensions.participation.models import DataDemand
from extensions.participation.services.overview import COLUMNS, counted_conditions
from portal.services.overview import overview
from tests.extensions.participation.conftest import Demands


def test_assigned_and_answered_demands_are_counted_as_the_links_list_them(demands: Demands) -> None:
    demands.assigned()
    demands.planned()
    demands.file()
    session = demands.session
    for by, own in (("organisation", {"agency": "JL-TRA"}), ("theme", {"theme": "transport"})):
        rows = overview(session, demands.clock, by, COLUMNS).rows
        counted = next(row.more for row in rows if row.code in own.values())
        assert counted == {"demands": 2, "demands_answered": 1}
        for kind, number in (("assigned", 2), ("answered", 1)):
            conditions = counted_conditions({"counted": kind, **own})
            assert len(session.scalars(select(DataDemand).where(*conditions)).all()) == number
    assert "region=220100" in COLUMNS[0].address("city", "220100")
    assert counted_conditions({"agency": "JL-TRA"}) == []
