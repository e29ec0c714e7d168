"""The audit events of an entry in words: who, when, what, why, and whether in time (read model)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.orm import Session

from portal.models.audit import AuditEvent, AuditSeal, AuditSealedEvent
from portal.services.flow import FLOWS

OTHER_EVENTS = {
    ("distribution", "add_file"): "上传数据文件",
    ("distribution", "add_link"): "登记数据链接",
    ("distribution", "add_interface"): "登记数据接口",
    ("distribution", "deliver"): "更新数据文件",
    ("distribution", "change"): "修改文件说明",
    ("distribution", "delete"): "移除数据文件",
    ("open_list_entry", "announce_removal"): "公告拟移出清单",
    ("value", "confirm"): "确认价值标注",
    ("second_look", "looked"): "复核导入采集的目录",
    ("open_list_upload", "import"): "导入开放清单",
    ("calendar", "load"): "载入节假日安排",
    ("deadline", "move"): "期限随日历调整",
    ("catalogue_entry", "move_department"): "变更责任部门",
    ("entry_template", "save"): "存为模板",
    ("entry_template", "delete"): "删除模板",
    ("dataset_series", "create"): "建立数据系列",
    ("dataset_series", "change"): "修改数据系列",
    ("dataset_series", "remove"): "解散数据系列",
    ("data_interface", "register"): "登记接口",
    ("data_interface", "serve_table"): "更换接口的数据表",
    ("data_interface", "serve_upstream"): "改由提供单位的服务应答",
    ("data_interface", "end_upstream"): "不再由提供单位的服务应答",
    ("data_interface", "withdraw"): "停用接口",
    ("access_policy", "write"): "修改审批规则",
    ("sandbox_key", "make"): "领取沙箱密钥",
    ("sandbox_key", "revoke"): "停用沙箱密钥",
    ("site_page", "create"): "新建页面",
    ("site_page", "write"): "修改页面",
    ("site_page", "show"): "公开页面",
    ("site_page", "hide"): "页面不再公开",
    ("spot_check", "announce"): "公告抽查",
    ("spot_check", "draw"): "抽样",
    ("spot_check", "find"): "记录抽查结果",
    ("spot_check", "conclude"): "公布抽查结论",
    ("responsibility", "create"): "新建系统",
    ("responsibility", "add_member"): "单位归入系统",
    ("responsibility", "remove_member"): "单位移出系统",
    ("responsibility", "assign"): "确定责任部门",
    ("responsibility", "hand_over"): "责任部门移交",
    ("organisation", "create"): "新建机构",
    ("organisation", "change"): "修改机构",
    ("organisation", "delete"): "删除机构",
    ("account", "create"): "新建账号",
    ("account", "disable"): "停用账号",
    ("account", "enable"): "恢复账号",
    ("account", "add_factor"): "启用二次验证",
    ("account", "remove_factor"): "移除二次验证",
    ("account", "renew_codes"): "更换恢复码",
    ("account", "reset_factors"): "重置二次验证",
    ("account", "invite"): "邀请人员",
    ("account", "withdraw_invitation"): "撤回邀请",
    ("account", "join"): "接受邀请",
    ("account", "leave"): "办理离任",
    ("account", "delegate"): "设置代理",
    ("account", "end_delegation"): "结束代理",
    ("account", "verify"): "实名认证",
    ("account", "unverify"): "实名认证失效",
    ("account", "export"): "导出个人信息",
    ("account", "erase"): "注销账号",
    ("sensitive_review", "found"): "发现疑似敏感信息",
    ("sensitive_review", "found_again"): "重新检查，原决定失效",
    ("sensitive_review", "decide"): "敏感信息审查决定",
    ("participation_review", "show"): "公开互动内容",
    ("participation_review", "hide"): "不公开互动内容",
    ("participation_review", "answer"): "答复提问",
}
ANY_FLOW = {"remind": "期限提醒", "tell_head": "临近期限，报告负责人"}
OTHER_FLOWS = {
    "distribution": "数据文件",
    "value": "价值标注",
    "second_look": "复核",
    "open_list_upload": "清单导入",
    "calendar": "工作日历",
    "deadline": "期限",
    "entry_template": "目录模板",
    "responsibility": "责任部门",
    "spot_check": "随机抽查",
    "dataset_series": "数据系列",
    "data_interface": "数据接口",
    "access_policy": "审批规则",
    "sandbox_key": "沙箱密钥",
    "site_page": "站点内容",
    "organisation": "机构",
    "account": "账号",
    "sensitive_review": "敏感信息审查",
    "participation_review": "互动内容",
}


@dataclass(frozen=True)
class TimelineEvent:
    at: datetime
    actor: str
    flow: str
    event: str
    reason: str
    from_state: str
    to_state: str
    due_on: date | None
    in_time: bool | None
    defects: tuple[str, ...] = ()
    entry_id: int | None = None


def timeline(
    session: Session, entry_id: int, *, version_id: int | None = None, limit: int = 200
) -> list[TimelineEvent]:
    """Return an entry's events, newest first; of its versions only the one that is named."""
    query = select(AuditEvent).where(AuditEvent.entry_id == entry_id)
    if version_id is not None:
        query = query.where(
            or_(AuditEvent.flow != "catalogue_entry", AuditEvent.subject_id == version_id)
        )
    return [in_words(e) for e in session.scalars(query.order_by(AuditEvent.id.desc()).limit(limit))]


def in_words(event: AuditEvent) -> TimelineEvent:
    binding = FLOWS.find_binding(event.flow)
    labels = binding.event_labels if binding else {}
    states = binding.state_labels if binding else {}
    return TimelineEvent(
        at=event.at,
        actor=event.actor_name,
        flow=flow_label(event.flow),
        event=labels.get(event.event)
        or OTHER_EVENTS.get((event.flow, event.event))
        or ANY_FLOW.get(event.event, event.event),
        reason=event.reason,
        from_state=states.get(event.from_state, ""),
        to_state=states.get(event.to_state, ""),
        due_on=event.due_on,
        in_time=event.in_time,
        defects=tuple(str(d.get("message", "")) for d in event.details.get("defects", ())),
        entry_id=event.entry_id,
    )


def flow_label(flow: str) -> str:
    binding = FLOWS.find_binding(flow)
    return binding.name if binding else OTHER_FLOWS.get(flow, flow)


@dataclass(frozen=True)
class EventFilter:
    """Dates are instants in UTC: from `since` on, before `before`."""

    flow: str = ""
    event: str = ""
    actor: str = ""
    since: datetime | None = None
    before: datetime | None = None
    late_only: bool = False


def list_events(
    session: Session, chosen: EventFilter, *, limit: int, offset: int
) -> tuple[list[TimelineEvent], int]:
    """Return the events that the filter keeps, newest first, and how many there are."""
    conditions = _conditions(chosen)
    total = session.scalar(select(func.count(AuditEvent.id)).where(and_(true(), *conditions))) or 0
    query = select(AuditEvent).where(and_(true(), *conditions)).order_by(AuditEvent.id.desc())
    return [in_words(e) for e in session.scalars(query.limit(limit).offset(offset))], total


def _conditions(chosen: EventFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.flow:
        found.append(AuditEvent.flow == chosen.flow)
    if chosen.event:
        found.append(AuditEvent.event == chosen.event)
    if chosen.actor:
        found.append(AuditEvent.actor_name.contains(chosen.actor, autoescape=True))
    if chosen.since is not None:
        found.append(AuditEvent.at >= chosen.since)
    if chosen.before is not None:
        found.append(AuditEvent.at < chosen.before)
    if chosen.late_only:
        found.append(AuditEvent.in_time.is_(False))
    return found


@dataclass(frozen=True)
class ChainState:
    """How far the chain of seals reaches."""

    seals: int
    sealed_at: datetime | None
    digest: str
    unsealed: int


def chain_state(session: Session) -> ChainState:
    head = session.scalars(select(AuditSeal).order_by(AuditSeal.number.desc()).limit(1)).first()
    events = session.scalar(select(func.count(AuditEvent.id))) or 0
    sealed = session.scalar(select(func.count(AuditSealedEvent.event_id))) or 0
    return ChainState(
        seals=head.number if head else 0,
        sealed_at=head.sealed_at if head else None,
        digest=head.digest if head else "",
        unsealed=events - sealed,
    )


def known_events(session: Session) -> Sequence[tuple[str, str]]:
    """Return the (flow, event) pairs that occur, for the filter."""
    query = select(AuditEvent.flow, AuditEvent.event).distinct().order_by(AuditEvent.flow)
    return [(row.flow, row.event) for row in session.execute(query)]
