"""Data interfaces of conditionally open entries: register, change, withdraw."""

from __future__ import annotations

from collections.abc import Sequence

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
from portal.models.entry import CatalogueEntry
from portal.permissions import Permission, require
from portal.services import audit
from portal.services.content import content_of
from portal.services.distributions import DistributionService
from portal.services.guards import refuse

AUDIT_FLOW = "data_interface"


class InterfaceService:
    """Everything that may happen to a data interface. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def register(
        self,
        actor: Actor,
        entry: CatalogueEntry,
        *,
        api_code: str,
        fields: Sequence[str],
        table_distribution: Distribution | None = None,
        name: str = "",
        description: str = "",
        sort_field: str = "",
        daily_quota: int = DEFAULT_DAILY_QUOTA,
        per_minute: int = DEFAULT_PER_MINUTE,
    ) -> DataInterface:
        """Register an interface on a published, conditionally open entry.

        Adds the distribution of kind interface with which the entry may be opened (F4).

        Args:
            api_code: `[a-z][a-z0-9-]{2,40}`, the last part of its address.
            fields: field names that it may give; open items, never sensitive ones.
            table_distribution: the entry's file whose table it serves; may follow later.

        Raises:
            Forbidden: the actor does not act for the entry's provider.
            GuardRefused: the entry is not published as conditionally open.
            Invalid: every defect of the rest at once.
        """
        require(actor, Permission.DISTRIBUTION_WRITE, entry)
        _check_conditional(entry)
        defects = [
            *self._code_defects(api_code),
            *_field_defects(entry, fields, sort_field),
            *_table_defects(entry, table_distribution, fields),
            *_limit_defects(daily_quota, per_minute),
        ]
        if defects:
            raise Invalid(defects)
        title = name.strip() or f"{entry.published_version.title}接口"  # type: ignore[union-attr]
        shown = DistributionService(self._session, self._clock).add_interface(
            actor, entry, name=title, url=f"/data/v1/{api_code}", description=description
        )
        interface = DataInterface(
            api_code=api_code,
            entry_id=entry.id,
            entry=entry,
            distribution_id=shown.id,
            table_distribution_id=table_distribution.id if table_distribution else None,
            name=title[:200],
            description=description,
            fields=list(dict.fromkeys(fields)),
            sort_field=sort_field,
            daily_quota=daily_quota,
            per_minute=per_minute,
            created_at=self._clock(),
            created_by=actor.account_id,
        )
        self._session.add(interface)
        self._session.flush()
        self._record(actor, interface, "register")
        return interface

    def serve_table(
        self, actor: Actor, interface: DataInterface, distribution: Distribution
    ) -> DataInterface:
        """Let the interface answer from this file's table from now on."""
        require(actor, Permission.DISTRIBUTION_WRITE, interface.entry)
        defects = _table_defects(interface.entry, distribution, interface.fields)
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


def _check_conditional(entry: CatalogueEntry) -> None:
    version = entry.published_version
    if version is None or entry.retired_at is not None:
        raise refuse("entry", "unpublished", "目录发布后才能登记数据接口。")
    if version.open_type != "conditional":
        raise refuse("open_type", "not_conditional", "只有有条件开放的数据通过申请接口提供。")


def _field_defects(entry: CatalogueEntry, fields: Sequence[str], sort_field: str) -> list[Defect]:
    version = entry.published_version
    assert version is not None
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
    entry: CatalogueEntry, distribution: Distribution | None, fields: Sequence[str]
) -> list[Defect]:
    if distribution is None:
        return []
    if distribution.entry_id != entry.id or distribution.kind != FILE:
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
