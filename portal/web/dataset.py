"""The page of one data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request
from markupsafe import Markup

from portal.clock import local_date
from portal.codes import code_list
from portal.errors import Absorbed, Gone, NotFound, Unavailable
from portal.extension import EntryPanel
from portal.models.distribution import find_profile
from portal.models.entry import CatalogueEntry, find_entry, find_unfinished_version
from portal.models.file_check import checks_of
from portal.models.former_slug import find_renamed_entry
from portal.permissions import Permission, is_allowed
from portal.rules.entry_content import EntryContent
from portal.services.absorption import check_not_absorbed
from portal.services.entry_view import EntryView, FileView, view_entry
from portal.services.opening import NotOpen, check_open
from portal.services.structured_data import dataset_json_ld
from portal.tables.row_notes import REASONS
from portal.web import markdown
from portal.web.access import public
from portal.web.citations import citations_of_dataset
from portal.web.context import actor, clock, platform, session
from portal.web.errors import message_of
from portal.web.figures import kept_downloads, kept_sections, kept_views, similar_entries
from portal.web.presentation import language_code
from portal.web.preview import Preview, show_preview
from portal.web.preview_views import differences_shown

blueprint = Blueprint("dataset", __name__)
EXCERPT_MAX = 140


@dataclass(frozen=True)
class Page:
    """What of a page depends on the entry alone, ready to be shown."""

    view: EntryView
    abstract: Markup
    excerpt: str
    json_ld: dict[str, Any]


@blueprint.get("/dataset/<key>")
@public
def dataset(key: str) -> Any:
    try:
        entry = readable_entry(key)
    except NotFound:
        renamed = renamed_entry(key)
        if renamed is None:
            raise
        return redirect(f"/dataset/{renamed.slug}", 301)
    except Absorbed as error:
        return redirect(f"/dataset/{error.successor}", 301)
    page = _page(entry)
    view = page.view
    may_download, refusal = download_right(entry, view)
    file, preview = _preview(view, request.args) if may_download else (None, None)
    shown = {
        "entry": view,
        "content": view.content,
        "abstract": page.abstract,
        "excerpt": page.excerpt,
        "licence": code_list("licences").find(view.content.licence),
        "may_download": may_download,
        "file": file,
        "preview": preview,
        "forms": EXPORT_FORMS,
        "note_reasons": REASONS,
        "checks": lambda: checks_of(session(), [file.public_id for file in view.files]),
        "differences": partial(differences_shown, view.content, file.table if file else None),
    }
    return render_template(
        "dataset.html",
        **shown,
        section=lambda name: _section(name, entry.index_version, shown),
        json_ld=page.json_ld,
        reasons=[r for r in view.value.get("reasons", []) if r["points"] > 0],
        panels=_panels(entry),
        marks=_marks(entry),
        refusal=refusal,
        downloads=kept_downloads(view.id),
        similar=_similar(view),
    )


def _section(name: str, index_version: int, shown: dict[str, Any]) -> Markup:
    """Return a part of the page as HTML, kept while the entry stays as it is.

    A filtered preview is made anew; the first rows of a table and all the rest are not.
    """
    view: EntryView = shown["entry"]
    template = current_app.jinja_env.get_template(f"parts/{name}.html")

    def make() -> Markup:
        return Markup(template.render(**shown, citations=citations_of_dataset(view)))

    if name == "preview" and not shown["preview"].is_first:
        return make()
    table = shown["file"].public_id if name == "preview" else ""
    today = local_date(clock()())
    key = (name, view.id, index_version, language_code(), shown["may_download"], table, today)
    section: Markup = kept_sections().get(key, make)
    return section


EXPORT_FORMS = (
    ("xlsx", "Excel（XLSX）"),
    ("csv", "CSV（UTF-8）"),
    ("csv-gb18030", "CSV（GB18030）"),
    ("json", "JSON"),
    ("ndjson", "NDJSON"),
    ("xml", "XML"),
    ("rdf", "RDF（Turtle）"),
    ("parquet", "Parquet"),
)


def readable_entry(key: str) -> CatalogueEntry:
    """Return the entry if the caller may read it; its slug, public id and code all name it.

    Raises:
        NotFound: there is none, or none for this caller.
        Gone: it was published and is retired; the message says why. Absorbed: by which entry.
    """
    entry = find_entry(session(), key)
    if entry is None:
        raise NotFound("没有代码或名称为“{key}”的数据。", key=key[:100])
    if entry.retired_at is not None:
        check_not_absorbed(session(), entry)
        version = entry.published_version
        title = version.title if version else entry.code
        day = local_date(entry.retired_at)
        raise Gone(
            "“{title}”已于 {day} 撤下。原因：{reason}",
            title=title,
            day=day.isoformat(),
            reason=entry.retired_reason or "—",
        )
    if not is_allowed(actor(), Permission.ENTRY_READ, entry):
        raise NotFound("没有代码或名称为“{key}”的数据。", key=key[:100])
    return entry


def renamed_entry(key: str) -> CatalogueEntry | None:
    """Return the entry that had this name once, if the caller may know the one that it has.

    The name of what was never public is nobody's to know but its own people's.
    """
    entry = find_renamed_entry(session(), key[:120])
    if entry is None or entry.retired_at is not None:
        return entry
    return entry if is_allowed(actor(), Permission.ENTRY_READ, entry) else None


def shortened(text: str) -> str:
    return text if len(text) <= EXCERPT_MAX else text[: EXCERPT_MAX - 1] + "…"


def entry_page_view(entry: CatalogueEntry) -> EntryView:
    return _page(entry).view


def _page(entry: CatalogueEntry) -> Page:
    """Return the kept page of the entry as it stands; see `entry_view` why that is safe."""

    def make() -> Page:
        version = entry.published_version or find_unfinished_version(session(), entry.id)
        if version is None:
            raise NotFound("没有代码或名称为“{key}”的数据。", key=entry.slug)
        view = view_entry(session(), entry, version)
        settings = platform().settings
        json_ld = dataset_json_ld(view, settings.site_url.rstrip("/"), settings.site_title)
        abstract = markdown.render(view.content.abstract)
        return Page(view, abstract, shortened(abstract.striptags()), json_ld)

    page: Page = kept_views().get((entry.id, entry.index_version), make)
    return page


@dataclass(frozen=True)
class Subject:
    """Of an entry, what the permission rules ask; spares reading its version again."""

    is_public: bool
    provider_id: int
    responsible_dept_id: int
    published_version: EntryContent | None


def subject_of(entry: CatalogueEntry, view: EntryView) -> Subject:
    published = view.content if entry.published_version_id is not None else None
    return Subject(entry.is_public, entry.provider_id, entry.responsible_dept_id, published)


def download_right(entry: CatalogueEntry, view: EntryView) -> tuple[bool, str]:
    """Return whether the caller may have the data, and why not, in words, if it is only not open."""
    subject = subject_of(entry, view)
    if not is_allowed(actor(), Permission.DISTRIBUTION_DOWNLOAD, subject):
        return False, ""
    try:
        check_open(actor(), subject, view.opening)
    except NotOpen as error:
        return False, message_of(error)
    return True, ""


def _preview(view: EntryView, args: Mapping[str, str]) -> tuple[FileView | None, Preview | None]:
    tables = {file.public_id: file for file in view.tables}
    if not tables:
        return None, None
    file = tables.get(args.get("table", "")) or next(iter(tables.values()))
    if file.table is None:
        return None, None
    path = f"/dataset/{view.slug}"

    def kept_profile() -> Mapping[str, Any] | None:
        return find_profile(session(), view.id, file.public_id)

    return file, show_preview(
        platform().tables, file.table, args, path, file.public_id, kept_profile
    )


def _panels(entry: CatalogueEntry) -> list[EntryPanel]:
    found = (
        source(session(), actor(), entry)
        for extension in platform().extensions
        for source in extension.panels
    )
    return [panel for panel in found if panel is not None]


def _marks(entry: CatalogueEntry) -> list[str]:
    return [
        word
        for extension in platform().extensions
        for source in extension.marks
        for word in source(session(), entry)
    ]


def _similar(view: EntryView) -> list[Mapping[str, Any]]:
    """Related data is a courtesy: a page does without when the search engine is down."""
    try:
        return similar_entries(view.content.theme, view.id)
    except Unavailable:
        return []
