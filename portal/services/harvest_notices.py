"""Who hears of a harvest: the provider's people once a run, whoever follows an entry each time."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.models.account import Membership
from portal.models.audit import AuditEvent
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.harvest import HarvestItem, HarvestRun
from portal.services.catalogue_flow import FLOW
from portal.services.notices import accounts_acting_as, audience_of, tell

STATE_NAMES = {
    "created": "新增",
    "updated": "更新",
    "unchanged": "未变",
    "faulty": "有误",
    "gone": "撤下",
    "back": "恢复",
    "conflict": "冲突",
    "absent": "草稿来源已无",
    "missing": "待确认撤下",
    "confirmed": "已确认撤下",
    "gathered": "待写入",
}
SHOWN_ALWAYS = ("created", "updated", "unchanged", "faulty", "gone", "back", "conflict")


def counts_in_words(counts: Mapping[str, int]) -> str:
    """Return "新增 3，更新 0，…": the seven counts of every report, others where they occur."""
    names = [n for n in STATE_NAMES if n in SHOWN_ALWAYS or counts.get(n)]
    return "，".join(f"{STATE_NAMES[name]} {counts.get(name, 0)}" for name in names)


def tell_followers(session: Session, clock: Clock, version: EntryVersion, what: str) -> None:
    """Tell who has a grant for the entry or follows it; its provider hears once a run."""
    accounts = audience_of(session, ("grantees", "followers"), version, {}, {})
    if not accounts:
        return
    session.flush()
    query = select(AuditEvent).where(AuditEvent.flow == FLOW, AuditEvent.subject_id == version.id)
    event = session.scalars(query.order_by(AuditEvent.id.desc()).limit(1)).one()
    text = f"公共数据目录“{version.title}”：{what}"
    tell(session, clock, accounts, event, text, f"/dataset/{version.entry.slug}")


def tell_of_run(session: Session, clock: Clock, run: HarvestRun, event: AuditEvent) -> None:
    """One notice a run to the provider's people; who manages sources hears what needs a hand."""
    source = run.source
    accounts = set(accounts_acting_as(session, "agency", frozenset({source.organisation_id})))
    text = f"采集来源“{source.name}”：{counts_in_words(run.counts)}。"
    if run.state == "waiting":
        text = f"采集来源“{source.name}”缺失的记录超过20%，须人工确认后才能撤下。{text}"
    if run.state == "failed":
        text = f"采集来源“{source.name}”没有完成：{run.error}"
    admins: set[int] = set()
    if run.state in ("waiting", "failed"):
        admins |= set(
            session.scalars(select(Membership.account_id).where(Membership.role == "bureau_admin"))
        )
    page = f"/work/sources/runs/{run.id}"
    tell(session, clock, admins | accounts, event, text, page)
    if run.counts.get("conflict"):
        _tell_owners(session, clock, run, event, admins | accounts)


def _tell_owners(
    session: Session, clock: Clock, run: HarvestRun, event: AuditEvent, told: set[int]
) -> None:
    """Tell those whose entries another source offers too: both sides must know."""
    number = func.count(HarvestItem.id)
    query = (
        select(CatalogueEntry.provider_id, number)
        .join(HarvestItem, HarvestItem.entry_id == CatalogueEntry.id)
        .where(
            HarvestItem.run_id == run.id,
            HarvestItem.state == "conflict",
            CatalogueEntry.source_id.is_distinct_from(run.source_id),
            CatalogueEntry.provider_id != run.source.organisation_id,
        )
        .group_by(CatalogueEntry.provider_id)
    )
    for provider_id, count in session.execute(query).all():
        accounts = set(accounts_acting_as(session, "agency", frozenset({provider_id}))) - told
        text = (
            f"采集来源“{run.source.name}”（{run.source.organisation.name}）中有 {count} 条记录"
            "与本单位维护的目录重复，平台没有重复采集，请与对方商定由谁维护。"
        )
        tell(session, clock, accounts, event, text, "/work/harvest")
