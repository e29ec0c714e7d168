"""The extension's part of the sample catalogue: interfaces, and applications in several states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.access.flow import is_open_conditionally
from extensions.access.models.application import AccessApplication
from extensions.access.models.interface import DataInterface, find_interface
from extensions.access.rules import UNDERTAKINGS, Request, Terms
from extensions.access.services.applications import ApplicationService
from extensions.access.services.interfaces import InterfaceOffer, InterfaceService
from portal.actor import Actor, RoleIn
from portal.clock import Clock
from portal.models.account import Account, find_account
from portal.models.distribution import FILE, list_distributions
from portal.models.entry import CatalogueEntry
from portal.services.accounts import actor_of
from portal.services.distributions import TABULAR_FORMATS

if TYPE_CHECKING:
    from portal.platform import Platform

STORIES = (
    ("developer", "charging-status", "approved", "在导航小程序中显示附近充电枪的空闲状态（示例）"),
    ("company", "hospital-beds", "under_review", "为转诊平台提供床位余量预测（示例）"),
    ("company", "bus-arrivals", "submitted", "在候车屏上显示到站预测（示例）"),
)


def sample_interface(
    session: Session,
    clock: Clock,
    editor: Actor,
    entry: CatalogueEntry,
    record: Mapping[str, Any],
) -> None:
    """Register the interface that a sample record names, on its first file with a table."""
    named = record.get("interface")
    version = entry.published_version
    if not named or version is None or version.open_type != "conditional":
        return
    if find_interface(session, named["api_code"]) is not None:
        return
    files = [
        d
        for d in list_distributions(session, entry.id)
        if d.kind == FILE and d.format in TABULAR_FORMATS
    ]
    table = files[0] if files else None
    offer = InterfaceOffer(named["api_code"], named["fields"], table_distribution=table)
    InterfaceService(session, clock).register(editor, entry, offer)


def sample_applications(platform: Platform) -> None:
    """Let the sample applicants apply; once, and only where their data is open."""
    with platform.database.writing() as session:
        if session.scalar(select(AccessApplication.id).limit(1)) is not None:
            return
        for username, api_code, state, scenario in STORIES:
            applicant, interface = (
                find_account(session, username),
                find_interface(session, api_code),
            )
            if applicant is None or interface is None:
                continue
            if is_open_conditionally(session, interface.entry_id):
                _tell(session, platform.clock, applicant, interface, state, scenario)


def _tell(
    session: Session,
    clock: Clock,
    applicant: Account,
    interface: DataInterface,
    state: str,
    scenario: str,
) -> None:
    service = ApplicationService(session, clock)
    provider = interface.entry.provider
    role = RoleIn("agency_reviewer", provider.id, provider.code)
    reviewer = Actor(None, f"{provider.short_name or provider.name}经办人（示例）", (role,))
    request = Request(
        purpose="向公众提供便民查询服务，数据仅用于展示和统计（示例）",
        scenario=scenario,
        fields=tuple(interface.fields),
        volume_a_day=2000,
        term_days=180,
        capability="数据存放在境内机房，访问须双人授权，日志保存六个月（示例）",
        undertakings=tuple(UNDERTAKINGS),
        storage="境内机房加密数据库，保存六个月后删除（示例）",
        field_reasons=dict.fromkeys(interface.fields, "展示服务状态所必需（示例）"),
    )
    application = service.create(actor_of(applicant), interface, request)
    service.submit(actor_of(applicant), application)
    if state in ("under_review", "approved"):
        service.accept(reviewer, application)
    if state == "approved":
        terms = Terms(fields=tuple(interface.fields), quota_day=2000, per_minute=60, term_days=180)
        service.approve(reviewer, application, terms)
