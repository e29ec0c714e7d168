"""What the quality extension tells a reviewer of a submitted version."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext
from sqlalchemy.orm import Session

from extensions.quality.models.issue import ENDED, list_issues_of
from extensions.quality.models.report import QualityReport
from extensions.quality.services.unread import unread_documents
from portal.extension import ReviewCheck
from portal.models.entry import EntryVersion

LOW = 60.0


def quality_checks(session: Session, version: EntryVersion) -> Sequence[ReviewCheck]:
    """Return the score of what is published now, and the issues that are not mended yet."""
    return [
        _score(session, version),
        *_issues(session, version),
        *_documents(session, version),
    ]


def _score(session: Session, version: EntryVersion) -> ReviewCheck:
    name = gettext("数据质量")
    report = session.get(QualityReport, version.entry_id)
    if report is None:
        return ReviewCheck(name, "ok", gettext("尚未发布，发布后自动评分。"))
    text = gettext("已发布的版本得 %(score)s 分。", score=round(report.score))
    link = f"/dataset/{version.entry.slug}#quality"
    return ReviewCheck(name, "note" if report.score < LOW else "ok", text, link)


def _issues(session: Session, version: EntryVersion) -> Sequence[ReviewCheck]:
    live = [one for one in list_issues_of(session, version.entry_id) if one.state not in ENDED]
    if not live:
        return []
    text = gettext("有 %(n)s 个质量问题未办结：%(first)s", n=len(live), first=live[0].evidence[:80])
    return [ReviewCheck(gettext("质量问题"), "note", text, f"/work/quality/issues/{live[0].id}")]


def _documents(session: Session, version: EntryVersion) -> Sequence[ReviewCheck]:
    unread = unread_documents(session, version.entry)
    if not unread:
        return []
    names = gettext("、").join(one.filename for one in unread)
    text = gettext("读不出文字，没有做敏感信息检查，请人工核对：%(names)s", names=names[:200])
    link = f"/work/entries/{version.entry.slug}/files"
    return [ReviewCheck(gettext("未扫描的文档"), "note", text, link)]
