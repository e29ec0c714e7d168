"""Data interfaces of conditionally open entries: register, change, withdraw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from extensions.access.models.interface import DataInterface, find_interface
from extensions.access.rules import (
    API_CODE,
    DEFAULT_DAILY_QUOTA,
    DEFAULT_PER_MINUTE,
    MAX_DAILY_QUOTA,
    MAX_PER_MINUTE,
    grantable_items,
)
from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Defect, Invalid
from portal.models.distribution import FILE, Distribution
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.permissions import Permission, require
from portal.services import audit
from portal.services.content import content_of
from portal.services.distributions import DistributionService
from portal.services.guards import refuse

AUDIT_FLOW = "data_interface"


@dataclass(frozen=True)
class InterfaceOffer:
    """What an agency offers through a new interface.

    Args:
        api_code: `[a-z][a-z0-9-]{2,40}`, the last part of its address.
        fields: field names that it may give; open items, never sensitive ones.
        table_distribution: the entry's file whose table it serves; may follow later.
        name: how it is shown; "" for the entry's title.
        sort_field: one of `fields`, by which rows come without another order; "" for the file's.
        daily_quota, per_minute: calls that are proposed to a reviewer.
    """

    api_code: str
    fields: Sequence[str]
    table_distribution: Distribution | None = None
    name: str = ""
    description: str = ""
    sort_field: str = ""
    daily_quota: int = DEFAULT_DAILY_QUOTA
    per_minute: int = DEFAULT_PER_MINUTE


class InterfaceService:
    """Everything that may happen to a data interface. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def register(self, actor: Actor, entry: CatalogueEntry, offer: InterfaceOffer) -> DataInterface:
        """Register an interface on a published, conditionally open entry.

        Adds the distribution of kind interface with which the entry may be opened (F4).

        Raises:
            Forbidden: the actor does not act for the entry's provider.
            GuardRefused: the entry is not published as conditionally open.
            Invalid: every defect of the offer at once.
        """
        require(actor, Permission.DISTRIBUTION_WRITE, entry)
        version = _conditional_version(entry)
        defects = [*self._code_defects(offer.api_code), *_offer_defects(version, offer)]
        if defects:
            raise Invalid(defects)
        interface = self._new(actor, entry, offer, offer.name.strip() or f"{version.title}接口")
        self._record(actor, interface, "register")
        return interface

    def _new(
        self, actor: Actor, entry: CatalogueEntry, offer: InterfaceOffer, title: str
    ) -> DataInterface:
        shown = DistributionService(self._session, self._clock).add_interface(
            actor,
            entry,
            name=title,
            url=f"/data/v1/{offer.api_code}",
            description=offer.description,
        )
        table = offer.table_distribution
        interface = DataInterface(
            api_code=offer.api_code,
            entry_id=entry.id,
            entry=entry,
            distribution_id=shown.id,
            table_distribution_id=table.id if table else None,
            name=title[:200],
            description=offer.description,
            fields=list(dict.fromkeys(offer.fields)),
            sort_field=offer.sort_field,
            daily_quota=offer.daily_quota,
            per_minute=offer.per_minute,
            created_at=self._clock(),
            created_by=actor.account_id,
        )
        self._session.add(interface)
        self._session.flush()
        return interface

    def serve_table(
        self, actor: Actor, interface: DataInterface, distribution: Distribution
    ) -> DataInterface:
        """Let the interface answer from this file's table from now on."""
        require(actor, Permission.DISTRIBUTION_WRITE, interface.entry)
        defects = _table_defects(interface.entry_id, distribution, interface.fields)
        if defects:
            raise Invalid(defects)
        interface.table_distribution_id = distribution.id
        self._record(actor, interface, "serve_table")
        return interface

    def withdraw(self, actor: Actor, interface: DataInterface, *, reason: str) -> None:
        """End the interface for everybody; calls fail from the next one on."""
        require(actor, Permission.DISTRIBUTION_WRITE, interface.entry)
        if not reason.strip():
            raise refuse("reason", "missing", "请写明停用接口的理由。")
        interface.withdrawn_at = self._clock()
        DistributionService(self._session, self._clock).delete(actor, interface.distribution)
        self._record(actor, interface, "withdraw", reason=reason)

    def _code_defects(self, api_code: str) -> list[Defect]:
        if not API_CODE.fullmatch(api_code):
            message = "接口代码须以小写字母开头，由3至41个小写字母、数字和连字符组成。"
            return [Defect("api_code", "format", message)]
        if find_interface(self._session, api_code) is not None:
            return [
                Defect("api_code", "taken", "接口代码“{code}”已被使用。", {"code": api_code}),
            ]
        return []

    def _record(
        self, actor: Actor, interface: DataInterface, event: str, *, reason: str = ""
    ) -> None:
        audit.record(
            self._session,
            self._clock,
            actor,
            flow=AUDIT_FLOW,
            event=event,
            subject_id=interface.id,
            entry_id=interface.entry_id,
            reason=reason,
            details={"api_code": interface.api_code, "fields": list(interface.fields)},
        )


def _conditional_version(entry: CatalogueEntry) -> EntryVersion:
    version = entry.published_version
    if version is None or entry.retired_at is not None:
        raise refuse("entry", "unpublished", "目录发布后才能登记数据接口。")
    if version.open_type != "conditional":
        raise refuse("open_type", "not_conditional", "只有有条件开放的数据通过申请接口提供。")
    return version


def _offer_defects(version: EntryVersion, offer: InterfaceOffer) -> list[Defect]:
    return [
        *_field_defects(version, offer.fields, offer.sort_field),
        *_table_defects(version.entry_id, offer.table_distribution, offer.fields),
        *_limit_defects(offer.daily_quota, offer.per_minute),
    ]


def _field_defects(version: EntryVersion, fields: Sequence[str], sort_field: str) -> list[Defect]:
    grantable = grantable_items(content_of(version), fields)
    defects = [
        Defect(
            "fields",
            "not_open",
            "信息项“{name}”不开放、不存在，或属于敏感个人信息，不能通过接口提供。",
            {"name": name[:64]},
        )
        for name in fields
        if name not in grantable
    ]
    if not fields:
        defects.append(Defect("fields", "missing", "请至少选择一个信息项。"))
    if sort_field and sort_field not in fields:
        defects.append(Defect("sort_field", "unknown", "默认排序的信息项须是接口提供的信息项。"))
    return defects


def _table_defects(
    entry_id: int, distribution: Distribution | None, fields: Sequence[str]
) -> list[Defect]:
    if distribution is None:
        return []
    if distribution.entry_id != entry_id or distribution.kind != FILE:
        message = "接口的底表须是该数据自己的数据文件。"
        return [Defect("table_distribution", "foreign", message)]
    version = distribution.current_version
    if version is not None and version.table_state in ("none", "failed"):
        message = "该数据文件中没有能供接口查询的表，请选用 CSV 或 Excel 文件。"
        return [Defect("table_distribution", "no_table", message)]
    if version is None or version.table is None:
        return []  # not parsed yet; columns that it lacks are not given later
    known = {column["field_name"] for column in version.table["columns"]}
    message = "数据文件中没有信息项“{name}”对应的列。"
    return [
        Defect("fields", "no_column", message, {"name": name})
        for name in fields
        if name not in known
    ]


def _limit_defects(daily_quota: int, per_minute: int) -> list[Defect]:
    limits = (
        ("daily_quota", "每日调用上限", daily_quota, MAX_DAILY_QUOTA),
        ("per_minute", "每分钟调用上限", per_minute, MAX_PER_MINUTE),
    )
    return [
        Defect(
            field, "out_of_range", "“{label}”应为1至{max}的整数。", {"label": label, "max": most}
        )
        for field, label, value, most in limits
        if not 1 <= value <= most
    ]
