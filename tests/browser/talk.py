"""What people said and asked, in every state, for pages that are looked at in a browser."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from extensions.participation.models.comment import COMMENT, QUESTION
from extensions.participation.models.demand import DataDemand
from extensions.participation.models.moderated import SHOWN
from extensions.participation.rules import NO_GROUNDS, DemandText, ReuseText
from extensions.participation.services.comments import answer_question, rate_entry, write_comment
from extensions.participation.services.demands import DemandService, Similar
from extensions.participation.services.follows import follow_entry
from extensions.participation.services.reuses import file_reuse
from portal.actor import Actor
from portal.models.entry import get_entry
from portal.models.organisation import get_organisation
from portal.platform import Platform
from portal.services.accounts import actor_of
from tests.factories import TRANSPORT, Catalogue, People

TITLES = {
    "open": "公共体育场馆开放时间和收费标准",
    "assigned": "全省农村客运班线时刻和票价" + "以及很长很长的说明" * 6,
    "planned": "城市公共充电桩分布",
    "answered": "公交站点的位置",
    "declined": "个人出行轨迹明细",
    "waiting": "等待审核的需求",
}


@dataclass(frozen=True)
class Talk:
    """Who took part: usernames of an applicant, of another without anything, and of the Bureau."""

    demands: dict[str, int]
    reuse: int
    applicant: str
    newcomer: str
    bureau: str


def talk_about(platform: Platform, slug: str) -> Talk:
    """Let people talk about an open data set; demands in each state, a reuse, answers."""
    with platform.database.writing() as session:
        people = People(platform, session)
        demands = _demands(platform, session, people, slug)
        reuse = _said(platform, session, people, slug)
        account = people.account("applicant")
        return Talk(
            {state: demand.id for state, demand in demands.items()},
            reuse,
            account.username,
            people.account("applicant", number=3).username,
            people.account("bureau_reviewer", "JL-BUR").username,
        )


def _demands(
    platform: Platform, session: Session, people: People, slug: str
) -> dict[str, DataDemand]:
    service = DemandService(session, platform.clock)
    asking, voting = actor_of(people.account("applicant")), people.actor("applicant", number=2)
    made = {}
    for state, title in TITLES.items():
        filer = people.actor("applicant", number=4) if state == "waiting" else asking
        text = DemandText(title, "做一个老人也会用的查询小程序", "名称、地址、时间", "transport")
        made[state] = service.file(filer, text, similar=Similar(), seen=())
        if state != "waiting":
            made[state].review = SHOWN
            service.vote(voting, made[state])
    agency = get_organisation(session, TRANSPORT)
    for state in ("assigned", "planned", "answered", "declined"):
        service.assign(people.bureau, made[state], agency)
    place = Catalogue(platform, session, people).planned()
    reviewer = people.agency_reviewer
    service.answer_planned(reviewer, made["planned"], place, platform.clock().date())
    service.answer_exists(reviewer, made["answered"], get_entry(session, slug), reason="已经开放")
    ground = next(iter(NO_GROUNDS))
    service.answer_no(reviewer, made["declined"], ground, reason="涉及个人信息，不能开放")
    return made


def _said(platform: Platform, session: Session, people: People, slug: str) -> int:
    entry, clock = get_entry(session, slug), platform.clock
    asking = actor_of(people.account("applicant"))
    question = write_comment(session, clock, asking, entry, QUESTION, "会增加按月的数据吗？")
    comment = write_comment(session, clock, asking, entry, COMMENT, "站点名称很准，谢谢。")
    question.review = comment.review = SHOWN
    answer_question(session, clock, people.agency_reviewer, question, "计划下个季度补充。")
    rate_entry(session, clock, asking, entry, 4)
    follow_entry(session, clock, asking, entry)
    reuse = _reuse(session, platform, asking, slug)
    hidden = write_comment(
        session, clock, people.actor("applicant", number=2), entry, QUESTION, "还没有审核的提问"
    )
    assert hidden.review != SHOWN
    session.flush()
    return reuse


def _reuse(session: Session, platform: Platform, asking: Actor, slug: str) -> int:
    text = ReuseText(
        "到站看板", "website", "https://example.org/bus", "长春示例公司", "在手机上看公交到站时间。"
    )
    reuse = file_reuse(session, platform.clock, asking, text, [slug])
    reuse.review = SHOWN
    session.flush()
    return int(reuse.id)
