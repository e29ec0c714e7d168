"""What the scan found is kept with its delivery; a second person decides column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.quality.models.scan import TableScan, find_scan
from extensions.quality.permissions import QualityPermission
from extensions.quality.scan.documents import WHOLE_FILE
from extensions.quality.scan.findings import ColumnFindings, Looked
from extensions.quality.scan.leftovers import REST, UNREAD
from extensions.quality.scan.masks import DROP, REFUSE, RELEASE, TREATMENTS, WHOLE_TREATMENTS
from portal.actor import SYSTEM, Actor
from portal.clock import Clock
from portal.errors import Conflict, Defect, Invalid
from portal.jobs.queue import enqueue
from portal.models.audit import AuditEvent
from portal.models.distribution import APPLY, REFUSED, REVIEW, DataVersion
from portal.models.entry import CatalogueEntry, find_unfinished_version
from portal.permissions import require
from portal.rules.entry_content import EntryContent, InformationItem
from portal.services import audit, notices
from portal.services.content import content_of
from portal.services.guards import refuse
from portal.services.index_requests import request_index
from portal.services.open_columns import NOT_MASKED
from portal.tables.info import TableInfo

FLOW = "sensitive_review"
APPLY_JOB = "quality_apply"


@dataclass(frozen=True)
class Decision:
    treatment: str
    reason: str = ""


def keep_scan(session: Session, clock: Clock, version: DataVersion, looked: Looked | None) -> str:
    """Keep what was found; return the hold that follows. The same table again changes nothing."""
    parquet = str(version.table["parquet_sha256"]) if version.table else ""
    scan = find_scan(session, version.id)
    if scan is not None and scan.parquet_sha256 == parquet:
        return hold_of(scan)
    entry = version.distribution.entry
    scan = scan or TableScan(data_version=version, data_version_id=version.id, entry_id=entry.id)
    was_decided = scan.decided_at is not None
    scan.row_version = (scan.row_version or 0) + 1
    scan.sha256, scan.parquet_sha256 = version.sha256, parquet
    scan.unreadable = looked is None
    looked = looked or Looked()
    findings = judged(looked.as_list(), _content(session, entry))
    scan.findings = findings
    scan.blocks = scan.unreadable or any(one["blocks"] for one in findings)
    scan.row_count, scan.duplicate_rows = looked.row_count, looked.duplicate_rows
    scan.content_hash, scan.scanned_at = looked.content_hash, clock()
    scan.decisions, scan.applied, scan.groups, scan.reason = {}, {}, {}, ""
    scan.decided_by = scan.decided_at = scan.decided_on_id = scan.applied_at = None
    version.public_table = None
    session.add(scan)
    session.flush()
    if scan.blocks:
        _tell(session, clock, scan, entry, was_decided=was_decided)
    return hold_of(scan)


def hold_of(scan: TableScan) -> str:
    """Return what keeps the delivery in: nothing, a person's decision, or its application."""
    if not scan.blocks:
        return ""
    if scan.decided_at is None:
        return REVIEW
    if is_refused(scan.decisions):
        return REFUSED
    is_applied = scan.applied_at is not None and scan.applied_at >= scan.decided_at
    return "" if is_applied else APPLY


def is_refused(decisions: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether the file as a whole does not go out."""
    return decisions.get(WHOLE_FILE, {}).get("treatment") == REFUSE


def _content(session: Session, entry: CatalogueEntry) -> EntryContent | None:
    version = entry.published_version or find_unfinished_version(session, entry.id)
    return content_of(version) if version is not None else None


_ANNOUNCED = {"uscc": "信用代码", "email": "邮箱"}


def judged(
    findings: Sequence[Mapping[str, Any]], content: EntryContent | None
) -> list[dict[str, Any]]:
    """Return the findings, each with whether it waits for a decision under this content.

    What an information item keeps back or masks does not leave as it is: the Bureau reviewed that.
    A public identifier that an item announces by name waits for nobody either.
    """
    items = {
        key: item
        for item in (content.items if content is not None else ())
        for key in (item.field_name, item.name)
    }
    return [
        {**one, "blocks": one["sensitive"] and not _is_settled(one, _item_of(one, items))}
        for one in findings
    ]


def _item_of(
    finding: Mapping[str, Any], items: Mapping[str, InformationItem]
) -> InformationItem | None:
    return items.get(finding["field_name"]) or items.get(finding["column"])


def _is_settled(finding: Mapping[str, Any], item: InformationItem | None) -> bool:
    if item is None or finding["by"] == "header":
        return False
    if not item.open or item.masking not in NOT_MASKED:
        return True
    word = _ANNOUNCED.get(finding["kind"], "")
    return bool(word) and word in item.name and item.personal == "none"


def judge_entry_again(session: Session, clock: Clock, entry: CatalogueEntry) -> None:
    """Judge every delivery of the entry by the version just published.

    A column that an item kept back until now, and that nobody decided on, holds its delivery.
    """
    content = _content(session, entry)
    for scan in session.scalars(select(TableScan).where(TableScan.entry_id == entry.id)):
        if scan.unreadable or not scan.findings:
            continue
        findings = judged(scan.findings, content)
        if findings == scan.findings:
            continue
        scan.findings, scan.row_version = findings, scan.row_version + 1
        scan.blocks = any(one["blocks"] for one in findings)
        undecided = {one["field_name"] for one in findings if one["blocks"]} - set(scan.decisions)
        data = scan.data_version
        if undecided:
            scan.decided_at, data.hold = None, REVIEW
            _tell(session, clock, scan, entry, was_decided=bool(scan.decisions))
        elif data.hold == REVIEW:
            data.hold = hold_of(scan)


def _tell(
    session: Session, clock: Clock, scan: TableScan, entry: CatalogueEntry, *, was_decided: bool
) -> None:
    event = audit.record(
        session,
        clock,
        SYSTEM,
        flow=FLOW,
        event="found_again" if was_decided else "found",
        subject_id=scan.id,
        entry_id=entry.id,
        details={
            "sha256": scan.sha256,
            "columns": {f["field_name"]: f["kind"] for f in scan.findings if f["blocks"]},
        },
    )
    provider = frozenset({entry.provider_id})
    told = notices.accounts_acting_as(session, "agency_security_officer", provider)
    told |= notices.accounts_acting_as(session, "agency", provider)
    notices.tell(session, clock, told, event, _what_waits(scan), f"/work/sensitive/{scan.id}")


def _what_waits(scan: TableScan) -> str:
    name = scan.data_version.distribution.name
    if is_unread(scan):
        return (
            f"数据文件“{name}”读不出内容，没有做敏感信息检查，已暂缓公开，"
            "须由非编辑人员核对后决定开放或不开放。"
        )
    return f"数据文件“{name}”中有疑似敏感信息，已暂缓公开，须由非编辑人员逐列决定。"


def is_unread(scan: TableScan) -> bool:
    """Whether nothing is known of the file: no table could be read, or no text of a document."""
    return scan.unreadable or any(
        one["field_name"] == WHOLE_FILE and one["kind"] == UNREAD for one in scan.findings
    )


class SensitiveReview:
    """The decision on one scan. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def decide(
        self,
        actor: Actor,
        scan: TableScan,
        decisions: Mapping[str, Decision],
        *,
        sha256: str,
        reason: str = "",
        seen: int | None = None,
        key: str | None = None,
    ) -> None:
        """Decide what leaves of each column. Pinned to the file's hash; made by a second person.

        Args:
            decisions: field name -> decision; columns that are not named stay as they are.
            sha256: of the file that was shown; another one is a conflict.

        Raises:
            Forbidden: not one who may decide. GuardRefused: who uploaded or edited it.
            Invalid: a column that must be decided is not, or released without a reason.
            Conflict: the scan changed meanwhile.
        """
        entry = scan.data_version.distribution.entry
        require(actor, QualityPermission.SENSITIVE_DECIDE, entry)
        if key is not None and self._is_done(scan, key):
            return
        if (seen is not None and seen != scan.row_version) or sha256 != scan.data_version.sha256:
            raise Conflict()
        self._check_second(actor, scan)
        defects = decision_defects(scan, decisions)
        if defects:
            raise Invalid(defects)
        self._keep(actor, scan, decisions, reason)
        event = self._record(actor, scan, reason, key)
        if is_refused(scan.decisions):
            self._refuse(scan, entry, event)
        else:
            self._release(scan, entry)

    def _is_done(self, scan: TableScan, key: str) -> bool:
        query = select(AuditEvent.id).where(
            AuditEvent.flow == FLOW,
            AuditEvent.subject_id == scan.id,
            AuditEvent.event_key == key,
        )
        return self._session.scalar(query) is not None

    def _check_second(self, actor: Actor, scan: TableScan) -> None:
        own = any(actor.stands_for(editor) for editor in self.editors_of(scan))
        if actor.account_id is None or own:
            raise refuse(
                "", "own_edit", "上传或编辑过该数据的人不能做敏感信息审查，须由另一人决定。"
            )

    def editors_of(self, scan: TableScan) -> frozenset[int]:
        """Return who uploaded the file or edited the entry as it stands or will stand."""
        data = scan.data_version
        entry = data.distribution.entry
        versions = (entry.published_version, find_unfinished_version(self._session, entry.id))
        edited = {account for v in versions if v is not None for account in v.editors}
        return frozenset(edited | ({data.created_by} if data.created_by is not None else set()))

    def _keep(
        self, actor: Actor, scan: TableScan, decisions: Mapping[str, Decision], reason: str
    ) -> None:
        entry = scan.data_version.distribution.entry
        on = entry.published_version or find_unfinished_version(self._session, entry.id)
        scan.decisions = {
            name: {"treatment": one.treatment, "reason": one.reason}
            for name, one in decisions.items()
        }
        scan.decided_by, scan.decided_at, scan.reason = actor.account_id, self._clock(), reason
        scan.decided_on_id = on.id if on is not None else None
        scan.row_version += 1

    def _record(self, actor: Actor, scan: TableScan, reason: str, key: str | None) -> AuditEvent:
        data = scan.data_version
        return audit.record(
            self._session,
            self._clock,
            actor,
            flow=FLOW,
            event="decide",
            subject_id=scan.id,
            entry_id=data.distribution.entry_id,
            reason=reason,
            event_key=key,
            details={
                "sha256": data.sha256,
                "data_version": data.number,
                "entry_version": scan.decided_on_id,
                "decisions": scan.decisions,
            },
        )

    def _refuse(self, scan: TableScan, entry: CatalogueEntry, event: AuditEvent) -> None:
        """The file stays in; the agency has to take it off, or to deliver another one."""
        scan.data_version.hold = REFUSED
        told = notices.accounts_acting_as(self._session, "agency", frozenset({entry.provider_id}))
        text = (
            f"数据文件“{scan.data_version.distribution.name}”经审查不予开放，请移除或更换文件。"
            f"理由：{scan.decisions[WHOLE_FILE]['reason']}"
        )
        notices.tell(self._session, self._clock, told, event, text, f"/work/sensitive/{scan.id}")
        request_index(self._session, self._clock, entry, tightens=True)

    def _release(self, scan: TableScan, entry: CatalogueEntry) -> None:
        """Whatever changes what leaves is made by a job; until then nothing leaves."""
        data = scan.data_version
        treated = any(one["treatment"] != RELEASE for one in scan.decisions.values())
        if treated or data.public_table:
            data.hold = APPLY
            payload = {"scan_id": scan.id}
            enqueue(
                self._session, self._clock, APPLY_JOB, payload, key=f"{APPLY_JOB}:{scan.id}:{scan.row_version}"
            )  # fmt: skip
        else:
            scan.applied, scan.applied_at = {}, self._clock()
            data.hold = ""
        self._session.flush()
        request_index(self._session, self._clock, entry, tightens=bool(data.hold))


def decision_defects(scan: TableScan, decisions: Mapping[str, Decision]) -> list[Defect]:
    """Return what is missing or wrong in the decisions, by column."""
    if scan.unreadable:
        return _file_defects(
            decisions, "读不出表格的文件无法检查：请核对内容，选择原样开放或不予开放。"
        )
    if not scan.data_version.table:
        if is_unread(scan):
            text = "读不出内容的文档无法检查：请核对内容，选择原样开放或不予开放。"
        else:
            text = "文档里有疑似敏感信息：请核对内容，选择原样开放或不予开放。"
        return _file_defects(decisions, text)
    columns = {
        column.field_name for column in TableInfo.from_dict(scan.data_version.table or {}).columns
    }
    defects: list[Defect] = []
    for name, one in decisions.items():
        if name == REST:
            continue
        if name not in columns:
            defects.append(Defect(name, "unknown", "没有字段“{name}”。", {"name": name[:64]}))
        elif one.treatment not in TREATMENTS:
            defects.append(Defect(name, "missing", "请选择处置方式。"))
    for found in ColumnFindings.gather(scan.findings):
        defects += _column_defects(found, decisions.get(found.field_name))
    if columns and all(n in decisions and decisions[n].treatment == DROP for n in columns):
        defects.append(
            Defect("", "nothing_left", "至少保留一列；整个文件不宜开放的，请移除该文件。")
        )
    return defects


def _column_defects(found: ColumnFindings, one: Decision | None) -> list[Defect]:
    params = {"column": found.column}
    if one is None:
        text = "列“{column}”含有疑似敏感信息，请选择处置方式。"
        return [Defect(found.field_name, "missing", text, params)] if found.blocks else []
    if one.treatment == RELEASE and found.blocks and not one.reason.strip():
        text = "列“{column}”原样开放，请写明理由和依据。"
        return [Defect(found.field_name, "reason_missing", text, params)]
    if found.field_name == REST and one.treatment not in (DROP, RELEASE):
        return [Defect(REST, "rest", "未计入表格的内容只能随原始文件开放或不开放。")]
    if found.in_header and one.treatment not in (DROP, RELEASE):
        text = "列名“{column}”本身含有敏感信息，只能删除该列，或写明理由后原样开放。"
        return [Defect(found.field_name, "header", text, params)]
    return []


def _file_defects(decisions: Mapping[str, Decision], text: str) -> list[Defect]:
    one = decisions.get(WHOLE_FILE)
    if one is None or one.treatment not in WHOLE_TREATMENTS:
        return [Defect(WHOLE_FILE, "missing", text)]
    if not one.reason.strip():
        return [Defect(WHOLE_FILE, "reason_missing", "请写明核对情况和理由。")]
    return []


def earlier_decisions(session: Session, scan: TableScan) -> Mapping[str, Any]:
    """Return what was last decided on the same file's earlier deliveries, as a proposal."""
    data = scan.data_version
    found: Sequence[TableScan] = session.scalars(
        select(TableScan)
        .join(DataVersion, DataVersion.id == TableScan.data_version_id)
        .where(
            DataVersion.distribution_id == data.distribution_id,
            DataVersion.id != data.id,
            TableScan.decided_at.is_not(None),
        )
        .order_by(TableScan.decided_at.desc())
        .limit(1)
    ).all()
    return found[0].decisions if found else {}
