"""The extension's part of the sample catalogue: a handful of demands, votes, reuses, comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.participation.models.comment import QUESTION
from extensions.participation.models.demand import DataDemand
from extensions.participation.models.moderated import SHOWN
from extensions.participation.rules import DemandText, ReuseText
from extensions.participation.services.comments import answer_question, rate_entry, write_comment
from extensions.participation.services.demands import DemandService, Similar
from extensions.participation.services.follows import follow_entry
from extensions.participation.services.moderation import review
from extensions.participation.services.reuses import file_reuse
from portal.actor import Actor, RoleIn
from portal.clock import Clock
from portal.models.account import find_account
from portal.models.entry import CatalogueEntry
from portal.models.open_list import OpenListEntry
from portal.models.organisation import find_organisation
from portal.services.accounts import actor_of

if TYPE_CHECKING:
    from portal.platform import Platform

DEMANDS = (
    DemandText(
        "全省农村客运班线时刻和票价（示例）",
        "做一个老人也会用的返乡换乘查询小程序，现在只能逐县打电话问。",
        "线路、途经站、发车时刻、票价、客运站电话",
        "transport",
    ),
    DemandText(
        "公共体育场馆开放时间和收费标准（示例）",
        "在社区公众号上告诉居民周末哪里能打球。",
        "场馆名称、地址、项目、开放时间、收费标准",
        "education",
    ),
    DemandText(
        "三甲医院各科室专家出诊排班（示例）",
        "帮助外地患者提前安排行程，减少现场排队。",
        "医院、科室、医生职称、出诊时间段",
        "health",
    ),
)


def sample_participation(platform: Platform) -> None:
    """Let the sample applicants take part; once, and only where they exist."""
    with platform.database.writing() as session:
        people = [find_account(session, name) for name in ("developer", "company")]
        bureau = find_account(session, "bureau-reviewer")
        if session.scalar(select(DataDemand.id).limit(1)) is not None or bureau is None:
            return
        first, second = people
        if first is not None and second is not None:
            _take_part(session, platform.clock, actor_of(first), actor_of(second), actor_of(bureau))


def _take_part(session: Session, clock: Clock, first: Actor, second: Actor, bureau: Actor) -> None:
    service = DemandService(session, clock)
    made = []
    for text in DEMANDS:
        demand = service.file(first, text, similar=Similar(), seen=())
        if demand.review != SHOWN:
            review(session, clock, bureau, demand, SHOWN)
        made.append(demand)
    for demand in made[:2]:
        service.vote(second, demand)
    transport = find_organisation(session, "JL-TRA")
    if transport is not None:
        service.assign(bureau, made[0], transport)
    opened = session.scalars(
        select(OpenListEntry).where(OpenListEntry.state == "open").order_by(OpenListEntry.id)
    ).first()
    if opened is not None:
        _talk(session, clock, first, second, bureau, opened.entry)


def _talk(
    session: Session,
    clock: Clock,
    first: Actor,
    second: Actor,
    bureau: Actor,
    entry: CatalogueEntry,
) -> None:
    reuse = file_reuse(
        session,
        clock,
        second,
        ReuseText(
            "吉林开放数据看板（示例）",
            "website",
            "https://example.org/jilin",
            "长春示例数据科技有限公司",
            "用公开的表格按县（市、区）画出变化，每月更新一次。",
        ),
        [entry.slug],
    )
    review(session, clock, bureau, reuse, SHOWN)
    follow_entry(session, clock, first, entry)
    rate_entry(session, clock, first, entry, 4)
    question = write_comment(
        session, clock, first, entry, QUESTION, "以后会增加按月的历史数据吗？（示例）"
    )
    role = RoleIn("agency_reviewer", entry.provider.id, entry.provider.code)
    officer = Actor(
        None, f"{entry.provider.short_name or entry.provider.name}经办人（示例）", (role,)
    )
    answer_question(session, clock, officer, question, "计划下个季度补充近三年的数据。（示例）")
