"""The section about participation on a data set's page."""

from __future__ import annotations

from flask import render_template
from flask_babel import gettext
from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import Session

from extensions.participation.flow import BINDING
from extensions.participation.models.comment import EntryComment, EntryRating, mean_rating
from extensions.participation.models.demand import DataDemand, count_votes
from extensions.participation.models.follow import EntryFollow, find_follow
from extensions.participation.models.moderated import SHOWN
from extensions.participation.models.reuse import Reuse, ReuseSource
from extensions.participation.models.topic_follow import (
    ORGANISATION,
    THEME,
    find_topic_follow,
)
from extensions.participation.services.demands import linked_demands
from extensions.participation.services.reuses import list_reuses
from extensions.participation.services.topic_follows import topic_name
from extensions.participation.web.sharing import address_of, feeds_of
from portal.actor import Actor
from portal.extension import EntryPanel
from portal.models.entry import CatalogueEntry
from portal.web.figures import kept_sections
from portal.web.presentation import language_code
from portal.web.translated import translated

ANCHOR = "participation"
SHOWN_REUSES = 4
_ID: BindParameter[int] = bindparam("entry_id")
_COUNTS = select(
    select(func.count())
    .select_from(DataDemand)
    .where(DataDemand.entry_id == _ID, DataDemand.review == SHOWN)
    .scalar_subquery(),
    select(func.count())
    .select_from(ReuseSource)
    .join(Reuse, Reuse.id == ReuseSource.reuse_id)
    .where(ReuseSource.entry_id == _ID, Reuse.review == SHOWN)
    .scalar_subquery(),
    select(func.count())
    .select_from(EntryComment)
    .where(EntryComment.entry_id == _ID, EntryComment.review == SHOWN)
    .scalar_subquery(),
    select(func.count())
    .select_from(EntryRating)
    .where(EntryRating.entry_id == _ID)
    .scalar_subquery(),
    select(func.count())
    .select_from(EntryFollow)
    .where(EntryFollow.entry_id == _ID)
    .scalar_subquery(),
)  # one statement, made once: every data set's page asks it


def participation_panel(session: Session, actor: Actor, entry: CatalogueEntry) -> EntryPanel | None:
    """Return what people asked, made and said about the entry; None before it is published."""
    if not entry.is_public:
        return None
    row = session.connection().execute(_COUNTS, {"entry_id": entry.id}).one()
    mean = mean_rating(session, entry.id)[0] if row[3] else 0

    def make() -> str:
        return _rendered(session, actor, entry, tuple(row), mean)

    if actor.is_anonymous and not row[0] and not row[1]:
        # To a visitor an entry without demands and reuses says nothing but these numbers.
        key = (ANCHOR, entry.id, entry.index_version, language_code(), *row, mean)
        html = kept_sections().get(key, make)
    else:
        html = make()
    return EntryPanel(ANCHOR, gettext("互动"), html, apart=True)


def _rendered(
    session: Session, actor: Actor, entry: CatalogueEntry, row: tuple[int, ...], mean: float
) -> str:
    demand_count, reuse_count, comment_count, rating_count, follower_count = row
    demands = linked_demands(session, entry.id) if demand_count else []
    return render_template(
        "participation/panel.html",
        entry=entry,
        address=address_of(entry),
        feeds=feeds_of(entry),
        is_open=entry.published_version is not None and entry.published_version.open_type != "none",
        demands=demands,
        votes=count_votes(session, [demand.id for demand in demands]) if demands else {},
        states=translated(BINDING.state_labels) if demands else {},
        reuses=list_reuses(session, entry_id=entry.id, limit=SHOWN_REUSES)[0]
        if reuse_count
        else [],
        reuse_count=reuse_count,
        comment_count=comment_count,
        mean=mean,
        rating_count=rating_count,
        follower_count=follower_count,
        follows=find_follow(session, actor.account_id, entry.id) is not None,
        topics=[] if actor.is_anonymous else _topics(session, actor, entry),
    )


def _topics(session: Session, actor: Actor, entry: CatalogueEntry) -> list[tuple[str, str, bool]]:
    """Return (address, name, whether it is followed) of the entry's provider and theme."""
    theme = entry.published_version.theme if entry.published_version else ""
    found = [("organisation", ORGANISATION, entry.provider.public_id), ("theme", THEME, theme)]
    return [
        (
            f"/topics/{path}/{key}",
            topic_name(session, kind, key),
            find_topic_follow(session, actor.account_id, kind, key) is not None,
        )
        for path, kind, key in found
        if key
    ]
