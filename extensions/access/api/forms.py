"""Which form an answer takes: `format`, else the first of the Accept header that we have."""

from __future__ import annotations

from flask import request

MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
}
FORMATS = tuple(MEDIA_TYPES)


def chosen_form(asked: str) -> str:
    """Return a key of MEDIA_TYPES; JSON where nothing fits, since every program reads it."""
    if asked:
        return asked
    best = request.accept_mimetypes.best_match(list(MEDIA_TYPES.values()))
    return next((form for form, media_type in MEDIA_TYPES.items() if media_type == best), "json")


def content_type(form: str) -> str:
    return MEDIA_TYPES[form] + ("" if form == "json" else "; charset=utf-8")
