"""What the Bureau writes, in public: news, policy, questions, terms, privacy; and the code lists."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template
from flask_babel import gettext
from sqlalchemy.exc import SQLAlchemyError

from portal.errors import NotFound
from portal.models.site_page import SitePageVersion
from portal.services.code_releases import (
    NAMES,
    changes_between,
    list_releases,
    newest_releases,
    table_of,
)
from portal.services.site_pages import (
    KINDS,
    SINGLE,
    find_page,
    get_page_version,
    list_page_versions,
    shown_page,
    shown_pages,
)
from portal.web.access import public
from portal.web.attachment import attachment
from portal.web.context import platform, session
from portal.web.figures import SECONDS, kept_for
from portal.web.presentation import language_code
from portal.web.translated import translated
from portal.web.work.blueprint import ID

blueprint = Blueprint("site_pages", __name__)


def words_of(version: SitePageVersion) -> tuple[str, str]:
    """Return (title, Markdown) in the reader's language; Chinese where there is no English."""
    if language_code() == "en" and version.title_en:
        return version.title_en, version.body_en
    return version.title, version.body


@blueprint.get("/pages")
@public
def pages() -> Any:
    return _list("")


@blueprint.get("/news")
@public
def news() -> Any:
    return _list("news")


@blueprint.get("/policies")
@public
def policies() -> Any:
    return _list("policy")


@blueprint.get("/faq")
@public
def faq() -> Any:
    return _list("faq")


def _list(kind: str) -> str:
    found = shown_pages(session(), kind)
    return render_template(
        "site_pages.html",
        kind=kind,
        kinds=translated(KINDS),
        pages=[(one, *words_of(one)) for one in found],
        whole=kind == "faq",
    )


@blueprint.get("/terms")
@public
def terms() -> Any:
    return _page("terms")


@blueprint.get("/privacy")
@public
def privacy() -> Any:
    return _page("privacy")


@blueprint.get("/pages/<slug>")
@public
def page(slug: str) -> Any:
    if slug in SINGLE.values():
        return redirect(f"/{slug}")
    return _page(slug)


def _page(slug: str) -> str:
    return _shown(shown_page(session(), slug), current=True)


@blueprint.get(f"/pages/<slug>/versions/<{ID}:number>")
@public
def page_version(slug: str, number: int) -> Any:
    """A version that readers see or once saw; others were never public."""
    found = find_page(session(), slug)
    if found is None or found.shown_number is None:
        raise NotFound()
    version = get_page_version(session(), found, number)
    if version.shown_at is None:
        raise NotFound()
    return _shown(version, current=found.shown_number == number)


def _shown(version: SitePageVersion, *, current: bool) -> str:
    title, body = words_of(version)
    versions = [v for v in list_page_versions(session(), version.page) if v.shown_at is not None]
    return render_template(
        "site_page.html",
        version=version,
        page=version.page,
        title=title,
        body=body,
        current=current,
        only_chinese=language_code() == "en" and not version.title_en,
        kinds=translated(KINDS),
        versions=versions,
        address=f"/{version.page.slug}"
        if version.page.slug in SINGLE.values()
        else f"/pages/{version.page.slug}",
    )


@blueprint.get("/standards")
@public
def standards() -> Any:
    """Every code list with its version."""
    return render_template(
        "standards.html",
        releases=newest_releases(session()),
        names={name: gettext(words) for name, words in NAMES.items()},
    )


@blueprint.get("/standards/<name>")
@public
def standard(name: str) -> Any:
    return _standard(name, None)


@blueprint.get(f"/standards/<name>/versions/<{ID}:number>")
@public
def standard_version(name: str, number: int) -> Any:
    return _standard(name, number)


def _standard(name: str, number: int | None) -> str:
    releases = list_releases(session(), name)
    release = next((one for one in releases if number in (None, one.number)), None)
    if release is None:
        raise NotFound()
    columns, rows = table_of(release)
    before = next((one for one in releases if one.number == release.number - 1), None)
    return render_template(
        "standard.html",
        name=gettext(NAMES[name]) if name in NAMES else name,
        release=release,
        releases=releases,
        columns=columns,
        rows=rows,
        changes=changes_between(before, release) if before else None,
    )


@blueprint.get(f"/standards/<name>/versions/<{ID}:number>.csv")
@public
def standard_csv(name: str, number: int) -> Response:
    release = next((r for r in list_releases(session(), name) if r.number == number), None)
    if release is None:
        raise NotFound()
    filename = f"{name}-{number}.csv"
    return attachment(release.text.encode("utf-8"), "text/csv; charset=utf-8", filename, filename)


@blueprint.app_context_processor
def _footer() -> dict[str, Any]:
    """Terms and privacy stand at the foot of every page once they are shown."""
    return {"foot_pages": _foot_pages}


def _foot_pages() -> list[tuple[str, str]]:
    """Return (address, title), as it was some seconds ago; nothing where the database is down."""
    code = language_code()
    found: list[tuple[str, str]] = kept_for("foot_pages", SECONDS).get(code, _read_foot_pages)
    return found


def _read_foot_pages() -> list[tuple[str, str]]:
    # A session of its own: the foot of an answer to a form must not hold the writers' lock.
    try:
        with platform().database.reading() as reading:
            found = {kind: shown_pages(reading, kind, limit=1) for kind in SINGLE}
    except SQLAlchemyError:  # the page that says so has a foot too
        return []
    return [(f"/{SINGLE[kind]}", words_of(one)[0]) for kind, ones in found.items() for one in ones]
