"""Personal data (个人信息保护法): all that is kept on somebody as JSON, and erasure.

What refers to an account is found in the schema itself, so that no table is forgotten. Rows that are
the person's own (foreign keys that cascade, and those named here) go; records of decisions, of
contracts stay by law, published words stay without the name; both then point to an account without
one. What stays, and why, is told to the person, with the export and before the erasure. Articles of
the 个人信息保护法: 4 (what identifies nobody is no personal information), 13 (grounds), 47 (erasure;
what must be kept is only stored and protected, as here: nothing reads it but audit and archive).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Column, String, Table, cast, delete, inspect, or_, select, update
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.db import Base
from portal.errors import Invalid
from portal.models.account import Account
from portal.models.audit import AuditEvent
from portal.models.distribution import Download
from portal.models.entry import EntryVersion
from portal.services import audit
from portal.services.account_management import FLOW

Obstacle = Callable[[Session, int], str | None]
"""Says why an account cannot be erased yet (an extension's open business), None if it can."""

ERASED_NAME = "已注销用户"
SECRET_PARTS = ("hash", "secret", "token", "lease", "credential", "key_id", "facts", "body")
OWN = frozenset(  # the person's own, though the schema does not cascade
    {"access_sandbox_key", "access_sandbox_call", "list_check", "partial_upload"}
)
DUTY = (
    "履职和办理记录：谁在何时作出决定须归档备查，为履行法定职责所必需"
    "（档案法；个人信息保护法第13条第一款第三项）。保存期限届满前只作存储和安全保护，不作他用（第47条第二款）。"
)
WORDS = (
    "已公开的需求、评论和成果：正文保留，署名改为“已注销用户”，不再识别到您（个人信息保护法第4条）；"
    "正文里有您的个人信息的，可另行申请删除（第47条）。"
)
CONTRACT = (
    "数据申请、使用协议和授权：履行协议和数据安全监管所必需（个人信息保护法第13条第一款第二项、第三项）。"
    "保存期限届满前只作存储和安全保护，不作他用（第47条第二款）。"
)
VOTES = "已计入的支持：只保留次数，不再识别到您（个人信息保护法第4条）。"
AUDIT = (
    "办理日志：依法留存且不可更改，其中保留操作时的姓名（网络安全法关于日志留存的规定；"
    "个人信息保护法第13条第一款第三项、第47条第二款）。"
)
KEPT = {
    "applicant_id": CONTRACT,
    "accepted_by": CONTRACT,
    "author_id": WORDS,
    "account_id": VOTES,
}


@dataclass(frozen=True)
class Holding:
    """A column that refers to accounts. `reason` says why its rows stay; "" if they are erased."""

    table: Table
    column: Column[Any]
    reason: str

    @property
    def is_erased(self) -> bool:
        return not self.reason


def holdings(session: Session) -> list[Holding]:
    """Return every reference to an account in the database, those of extensions included."""
    present = set(inspect(session.connection()).get_table_names())
    return [
        Holding(table, column, _reason(table, column))
        for table in Base.metadata.sorted_tables
        if table.name in present
        for column in table.columns
        if any(key.column.table.name == "account" for key in column.foreign_keys)
    ]


def _reason(table: Table, column: Column[Any]) -> str:
    cascades = any(key.ondelete == "CASCADE" for key in column.foreign_keys)
    if cascades or table.name in OWN:
        return ""
    return KEPT.get(column.name, DUTY)


def kept_reasons(session: Session) -> list[str]:
    """Return in words what stays after an erasure, and by what law."""
    found = [AUDIT, *(h.reason for h in holdings(session) if h.reason)]
    return list(dict.fromkeys(found))


def export(session: Session, clock: Clock, actor: Actor, account: Account) -> dict[str, Any]:
    """Return everything that is kept on the account, without secrets; the export is recorded."""
    found: dict[str, Any] = {
        "exported_at": clock().isoformat(),
        "account": _plain_row(Account.__table__, account.id, Account.__table__.c.id, session)[0],
    }
    records: dict[str, Any] = {}
    for holding in holdings(session):
        rows = _plain_row(holding.table, account.id, holding.column, session)
        if rows:
            records[f"{holding.table.name}.{holding.column.name}"] = {
                "kept_after_erasure": holding.reason,
                "rows": rows,
            }
    found["records"] = records
    found["audit"] = {"kept_after_erasure": AUDIT, "rows": _audit_rows(session, account.id)}
    found["edited"] = {"kept_after_erasure": DUTY, "rows": _edited(session, account.id)}
    found["downloads"] = {
        "kept_after_erasure": "",
        "rows": _plain_row(
            Download.__table__, _visitor(account.id), Download.__table__.c.visitor, session
        ),
    }
    _record(session, clock, actor, account, "export")
    return found


def _plain_row(table: Any, value: object, column: Any, session: Session) -> list[dict[str, Any]]:
    shown = [c for c in table.columns if not any(part in c.name for part in SECRET_PARTS)]
    key = list(table.primary_key.columns)
    rows = session.execute(select(*shown).where(column == value).order_by(*key))
    return [{name: _plain(v) for name, v in row._mapping.items()} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _audit_rows(session: Session, account_id: int) -> list[dict[str, Any]]:
    query = select(AuditEvent).where(
        or_(
            AuditEvent.actor_id == account_id,
            (AuditEvent.flow == FLOW) & (AuditEvent.subject_id == account_id),
        )
    )
    return [
        {
            "at": event.at.isoformat(),
            "actor_name": event.actor_name,
            "flow": event.flow,
            "event": event.event,
            "reason": event.reason,
            "details": event.details,
        }
        for event in session.scalars(query.order_by(AuditEvent.id))
    ]


def _edited(session: Session, account_id: int) -> list[dict[str, Any]]:
    """Return the versions of entries that the account edited."""
    columns = (EntryVersion.id, EntryVersion.title, EntryVersion.number, EntryVersion.editors)
    like = cast(EntryVersion.editors, String).contains(str(account_id))
    return [
        {"version": row.id, "title": row.title, "number": row.number}
        for row in session.execute(select(*columns).where(like).order_by(EntryVersion.id))
        if account_id in row.editors
    ]


def check_erasable(session: Session, account: Account, obstacles: Iterable[Obstacle]) -> None:
    """Raise Invalid with everything that must be ended first: roles, applications, grants."""
    if any(m.organisation_id is not None for m in account.memberships):
        raise Invalid.one(
            "", "has_roles", "您还担任机构的角色，请先由本单位管理员办理离任，再注销账号。"
        )
    for obstacle in obstacles:
        found = obstacle(session, account.id)
        if found is not None:
            raise Invalid.one("", "open_business", found)


def erase(
    session: Session,
    clock: Clock,
    actor: Actor,
    account: Account,
    obstacles: Sequence[Obstacle] = (),
) -> None:
    """Erase the account's own rows and its names; what the law keeps points to nobody by name.

    Raises:
        Invalid: roles or open business stand against it.
    """
    check_erasable(session, account, obstacles)
    for holding in reversed(holdings(session)):
        if holding.is_erased:
            session.execute(delete(holding.table).where(holding.column == account.id))
    session.execute(
        update(Download)
        .where(Download.visitor == _visitor(account.id))
        .values(visitor=hashlib.sha256(secrets.token_bytes(32)).hexdigest())
    )
    session.expire(account, ["memberships"])
    account.public_id = str(uuid4())
    account.username = f"erased-{account.public_id[:8]}"
    account.display_name, account.applicant_name = ERASED_NAME, ""
    account.email, account.phone = "", ""
    account.email_verified_at = account.phone_verified_at = None
    account.applicant_kind, account.identity_verified, account.verified_by = "", False, ""
    account.password_hash, account.disabled, account.digest = "!", True, False
    account.erased_at = clock()
    _record(session, clock, Actor(account.id, ERASED_NAME), account, "erase")


def _visitor(account_id: int) -> str:
    return f"account:{account_id}"  # as portal.services.downloads writes it


def _record(session: Session, clock: Clock, actor: Actor, account: Account, event: str) -> None:
    session.flush()
    audit.record(session, clock, actor, flow=FLOW, event=event, subject_id=account.id)
