"""The gallery of reuses: filed by accounts, shown once the Bureau approved them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from extensions.participation.models.moderated import SHOWN
from extensions.participation.models.reuse import Reuse, ReuseSource
from extensions.participation.rules import SOURCES_MAX, ReuseText, reuse_defects
from extensions.participation.services.moderation import first_review, limit_rate
from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Defect, Invalid, Unauthenticated
from portal.models.entry import CatalogueEntry, find_entry


def file_reuse(
    session: Session,
    clock: Clock,
    actor: Actor,
    text: ReuseText,
    used: Sequence[str],
    *,
    form_key: str | None = None,
) -> Reuse:
    """File an item; it waits for the Bureau. The same form again gives the first one.

    Args:
        used: codes or names of the public data sets that it uses, at least one.

    Raises:
        Invalid: with every defect. TooManyRequests: the account filed too many today.
    """
    if actor.account_id is None:
        raise Unauthenticated()
    if form_key is not None:
        earlier = session.scalars(select(Reuse).where(Reuse.form_key == form_key)).first()
        if earlier is not None:
            return earlier
    entries, unknown = _entries(session, used)
    defects = [*reuse_defects(text), *unknown]
    if defects:
        raise Invalid(defects)
    limit_rate(session, clock, actor, "reuse")
    reuse = Reuse(**vars(text), author_id=actor.account_id, form_key=form_key, filed_at=clock())
    first_review(session, clock, actor, reuse)
    reuse.sources = [
        ReuseSource(entry_id=entry.id, version_id=entry.published_version_id) for entry in entries
    ]
    session.add(reuse)
    session.flush()
    return reuse


def _entries(session: Session, used: Sequence[str]) -> tuple[list[CatalogueEntry], list[Defect]]:
    found: dict[int, CatalogueEntry] = {}
    defects = []
    for name in dict.fromkeys(used):
        entry = find_entry(session, name)
        if entry is None or not entry.is_public:
            params = {"name": name[:60]}
            defects.append(
                Defect("used", "unknown", "没有代码或名称为“{name}”的公开数据。", params)
            )
        else:
            found[entry.id] = entry
    if not used:
        defects.append(Defect("used", "missing", "请填写使用的数据，每行一个代码或网址名称。"))
    if len(found) > SOURCES_MAX:
        params = {"n": str(SOURCES_MAX)}
        defects.append(Defect("used", "too_many", "最多填写{n}项数据。", params))
    return list(found.values()), defects


def list_reuses(
    session: Session, *, kind: str = "", entry_id: int | None = None, limit: int, start: int = 0
) -> tuple[Sequence[Reuse], int]:
    """Return (a page of the shown items, the newest first; how many there are)."""
    query = select(Reuse).where(Reuse.review == SHOWN)
    if kind:
        query = query.where(Reuse.kind == kind)
    if entry_id is not None:
        query = query.join(ReuseSource).where(ReuseSource.entry_id == entry_id)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = session.scalars(query.order_by(Reuse.id.desc()).limit(limit).offset(start)).all()
    return page, total
