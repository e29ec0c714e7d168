"""Demands in the Bureau's overview: those assigned, and those answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from extensions.participation.models.demand import DataDemand
from portal.codes import code_list
from portal.models.organisation import Organisation
from portal.services.overview import OverviewColumn, city_of

Parts = Callable[[Session], Iterable[tuple[str, str, str, int]]]
ASSIGNED: ColumnElement[bool] = DataDemand.agency_id.is_not(None) & (DataDemand.state != "merged")
ANSWERED: ColumnElement[bool] = ASSIGNED & DataDemand.answered_at.is_not(None)
FILTERS = {"organisation": "agency", "city": "region", "theme": "theme"}


def _parts(condition: ColumnElement[bool]) -> Parts:
    def parts(session: Session) -> Iterable[tuple[str, str, str, int]]:
        query = (
            select(Organisation.code, Organisation.region_code, DataDemand.theme, func.count())
            .join(Organisation, Organisation.id == DataDemand.agency_id)
            .where(condition)
            .group_by(Organisation.code, Organisation.region_code, DataDemand.theme)
        )
        return [
            (code, region, theme or "other", n) for code, region, theme, n in session.execute(query)
        ]

    return parts


def _address(kind: str) -> Callable[[str, str], str]:
    def address(by: str, code: str) -> str:
        own = {FILTERS[by]: code} if code else {}
        return "/work/demands?" + urlencode({"counted": kind, **own})

    return address


COLUMNS = (
    OverviewColumn("demands", "转办的数据需求", _parts(ASSIGNED), _address("assigned")),
    OverviewColumn("demands_answered", "已答复的需求", _parts(ANSWERED), _address("answered")),
)


def counted_conditions(given: dict[str, str]) -> list[ColumnElement[bool]]:
    """Return the conditions behind a number of the overview; none where no number was followed."""
    counted = {"assigned": ASSIGNED, "answered": ANSWERED}.get(given.get("counted", ""))
    if counted is None:
        return []
    found = [counted]
    agencies = select(Organisation.id)
    if given.get("agency"):
        found.append(DataDemand.agency_id.in_(agencies.where(Organisation.code == given["agency"])))
    if given.get("region"):
        codes = [r.code for r in code_list("regions") if city_of(r.code) == given["region"]]
        in_city = agencies.where(Organisation.region_code.in_(codes))
        found.append(DataDemand.agency_id.in_(in_city))
    if given.get("theme"):
        themes = ("", "other") if given["theme"] == "other" else (given["theme"],)
        found.append(DataDemand.theme.in_(themes))
    return found or [true()]
