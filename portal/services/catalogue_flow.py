"""Flow F1, 公共数据资源目录编制、审核、发布 (Measures, arts. 14 and 15): guards and words."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.errors import GuardRefused
from portal.models.entry import CatalogueEntry, EntryVersion, find_unfinished_version
from portal.models.index_request import IndexRequest
from portal.rules.metadata_profile import defects
from portal.rules.transitions import Transition, read_transitions
from portal.services.codes_known import known_codes
from portal.services.content import content_of
from portal.services.flow import Attempt, FlowBinding, Organisations
from portal.services.guards import (
    always,
    import_recorded,
    nothing_held,
    reason_given,
    refuse,
)

FLOW = "catalogue_entry"
TABLE = read_transitions(Path(__file__).parents[1] / "data" / "transitions.csv")
REMOVAL_BRAKE = 0.20
OFFICIAL_FIELDS = ("open_type", "share_type", "security_level")


def belongs_to_department(attempt: Attempt) -> None:
    entry: CatalogueEntry = attempt.subject.entry
    own = attempt.actor.organisation_ids
    if entry.provider_id not in own and entry.responsible_dept_id not in own:
        raise refuse("provider", "foreign", "只能为本单位或本系统的单位编制目录。")


def same_organisation(attempt: Attempt) -> None:
    belongs_to_department(attempt)


def complete_and_lawful(attempt: Attempt) -> None:
    """Every rule of the metadata profile holds; every defect is named at once."""
    version: EntryVersion = attempt.subject
    found = defects(content_of(version), version.entry.metadata_profile, known_codes())
    duplicates = attempt.facts.get("duplicates", ())
    if found:
        raise GuardRefused(found)
    if duplicates and not content_of(version).duplicate_reason.strip():
        raise refuse(
            "duplicate_reason",
            "one_source",
            "与已有目录“{title}”疑似重复。一数一源（第16条）：能共享获取的不重复采集；确需保留请说明理由。",
            title=duplicates[0],
        )


def undecided(attempt: Attempt) -> None:
    if attempt.subject.state != "submitted":
        raise refuse("", "decided", "该版本已有审核结论，不能撤回。")


def defects_listed(attempt: Attempt) -> None:
    reason_given(attempt)
    if not attempt.facts.get("defects"):
        raise refuse("defects", "missing", "退回须一次性列明全部问题。")


def not_own_edit(attempt: Attempt) -> None:
    """Separation of duties: who edited a version never reviews it."""
    if any(attempt.actor.stands_for(editor) for editor in attempt.subject.editors):
        raise refuse("", "own_edit", "您编辑过这个版本，须由其他审核员审核。")


def approvable(attempt: Attempt) -> None:
    """By another person; and no file with undecided findings comes out with a first version."""
    not_own_edit(attempt)
    if attempt.subject.entry.published_version_id is None:
        nothing_held(attempt)


def release_planned(attempt: Attempt) -> None:
    """What is called off was planned for a day, and those concerned are told why not."""
    reason_given(attempt)
    if attempt.subject.release_on is None:
        raise refuse("release_on", "not_planned", "这个版本没有定时发布的计划。")


def index_requested(attempt: Attempt) -> None:
    """The request to index the entry stands in this very transaction."""
    waiting = attempt.session.scalar(
        select(IndexRequest.version).where(IndexRequest.entry_id == attempt.subject.entry_id)
    )
    if waiting is None:
        raise refuse("", "not_requested", "发布前须登记检索更新。")


def no_other_draft(attempt: Attempt) -> None:
    if find_unfinished_version(attempt.session, attempt.subject.entry_id) is not None:
        raise refuse("", "draft_exists", "该目录已有一个修订中的版本，请先完成或作废。")


def newer_version_published(attempt: Attempt) -> None:
    version: EntryVersion = attempt.subject
    newer = attempt.facts.get("newer")
    if not isinstance(newer, EntryVersion) or newer.number <= version.number:
        raise refuse("", "no_newer", "没有更新的已发布版本。")


def reason_and_grants_shown(attempt: Attempt) -> None:
    reason_given(attempt)
    if not attempt.facts.get("consequences_shown"):
        raise refuse("consequences", "not_shown", "请先查看撤下后受影响的授权，再确认撤下。")


def never_published_with_reason(attempt: Attempt) -> None:
    reason_given(attempt)
    if attempt.subject.published_at is not None:
        raise refuse("", "published", "已发布过的版本不能作废。")


def trusted_source(attempt: Attempt) -> None:
    source = attempt.facts.get("source")
    if source is None or not source.trusted:
        raise refuse("source", "untrusted", "来源不是提供单位公布的清单，不能直接发布。")
    profile_holds(attempt)


def untrusted_source(attempt: Attempt) -> None:
    if attempt.facts.get("source") is None:
        raise refuse("source", "missing", "缺少采集来源。")


def profile_holds(attempt: Attempt) -> None:
    version: EntryVersion = attempt.subject
    found = defects(content_of(version), version.entry.metadata_profile, known_codes())
    if found:
        raise GuardRefused(found)


def imported(attempt: Attempt) -> None:
    import_recorded(attempt)
    profile_holds(attempt)


def is_decided_by_official(session: Session, entry_id: int) -> bool:
    """Say whether a person edited or approved any version of the entry that was published."""
    published = select(EntryVersion.editors, EntryVersion.approved_at).where(
        EntryVersion.entry_id == entry_id, EntryVersion.published_at.is_not(None)
    )
    return any(editors or approved_at for editors, approved_at in session.execute(published))


def newer_at_source(attempt: Attempt) -> None:
    """What an official set here stays: open type, share type and security level."""
    before: EntryVersion = attempt.subject
    after = attempt.facts.get("after")
    if not isinstance(after, EntryVersion) or after.content_hash == before.content_hash:
        raise refuse("", "unchanged", "来源没有新的内容。")
    if not is_decided_by_official(attempt.session, before.entry_id):
        return
    for name in OFFICIAL_FIELDS:
        if getattr(before, name) != getattr(after, name):
            raise refuse(name, "official", "该字段由本平台审核确定，不随来源更新。")


def gone_within_brake(attempt: Attempt) -> None:
    share = attempt.facts.get("missing_share", 1.0)
    if share > REMOVAL_BRAKE and not attempt.facts.get("confirmed", False):
        raise refuse("", "brake", "来源中缺失的数据超过20%，须人工确认后才能撤下。")


def retired_by_source_gone(attempt: Attempt) -> None:
    if not attempt.subject.entry.retired_by_source:
        raise refuse("", "by_hand", "该目录由人工撤下，不随来源恢复。")


_OTHERS = dict.fromkeys(("responsible_dept", "bureau", "system"), frozenset[int]())


def _organisations(version: EntryVersion) -> Organisations:
    entry = version.entry
    if entry.is_city_compiled:
        # Its agency drafts as here; review and publication are the city's (flow F3).
        own = frozenset({entry.provider_id})
        return {**_OTHERS, "agency": own, "agency_security_officer": own}
    return {
        "agency": frozenset({entry.provider_id}),
        "responsible_dept": frozenset({entry.responsible_dept_id}),
        "agency_security_officer": frozenset({entry.provider_id}),
    }


def _duty(version: EntryVersion, row: Transition) -> int | date | None:
    """A version that waits for its day is due on that day."""
    if row.event == "publish" and version.release_on is not None:
        return version.release_on
    return row.due_working_days


BINDING = FlowBinding(
    flow=FLOW,
    model=EntryVersion,
    rows=tuple(row for row in TABLE if row.flow == FLOW),
    guards={
        "belongs_to_department": belongs_to_department,
        "same_organisation": same_organisation,
        "complete_and_lawful": complete_and_lawful,
        "undecided": undecided,
        "defects_listed": defects_listed,
        "not_own_edit": approvable,
        "release_planned": release_planned,
        "index_requested": index_requested,
        "no_other_draft": no_other_draft,
        "newer_version_published": newer_version_published,
        "reason_and_grants_shown": reason_and_grants_shown,
        "reason_given": reason_given,
        "never_published_with_reason": never_published_with_reason,
        "import_recorded": imported,
        "trusted_source": trusted_source,
        "untrusted_source": untrusted_source,
        "newer_at_source": newer_at_source,
        "gone_within_brake": gone_within_brake,
        "retired_by_source_gone": retired_by_source_gone,
        "always": always,
    },
    organisations=_organisations,
    title=lambda version: version.title,
    link=lambda version: f"/work/versions/{version.id}",
    entry_id=lambda version: version.entry_id,
    name="公共数据目录",
    event_labels={
        "create": "新建",
        "save": "保存",
        "submit": "提交审核",
        "withdraw_submission": "撤回提交",
        "return": "退回修改",
        "approve": "审核通过",
        "resubmit": "重新提交",
        "cancel_release": "取消定时发布",
        "publish": "发布",
        "revise": "修订",
        "supersede": "被新版本取代",
        "retire": "撤下",
        "restore": "恢复",
        "discard": "作废",
        "import": "导入发布",
        "harvest": "采集发布",
        "harvest_draft": "采集待审",
        "update_from_source": "随来源更新",
        "source_gone": "来源中已消失",
        "source_back": "来源中已恢复",
    },
    state_labels={
        "draft": "草稿",
        "submitted": "待审核",
        "returned": "已退回",
        "approved": "审核通过",
        "published": "已发布",
        "superseded": "已被取代",
        "retired": "已撤下",
        "discarded": "已作废",
    },
    stamps={
        "submit": "submitted_at",
        "resubmit": "submitted_at",
        "return": "returned_at",
        "approve": "approved_at",
        "publish": "published_at",
        "import": "published_at",
        "harvest": "published_at",
    },
    duty=_duty,
)
