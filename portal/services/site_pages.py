"""Pages that the Bureau writes, in both languages, with every version kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict, Defect, Invalid, NotFound
from portal.models.site_page import SitePage, SitePageVersion
from portal.permissions import Permission, require
from portal.services import audit

FLOW = "site_page"
NEWS, POLICY, FAQ, TERMS, PRIVACY = "news", "policy", "faq", "terms", "privacy"
KINDS = {
    NEWS: "新闻动态",
    POLICY: "政策法规",
    FAQ: "常见问题",
    TERMS: "使用条款",
    PRIVACY: "隐私政策",
}
SINGLE = {TERMS: "terms", PRIVACY: "privacy"}
"""Kinds of one page only, at the address of that name."""
TITLE_MAX, BODY_MAX, NOTE_MAX = 200, 200_000, 500
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class PageText:
    """What a version says. The English is optional; the Chinese then stands in for it."""

    title: str
    body: str
    title_en: str = ""
    body_en: str = ""
    note: str = ""


class SitePageService:
    """Everything that may happen to a page. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def create(self, actor: Actor, kind: str, slug: str, text: PageText) -> SitePageVersion:
        """Start a page with its first version, which nobody sees yet.

        Raises:
            Invalid: the address is taken or malformed, or the text lacks its Chinese.
        """
        require(actor, Permission.PAGE_EDIT)
        if kind not in KINDS:
            raise Invalid.one("kind", "missing", "请选择栏目。")
        slug = SINGLE.get(kind, slug.strip())
        defects = text_defects(text)
        if not _SLUG.fullmatch(slug) or len(slug) > 80:
            message = "网址名只能用小写字母、数字和连字符，如 opening-day。"
            defects.append(Defect("slug", "pattern", message))
        elif find_page(self._session, slug) is not None:
            defects.append(
                Defect("slug", "taken", "“{value}”已被使用，请换一个。", {"value": slug})
            )
        if defects:
            raise Invalid(defects)
        page = SitePage(slug=slug, kind=kind, row_version=1, created_at=self._clock())
        self._session.add(page)
        self._session.flush()
        return self._add_version(actor, page, text, "create")

    def write(self, actor: Actor, page: SitePage, text: PageText, *, seen: int) -> SitePageVersion:
        """Keep a new version; readers go on seeing the one that is shown.

        Raises:
            Conflict: somebody wrote another version since `seen`.
            Invalid: the text lacks its Chinese, or changes nothing.
        """
        require(actor, Permission.PAGE_EDIT)
        self._session.flush()
        self._session.refresh(page, with_for_update=True)
        if page.row_version != seen:
            raise Conflict()
        defects = text_defects(text)
        newest = list_page_versions(self._session, page)[0]
        if _same(newest, text):
            defects.append(Defect("", "unchanged", "内容没有变化。"))
        if defects:
            raise Invalid(defects)
        return self._add_version(actor, page, text, "write")

    def show(self, actor: Actor, version: SitePageVersion) -> None:
        """Show this version to readers, an earlier one too; the one before stays in the history."""
        require(actor, Permission.PAGE_EDIT)
        page, now = version.page, self._clock()
        if page.shown_number == version.number:
            return
        page.shown_number = version.number
        page.first_shown_at = page.first_shown_at or now
        version.shown_at = version.shown_at or now
        page.row_version += 1
        self._record(actor, page, "show", version.number)

    def hide(self, actor: Actor, page: SitePage) -> None:
        """Take a page away from readers; its versions stay."""
        require(actor, Permission.PAGE_EDIT)
        if page.shown_number is None:
            return
        number, page.shown_number = page.shown_number, None
        page.row_version += 1
        self._record(actor, page, "hide", number)

    def _add_version(
        self, actor: Actor, page: SitePage, text: PageText, event: str
    ) -> SitePageVersion:
        newest = select(func.coalesce(func.max(SitePageVersion.number), 0))
        number = self._session.scalar(newest.where(SitePageVersion.page_id == page.id)) or 0
        version = SitePageVersion(
            page=page,
            page_id=page.id,
            number=number + 1,
            title=text.title.strip(),
            title_en=text.title_en.strip(),
            body=text.body.strip(),
            body_en=text.body_en.strip(),
            note=text.note.strip(),
            written_by=actor.name,
            written_at=self._clock(),
        )
        self._session.add(version)
        page.row_version = page.row_version + (1 if event == "write" else 0)
        self._session.flush()
        self._record(actor, page, event, version.number)
        return version

    def _record(self, actor: Actor, page: SitePage, event: str, number: int) -> None:
        audit.record(
            self._session,
            self._clock,
            actor,
            flow=FLOW,
            event=event,
            subject_id=page.id,
            details={"slug": page.slug, "version": number},
        )


def text_defects(text: PageText) -> list[Defect]:
    found = []
    for name, longest, needed, label in (
        ("title", TITLE_MAX, True, "标题"),
        ("body", BODY_MAX, True, "正文"),
        ("title_en", TITLE_MAX, bool(text.body_en.strip()), "英文标题"),
        ("body_en", BODY_MAX, bool(text.title_en.strip()), "英文正文"),
        ("note", NOTE_MAX, False, "修改说明"),
    ):
        value = getattr(text, name).strip()
        if needed and not value:
            found.append(Defect(name, "missing", "请填写“{label}”。", {"label": label}))
        elif len(value) > longest:
            message = "“{label}”不能超过{n}个字。"
            found.append(Defect(name, "too_long", message, {"label": label, "n": longest}))
    return found


def _same(version: SitePageVersion, text: PageText) -> bool:
    names = ("title", "body", "title_en", "body_en")
    return all(getattr(version, name) == getattr(text, name).strip() for name in names)


def find_page(session: Session, slug: str) -> SitePage | None:
    return session.scalars(select(SitePage).where(SitePage.slug == slug)).first()


def get_page(session: Session, page_id: int) -> SitePage:
    page = session.get(SitePage, page_id)
    if page is None:
        raise NotFound()
    return page


def list_page_versions(session: Session, page: SitePage) -> list[SitePageVersion]:
    """Return every version, the newest first."""
    query = select(SitePageVersion).where(SitePageVersion.page_id == page.id)
    return list(session.scalars(query.order_by(SitePageVersion.number.desc())))


def get_page_version(session: Session, page: SitePage, number: int) -> SitePageVersion:
    found = session.scalars(
        select(SitePageVersion).where(
            SitePageVersion.page_id == page.id, SitePageVersion.number == number
        )
    ).first()
    if found is None:
        raise NotFound()
    return found


def shown_pages(session: Session, kind: str = "", *, limit: int = 200) -> Sequence[SitePageVersion]:
    """Return the versions that readers see, the newest page first."""
    query = (
        select(SitePageVersion)
        .join(SitePage, SitePage.id == SitePageVersion.page_id)
        .where(SitePage.shown_number == SitePageVersion.number)
        .order_by(SitePage.first_shown_at.desc(), SitePage.id.desc())
        .limit(limit)
    )
    return session.scalars(query.where(SitePage.kind == kind) if kind else query).all()


def shown_page(session: Session, slug: str) -> SitePageVersion:
    """Return what readers see at an address. Raises NotFound."""
    page = find_page(session, slug)
    if page is None or page.shown_number is None:
        raise NotFound()
    return get_page_version(session, page, page.shown_number)


def newest_versions(session: Session) -> list[SitePageVersion]:
    """Return the newest version of every page, by kind and age."""
    newest = (
        select(SitePageVersion.page_id, func.max(SitePageVersion.number).label("number"))
        .group_by(SitePageVersion.page_id)
        .subquery()
    )
    query = (
        select(SitePageVersion)
        .join(SitePage, SitePage.id == SitePageVersion.page_id)
        .join(
            newest,
            (newest.c.page_id == SitePageVersion.page_id)
            & (newest.c.number == SitePageVersion.number),
        )
        .order_by(SitePage.kind, SitePage.id.desc())
    )
    return list(session.scalars(query))
