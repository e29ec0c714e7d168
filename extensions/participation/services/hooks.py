"""What the extension tells the core: audiences, offers, work items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from flask_babel import gettext
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from extensions.participation.flow import BINDING, FLOW
from extensions.participation.models.comment import QUESTION, EntryComment
from extensions.participation.models.demand import DataDemand, DemandVote
from extensions.participation.models.follow import EntryFollow
from extensions.participation.models.moderated import HIDDEN, SHOWN
from extensions.participation.rules import REUSE_KINDS, TITLE_MAX, ReuseText
from extensions.participation.services.moderation import kind_name, title_of, waiting_texts
from extensions.participation.services.reuses import file_reuse
from extensions.participation.services.topic_follows import topic_followers
from portal.actor import Actor
from portal.clock import Clock
from portal.extension import SearchOffer, WorkItem
from portal.models.duty import Deadline
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.services.public_uses import PublicUse

WORK_LIMIT = 200


def _entry_id(subject: Any) -> int:
    return int(subject.id if isinstance(subject, CatalogueEntry) else subject.entry_id)


def followers(session: Session, subject: Any) -> Iterable[int]:
    """Return who follows the subject's entry, its provider or its theme."""
    entry_id = _entry_id(subject)
    own = session.scalars(select(EntryFollow.account_id).where(EntryFollow.entry_id == entry_id))
    theme = subject.theme if isinstance(subject, EntryVersion) else ""
    return {*own, *topic_followers(session, entry_id, theme)}


def voters(session: Session, demand: Any) -> Iterable[int]:
    return session.scalars(
        select(DemandVote.account_id).where(DemandVote.demand_id == demand.id)
    ).all()


def requesters(session: Session, subject: Any) -> Iterable[int]:
    """Return who asked for the subject's entry: the filers and voters of demands linked to it."""
    linked = select(DataDemand.id).where(
        DataDemand.entry_id == _entry_id(subject), DataDemand.review != HIDDEN
    )
    filers = select(DataDemand.author_id).where(DataDemand.id.in_(linked))
    votes = select(DemandVote.account_id).where(DemandVote.demand_id.in_(linked))
    return {*session.scalars(filers), *session.scalars(votes)}


def offer_demand(_session: Session, _actor: Actor, words: str) -> SearchOffer | None:
    """Offer to file a demand with the words that found nothing."""
    title = words.strip()[:TITLE_MAX]
    address = "/demands/new" + (f"?{urlencode({'title': title})}" if title else "")
    return SearchOffer(
        gettext("提出数据需求"),
        address,
        gettext("没有找到您要的数据？告诉我们，省数字化局5个工作日内转交有关单位答复。"),
    )


def waiting_work(session: Session, actor: Actor) -> Sequence[WorkItem]:
    """Return the demands, questions and texts that wait for the actor."""
    items = [*_demands(session, actor), *_questions(session, actor)]
    if actor.is_kind("bureau"):
        items += [
            WorkItem(title_of(text), f"互动内容待审核·{kind_name(text)}", "/work/participation")
            for text in waiting_texts(session)
        ]
    return items


def _demands(session: Session, actor: Actor) -> list[WorkItem]:
    conditions: list[ColumnElement[bool]] = []
    if agencies := actor.acts_for("agency"):
        conditions.append(DataDemand.agency_id.in_(agencies) & (DataDemand.state == "assigned"))
    if actor.is_kind("bureau"):
        conditions.append((DataDemand.state == "open") & (DataDemand.review != HIDDEN))
    if not conditions:
        return []
    rows = session.execute(
        select(DataDemand, Deadline.id)
        .outerjoin(
            Deadline,
            (Deadline.flow == FLOW)
            & (Deadline.subject_id == DataDemand.id)
            & Deadline.closed_at.is_(None),
        )
        .where(or_(*conditions))
        .order_by(Deadline.due_on, DataDemand.id)
        .limit(WORK_LIMIT)
    )
    return [
        WorkItem(
            demand.title,
            f"{BINDING.name}·{BINDING.state_labels[demand.state]}",
            f"/work/demands/{demand.id}",
            deadline_id,
        )
        for demand, deadline_id in rows
    ]


def _questions(session: Session, actor: Actor) -> list[WorkItem]:
    agencies = actor.acts_for("agency")
    if not agencies:
        return []
    found = session.scalars(
        select(EntryComment)
        .join(CatalogueEntry, CatalogueEntry.id == EntryComment.entry_id)
        .where(
            CatalogueEntry.provider_id.in_(agencies),
            EntryComment.kind == QUESTION,
            EntryComment.review == SHOWN,
            EntryComment.answer == "",
        )
        .order_by(EntryComment.id)
        .limit(WORK_LIMIT)
    )
    return [
        WorkItem(
            title_of(one), "公众提问·待答复", f"/dataset/{one.entry.slug}/discussion#c{one.id}"
        )
        for one in found
    ]


def file_public_use(session: Session, clock: Clock, actor: Actor, use: PublicUse) -> None:
    """File a use that another extension learnt of as an item of the gallery."""
    text = ReuseText(
        title=use.title,
        kind=use.kind if use.kind in REUSE_KINDS else "other",
        url=use.url,
        maker=use.maker,
        description=use.description,
    )
    file_reuse(session, clock, actor, text, [use.entry_code], form_key=use.key)
