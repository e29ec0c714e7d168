"""Following an organisation or a theme: who follows hears of all its data sets."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from extensions.participation.models.follow import EntryFollow
from extensions.participation.models.topic_follow import (
    ORGANISATION,
    THEME,
    TopicFollow,
    find_topic_follow,
)
from portal.actor import Actor
from portal.clock import Clock
from portal.codes import code_list
from portal.errors import Invalid, NotFound, Unauthenticated
from portal.models.audit import AuditEvent
from portal.models.duty import Notice
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.organisation import Organisation, find_organisation, get_organisation
from portal.services import notices

FOLLOWED_MAX = 100
DELIVERIES = ("deliver", "add_file")
NAMED = 3  # titles that a notice spells out
BATCH = 500


def topic_key(session: Session, kind: str, given: str) -> str:
    """Return the key that a topic is followed by. Raises: NotFound."""
    if kind == ORGANISATION:
        return get_organisation(session, given).public_id
    if given not in code_list("themes"):
        raise NotFound("没有主题“{key}”。", key=given[:100])
    return given


def topic_name(session: Session, kind: str, key: str) -> str:
    if kind == ORGANISATION:
        place = find_organisation(session, key)
        return place.name if place else key
    theme = code_list("themes").find(key)
    return theme.name if theme else key


def topic_page(session: Session, kind: str, key: str) -> str:
    """Return the path of the topic's page, or of the search for its data."""
    if kind == ORGANISATION:
        place = find_organisation(session, key)
        return f"/organisation/{place.slug}" if place else "/organisation"
    return f"/dataset?theme={key}"


def follow_topic(session: Session, clock: Clock, actor: Actor, kind: str, key: str) -> TopicFollow:
    """Follow; doing it again changes nothing. Raises: Invalid beyond the most an account follows."""
    if actor.account_id is None:
        raise Unauthenticated()
    found = find_topic_follow(session, actor.account_id, kind, key)
    if found is not None:
        return found
    if len(list_topics(session, actor.account_id)) >= FOLLOWED_MAX:
        raise Invalid.one("", "too_many", "最多关注{n}个单位和主题，请先取消一些。", n=FOLLOWED_MAX)
    now = clock()
    found = TopicFollow(
        account_id=actor.account_id, kind=kind, key=key, followed_at=now, told_at=now
    )
    session.add(found)
    session.flush()
    return found


def unfollow_topic(session: Session, actor: Actor, kind: str, key: str) -> bool:
    """Stop following. Return whether the account followed."""
    found = find_topic_follow(session, actor.account_id, kind, key)
    if found is not None:
        session.delete(found)
        session.flush()
    return found is not None


def list_topics(session: Session, account_id: int) -> Sequence[TopicFollow]:
    """Return the organisations and themes that an account follows, the newest first."""
    return session.scalars(
        select(TopicFollow)
        .where(TopicFollow.account_id == account_id)
        .order_by(TopicFollow.followed_at.desc(), TopicFollow.kind, TopicFollow.key)
    ).all()


def topic_followers(session: Session, entry_id: int, theme: str = "") -> Sequence[int]:
    """Return the accounts that follow the entry's provider or a theme of it: the one given (of a
    version that is just coming out), or the one it is published under.
    """
    row = session.execute(
        select(Organisation.public_id, EntryVersion.theme)
        .select_from(CatalogueEntry)
        .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
        .outerjoin(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .where(CatalogueEntry.id == entry_id)
    ).first()
    if row is None:
        return ()
    topic = TopicFollow
    return session.scalars(
        select(topic.account_id).where(
            or_(
                and_(topic.kind == ORGANISATION, topic.key == row.public_id),
                and_(topic.kind == THEME, topic.key.in_({theme, row.theme or ""})),
            )
        )
    ).all()


def _news() -> Select[tuple[TopicFollow]]:
    """Ask for the follows of topics whose data was delivered since their accounts were told."""
    return (
        select(TopicFollow)
        .join(CatalogueEntry, CatalogueEntry.data_modified_at > TopicFollow.told_at)
        .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .where(CatalogueEntry.retired_at.is_(None), _belongs())
        .distinct()
        .order_by(TopicFollow.account_id, TopicFollow.kind, TopicFollow.key)
        .limit(BATCH)
    )


def _belongs() -> ColumnElement[bool]:
    return or_(
        and_(TopicFollow.kind == ORGANISATION, TopicFollow.key == Organisation.public_id),
        and_(TopicFollow.kind == THEME, TopicFollow.key == EntryVersion.theme),
    )


def has_topic_news(session: Session) -> bool:
    return session.scalars(_news().limit(1)).first() is not None


def tell_of_topics(session: Session, clock: Clock) -> None:
    """Tell each follower of a topic, in one notice, of the data delivered since the last time.

    Left out are data sets that the account follows itself, and those whose update it was told of.
    """
    for follow in session.scalars(_news()).all():
        rows = session.execute(_untold(follow)).all()
        _tell(session, clock, follow, [(row.id, row.title) for row in rows])
        follow.told_at = clock()
    session.flush()


def _untold(follow: TopicFollow) -> Select[tuple[int, str]]:
    own = select(EntryFollow.entry_id).where(EntryFollow.account_id == follow.account_id)
    told = (
        select(AuditEvent.entry_id)
        .join(Notice, Notice.event_id == AuditEvent.id)
        .where(
            Notice.account_id == follow.account_id,
            AuditEvent.flow == "freshness",
            AuditEvent.event == "data_updated",
            AuditEvent.at >= follow.told_at,
            AuditEvent.entry_id.is_not(None),
        )
    )
    topic = (
        Organisation.public_id == follow.key
        if follow.kind == ORGANISATION
        else EntryVersion.theme == follow.key
    )
    return (
        select(CatalogueEntry.id, EntryVersion.title)
        .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .where(
            topic,
            CatalogueEntry.retired_at.is_(None),
            CatalogueEntry.data_modified_at > follow.told_at,
            CatalogueEntry.id.not_in(own),
            CatalogueEntry.id.not_in(told),
        )
        .order_by(CatalogueEntry.data_modified_at.desc(), CatalogueEntry.id)
        .limit(BATCH)
    )


def _tell(
    session: Session, clock: Clock, follow: TopicFollow, found: Sequence[tuple[int, str]]
) -> None:
    if not found:
        return
    newest = select(func.max(AuditEvent.id)).where(
        AuditEvent.entry_id.in_([entry_id for entry_id, _ in found]),
        AuditEvent.flow == "distribution",
        AuditEvent.event.in_(DELIVERIES),
    )
    number = session.scalar(newest)
    if number is None:
        return
    titles = "、".join(f"“{title}”" for _, title in found[:NAMED])
    more = f"等{len(found)}项数据" if len(found) > NAMED else ""
    name = topic_name(session, follow.kind, follow.key)
    text = f"您关注的“{name}”更新了数据文件：{titles}{more}"
    event = session.get_one(AuditEvent, number)
    page = topic_page(session, follow.kind, follow.key)
    notices.tell(session, clock, {follow.account_id}, event, text, page)
