"""The published catalogue versions of an entry: their list, each for ever, and what differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request
from flask_babel import gettext

from portal.errors import Invalid, NotFound
from portal.models.entry import CatalogueEntry
from portal.rules.entry_content import EntryContent
from portal.services.content import content_json
from portal.services.metadata_history import (
    SHOWN_FIELDS,
    SHOWN_PARTS,
    PublishedVersion,
    count_published_versions,
    list_published,
    published_before,
    published_content,
)
from portal.web.access import public
from portal.web.citations import site_address
from portal.web.context import session
from portal.web.dataset import readable_entry, renamed_entry
from portal.web.paging import Paging, page_number
from portal.web.work.blueprint import ID
from portal.web.work.difference import Difference, difference, words
from portal.web.work.entry_fields import FIELDS, ITEM_LABELS

blueprint = Blueprint("metadata_history", __name__)
HISTORY = "/dataset/<key>/history"
PAGE = 50
OFFERED = 200  # versions in the boxes of the comparison


@blueprint.get(HISTORY)
@public
def versions(key: str) -> Any:
    return _for(key, "", _list_page)


@blueprint.get(f"{HISTORY}.json")
@public
def versions_json(key: str) -> Any:
    return _for(key, ".json", _list_json)


@blueprint.get(f"{HISTORY}/<{ID}:number>")
@public
def version(key: str, number: int) -> Any:
    """Show what one version said; the address and what it shows stay the same."""
    return _for(key, f"/{number}", lambda entry: _version_page(entry, number))


@blueprint.get(f"{HISTORY}/<{ID}:number>.json")
@public
def version_json(key: str, number: int) -> Any:
    return _for(key, f"/{number}.json", lambda entry: _version_json(entry, number))


@blueprint.get(f"{HISTORY}/difference")
@public
def compare(key: str) -> Any:
    return _for(key, "/difference", _difference_page)


@blueprint.get(f"{HISTORY}/difference.json")
@public
def compare_json(key: str) -> Any:
    return _for(key, "/difference.json", _difference_json)


def _for(key: str, rest: str, answer: Callable[[CatalogueEntry], Any]) -> Any:
    """Answer for the entry; a name that it had before leads to the one that it has.

    Raises:
        NotFound, Gone: no such entry (any more) for this caller, or it was never published.
    """
    try:
        entry = readable_entry(key)
    except NotFound:
        renamed = renamed_entry(key)
        if renamed is None:
            raise
        asked = request.query_string.decode("ascii", "ignore")
        return redirect(f"{_base(renamed)}{rest}{'?' if asked else ''}{asked}", 301)
    if not count_published_versions(session(), entry.id):
        raise NotFound("该目录还没有发布过，没有历史版本。")
    return answer(entry)


def _base(entry: CatalogueEntry) -> str:
    return f"/dataset/{entry.slug}/history"


def _list_page(entry: CatalogueEntry) -> str:
    total = count_published_versions(session(), entry.id)
    paging = Paging(page_number(request.args), PAGE, total, _base(entry))
    if paging.number > paging.pages:
        raise NotFound(
            "没有第 {number} 页，一共 {pages} 页。", number=paging.number, pages=paging.pages
        )
    # One more than is shown: the last line of a page is compared with the first of the next.
    found = list_published(session(), entry.id, start=paging.start, rows=PAGE + 1)
    pairs = [(one, older) for one, older in zip(found, [*found[1:], None], strict=True)][:PAGE]
    return render_template(
        "metadata_history.html",
        **_shared(entry),
        rows=pairs,
        total=total,
        paging=paging,
        offered=list_published(session(), entry.id, rows=OFFERED),
    )


def _shared(entry: CatalogueEntry) -> dict[str, Any]:
    current = entry.published_version
    return {
        "entry": entry,
        "title": current.title if current else entry.code,
        "address": _base(entry),
        "newest": current.number if current else 0,
    }


def _list_json(entry: CatalogueEntry) -> Any:
    total = count_published_versions(session(), entry.id)
    number = page_number(request.args)
    found = list_published(session(), entry.id, start=(number - 1) * PAGE, rows=PAGE)
    return jsonify(
        entry=_named(entry),
        count=total,
        page=number,
        pages=max(1, -(-total // PAGE)),
        versions=[_line(entry, one) for one in found],
    )


def _named(entry: CatalogueEntry) -> dict[str, str]:
    return {
        "id": entry.public_id,
        "name": entry.slug,
        "code": entry.code,
        "url": site_address(f"/dataset/{entry.slug}"),
    }


def _line(entry: CatalogueEntry, one: PublishedVersion) -> dict[str, Any]:
    return {
        "number": one.number,
        "published_at": one.published_at.isoformat(),
        "reason": one.reason,
        "url": site_address(f"{_base(entry)}/{one.number}"),
    }


def _version_page(entry: CatalogueEntry, number: int) -> str:
    shown, content = published_content(session(), entry.id, number)
    older = published_before(session(), entry.id, number)
    return render_template(
        "metadata_version.html",
        **_shared(entry),
        version=shown,
        older=older,
        fields=_in_words(content),
        items=content.items,
        permanent=site_address(f"{_base(entry)}/{number}"),
    )


def _in_words(content: EntryContent) -> list[tuple[str, tuple[str, ...]]]:
    """Return label and lines of each field that says something, in the order of the editor."""
    found = [
        (gettext(field.label), words(field, getattr(content, name)))
        for name, field in FIELDS.items()
        if name in SHOWN_FIELDS
    ]
    return [(label, lines) for label, lines in found if lines]


def _version_json(entry: CatalogueEntry, number: int) -> Any:
    shown, content = published_content(session(), entry.id, number)
    values = content_json(content)
    return jsonify(
        entry=_named(entry),
        version=_line(entry, shown),
        labels={name: gettext(FIELDS[name].label) for name in SHOWN_FIELDS},
        item_labels={name: gettext(ITEM_LABELS[name]) for name in SHOWN_PARTS},
        metadata={name: values[name] for name in SHOWN_FIELDS if name in values},
        items=[
            {name: value for name, value in item.items() if name in SHOWN_PARTS}
            for item in values.get("items", [])
        ],
    )


def _pair(entry: CatalogueEntry) -> tuple[PublishedVersion, PublishedVersion, Difference]:
    """Return the versions that the address names, the older first, and what differs.

    Without numbers they are the last two.

    Raises:
        NotFound: there is no such version, or only one.
        Invalid: a number is none.
    """
    newest = list_published(session(), entry.id, rows=2)
    asked = [_number("from"), _number("to")]
    if None in asked and len(newest) < 2:
        raise NotFound("该目录只发布过一版，没有可比较的。")
    default = (newest[-1].number, newest[0].number)
    chosen = sorted(a if a is not None else d for a, d in zip(asked, default, strict=True))
    before, old = published_content(session(), entry.id, chosen[0])
    after, new = published_content(session(), entry.id, chosen[1])
    return before, after, difference(old, new)


def _number(name: str) -> int | None:
    text = request.args.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid.one(name, "integer", "版本号应为整数，如 2。")
    return int(text)


def _difference_page(entry: CatalogueEntry) -> str:
    before, after, found = _pair(entry)
    return render_template(
        "metadata_difference.html",
        **_shared(entry),
        before=before,
        after=after,
        changes=found,
        offered=_offered(entry, before, after),
    )


def _offered(entry: CatalogueEntry, *chosen: PublishedVersion) -> list[PublishedVersion]:
    """Return the newest versions, with those that are shown if they are older than that."""
    found = {one.number: one for one in list_published(session(), entry.id, rows=OFFERED)}
    found |= {one.number: one for one in chosen}
    return [found[number] for number in sorted(found, reverse=True)]


def _difference_json(entry: CatalogueEntry) -> Any:
    before, after, found = _pair(entry)
    return jsonify(
        entry=_named(entry),
        **{"from": _line(entry, before), "to": _line(entry, after)},
        fields=[_plain(asdict(change)) for change in found.fields],
        items=[
            {
                "change": item.kind,
                "name": item.name,
                "field_name": item.field_name,
                "parts": [_plain(asdict(part)) for part in item.parts],
            }
            for item in found.items
        ],
    )


def _plain(change: dict[str, Any]) -> dict[str, Any]:
    return {"field": change.pop("name"), **change}
