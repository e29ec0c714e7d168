"""How data sets and versions of their files are cited, with this portal's addresses."""

from __future__ import annotations

from urllib.parse import quote

from portal.clock import local_date
from portal.services.citation import Cited, bibtex, gb7714
from portal.services.data_versions import FileVersion
from portal.services.entry_view import EntryView, FileView
from portal.web.context import clock, platform


def site_address(path: str) -> str:
    """Return the full public address of a path of this portal."""
    return platform().settings.site_url.rstrip("/") + quote(path)


def version_path(view: EntryView, file: FileView, number: int) -> str:
    """Return the permanent path of a version; it names the data set, the file and the number."""
    return f"/dataset/{view.slug}/resource/{file.public_id}/version/{number}"


def citations_of_dataset(view: EntryView) -> tuple[str, str]:
    """Return the citations of the data set as it stands: GB/T 7714 and BibTeX."""
    cited = Cited(
        key=view.slug,
        author=view.provider.name,
        title=view.content.title,
        version=view.version_number,
        platform=platform().settings.site_title,
        published_on=local_date(view.modified_at),
        url=site_address(f"/dataset/{view.slug}"),
    )
    return _both(cited)


def citations_of_version(view: EntryView, file: FileView, version: FileVersion) -> tuple[str, str]:
    """Return the citations of one version of a file, which names the same bytes for ever."""
    title = view.content.title
    if file.name and file.name not in (title, version.filename):
        title = f"{title}：{file.name}"
    cited = Cited(
        key=f"{view.slug}-{file.public_id[:8]}-v{version.number}",
        author=view.provider.name,
        title=title,
        version=version.number,
        platform=platform().settings.site_title,
        published_on=local_date(version.created_at),
        url=site_address(version_path(view, file, version.number)),
    )
    return _both(cited)


def _both(cited: Cited) -> tuple[str, str]:
    today = local_date(clock()())
    return gb7714(cited, today), bibtex(cited, today)
