"""Flow F17, 数据需求 (Measures, art. 27, 28, 29): guards and words."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.participation.models.demand import DataDemand, has_voted
from extensions.participation.rules import NO_GROUNDS, DemandText, demand_defects
from portal.clock import local_date
from portal.codes import code_list
from portal.errors import GuardRefused
from portal.models.entry import CatalogueEntry
from portal.models.open_list import OpenListEntry
from portal.models.organisation import Organisation
from portal.rules.transitions import read_transitions
from portal.services.flow import Attempt, FlowBinding, Organisations, Persons
from portal.services.guards import reason_given, refuse

FLOW = "data_demand"
TABLE = read_transitions(Path(__file__).parent / "data" / "transitions.csv")
PLANNING = ("proposed", "planned")


def text_of(demand: DataDemand) -> DemandText:
    return DemandText(demand.title, demand.purpose, demand.wanted, demand.theme)


def find_place(session: Session, entry_id: int | None, *states: str) -> OpenListEntry | None:
    """Return the entry's place on its agency's open list, if it is in one of the states."""
    return session.scalars(
        select(OpenListEntry).where(
            OpenListEntry.entry_id == entry_id, OpenListEntry.state.in_(states)
        )
    ).first()


def is_open(session: Session, entry: CatalogueEntry | None) -> bool:
    """True while the entry can be had: published, and open on its agency's list."""
    return (
        entry is not None and entry.is_public and find_place(session, entry.id, "open") is not None
    )


def complete_and_similar_shown(attempt: Attempt) -> None:
    """What, why and the wanted fields are given; what is similar was shown to the filer."""
    themes = (theme.code for theme in code_list("themes"))
    defects = demand_defects(text_of(attempt.subject), themes)
    if defects:
        raise GuardRefused(defects)
    if not attempt.facts.get("similar_shown"):
        raise refuse("", "similar", "请先看看下面相近的数据和需求，没有您要的再提交。")


def verified_first_vote(attempt: Attempt) -> None:
    """A real-name verified account, once, on a demand that the public sees."""
    demand: DataDemand = attempt.subject
    if not attempt.actor.identity_verified:
        raise refuse("", "not_verified", "支持数据需求前，请先完成实名认证。")
    if not demand.is_shown:
        raise refuse("", "not_shown", "该需求还没有公开，不能支持。")
    if has_voted(attempt.session, demand.id, attempt.actor.account_id):
        raise refuse("", "voted", "您已经支持过这条需求，每人一票。")


def agency_named(attempt: Attempt) -> None:
    agency = attempt.facts.get("agency")
    if not isinstance(agency, Organisation) or agency.kind == "bureau":
        raise refuse("agency", "missing", "请选择办理单位。")


def same_as_another(attempt: Attempt) -> None:
    """Another demand that lives or was answered; never itself, never one that was merged."""
    target, demand = attempt.facts.get("target"), attempt.subject
    if not isinstance(target, DataDemand) or target.id == demand.id:
        raise refuse("target", "missing", "请填写另一条需求的编号。")
    if target.state == "merged" or not target.is_shown:
        raise refuse("target", "ended", "编号为{number}的需求已并入其他需求或没有公开。",
                     number=target.number)  # fmt: skip


def own_planned_opening(attempt: Attempt) -> None:
    """A place on the agency's own open list, with a day that has not passed."""
    place, day = attempt.facts.get("place"), attempt.facts.get("planned_on")
    if not isinstance(place, OpenListEntry) or place.state not in PLANNING:
        raise refuse("entry", "missing", "请选择本单位开放清单中计划开放的数据。")
    if place.entry.provider_id != attempt.subject.agency_id:
        raise refuse("entry", "foreign", "只能选择本单位开放清单中的数据。")
    if day is None or day < local_date(attempt.now):
        raise refuse("planned_on", "past", "请填写今天或以后的计划开放日期。")


def open_entry_named(attempt: Attempt) -> None:
    entry = attempt.facts.get("entry")
    if not isinstance(entry, CatalogueEntry) or not is_open(attempt.session, entry):
        raise refuse("entry", "not_open", "请填写已经开放的数据的代码或网址名称。")


def no_ground_and_reason(attempt: Attempt) -> None:
    if attempt.facts.get("ground") not in NO_GROUNDS:
        raise refuse("ground", "missing", "请选择不能开放的依据。")
    reason_given(attempt)


def entry_is_open(attempt: Attempt) -> None:
    if not is_open(attempt.session, attempt.subject.entry):
        raise refuse("entry", "not_open", "该数据还没有开放。")


def _organisations(demand: DataDemand) -> Organisations:
    return {"agency": frozenset({demand.agency_id} if demand.agency_id is not None else ())}


def _persons(demand: DataDemand) -> Persons:
    return {"filer": frozenset({demand.author_id})}


BINDING = FlowBinding(
    flow=FLOW,
    model=DataDemand,
    rows=TABLE,
    guards={
        "complete_and_similar_shown": complete_and_similar_shown,
        "verified_first_vote": verified_first_vote,
        "agency_named": agency_named,
        "same_as_another": same_as_another,
        "own_planned_opening": own_planned_opening,
        "open_entry_named": open_entry_named,
        "no_ground_and_reason": no_ground_and_reason,
        "entry_is_open": entry_is_open,
    },
    organisations=_organisations,
    persons=_persons,
    title=lambda demand: demand.title,
    link=lambda demand: f"/demands/{demand.id}",
    entry_id=lambda demand: demand.entry_id,
    name="数据需求",
    event_labels={
        "file": "提出需求",
        "vote": "支持",
        "assign": "转交办理单位",
        "merge": "并入相同需求",
        "answer_planned": "答复：计划开放",
        "answer_exists": "答复：已有开放数据",
        "answer_no": "答复：不能开放",
        "fulfil": "数据已开放",
    },
    state_labels={
        "open": "待转交",
        "assigned": "办理中",
        "planned": "计划开放",
        "answered": "已满足",
        "declined": "不能开放",
        "merged": "已并入",
    },
    stamps={
        "file": "filed_at",
        "assign": "assigned_at",
        "answer_planned": "answered_at",
        "answer_exists": "answered_at",
        "answer_no": "answered_at",
        "fulfil": "answered_at",
    },
)
