"""The section about quality on a data set's page, and on the page of its files."""

from __future__ import annotations

from flask import render_template
from flask_babel import gettext
from sqlalchemy.orm import Session

from extensions.quality.models.report import QualityReport
from extensions.quality.permissions import QualityPermission
from extensions.quality.rules import CHECKS
from extensions.quality.services.unread import unread_documents
from extensions.quality.web.overview import level_of
from extensions.quality.web.sensitive import HOLDS
from portal.actor import Actor
from portal.extension import EntryPanel
from portal.models.entry import CatalogueEntry
from portal.permissions import is_allowed

ANCHOR = "quality"


def quality_panel(session: Session, actor: Actor, entry: CatalogueEntry) -> EntryPanel | None:
    """Return the entry's score with its reasons; None while it was not checked."""
    report = session.get(QualityReport, entry.id) if entry.is_public else None
    if report is None:
        return None
    html = render_template(
        "quality/panel.html",
        report=report,
        checks=CHECKS,
        level=level_of(report.score),
        entry=entry,
        may_mend=is_allowed(actor, QualityPermission.QUALITY_READ, entry),
    )
    return EntryPanel(ANCHOR, gettext("数据质量"), html, apart=True)


def documents_panel(session: Session, actor: Actor, entry: CatalogueEntry) -> EntryPanel | None:
    """Tell the entry's own people which documents were not scanned; nobody else, and not if all were."""
    if actor.is_anonymous or not is_allowed(actor, QualityPermission.QUALITY_READ, entry):
        return None
    unread = unread_documents(session, entry)
    if not unread:
        return None
    html = render_template("quality/unread.html", unread=unread, holds=HOLDS)
    return EntryPanel("unread-documents", gettext("未扫描的文档"), html, apart=True)
