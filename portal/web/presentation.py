"""What templates use: dates, numbers, code names, and static files named by their content."""

from __future__ import annotations

import gzip
import hashlib
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, abort, g, request, send_from_directory, url_for
from flask_babel import get_locale
from markupsafe import Markup
from werkzeug.security import safe_join

from portal.clock import SHANGHAI
from portal.codes import code_list
from portal.services.notices import count_unread
from portal.web import markdown
from portal.web.access import public
from portal.web.context import platform, session
from portal.web.device import device

YEAR_SECONDS = 365 * 86400
PACKED = (".css", ".js", ".svg", ".json")  # sent compressed: text that never holds secrets
LONGEST_PATH = 200  # a longer name is an error of the file system, no missing file


def install(app: Flask) -> None:
    app.jinja_env.filters.update(
        day=day,
        moment=moment,
        number=number,
        size=size,
        code_name=code_name,
        device=device,
        markdown=markdown.render,
    )
    app.context_processor(_globals)


def _globals() -> dict[str, Any]:
    parts = platform()
    actor = g.get("actor")
    return {
        "site_title": site_title(),
        "actor": actor,
        "language": language_code(),
        "navigation": [item for e in parts.extensions for item in e.navigation],
        "unread_notices": _unread,
        "codes": code_list,
    }


def site_title() -> str:
    """Return the portal's name in the reader's language."""
    settings = platform().settings
    english = settings.site_title_en if language_code() == "en" else ""
    return english or settings.site_title


def _unread() -> int:
    account_id = g.actor.account_id
    return count_unread(session(), account_id) if account_id is not None else 0


def language_code() -> str:
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else "zh"


def day(value: date | datetime | str | None) -> str:
    """Return a date in words: 2026年11月24日."""
    if not value:
        return ""
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if isinstance(value, datetime):
        value = value.astimezone(SHANGHAI).date()
    if language_code() == "en":
        return f"{value.day} {value:%B} {value.year}"
    return f"{value.year}年{value.month}月{value.day}日"


def moment(value: datetime | None) -> str:
    """Return a local date and time."""
    if value is None:
        return ""
    local = value.astimezone(SHANGHAI)
    return f"{day(value)} {local:%H:%M}"


def number(value: float | None) -> str:
    if value is None:
        return "—"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,}"


def size(size_bytes: int | None) -> str:
    """Return a size in words a person reads: 1.2 MB."""
    if size_bytes is None:
        return ""
    amount = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1024 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return ""


def code_name(code: str, list_name: str) -> str:
    return code_list(list_name).label(code, language_code())


def serve_static(app: Flask, folders: list[Path]) -> None:
    """Serve theme files under /static/, named with their hash so that they never go stale."""

    def find(filename: str) -> Path | None:
        path = safe_join("", filename)
        if path is None or len(path) > LONGEST_PATH:
            return None
        return next((f for f in folders if (f / path).is_file()), None)

    @lru_cache(maxsize=512)
    def fingerprint(filename: str) -> str:
        folder = find(filename)
        content = (folder / filename).read_bytes() if folder else b""
        return hashlib.sha256(content).hexdigest()[:12]

    @lru_cache(maxsize=64)
    def packed(filename: str) -> bytes:
        folder = find(filename)
        return gzip.compress((folder / filename).read_bytes(), mtime=0) if folder else b""

    @public
    def static(filename: str) -> Any:
        folder = find(filename)
        if folder is None:
            abort(404)
        response = send_from_directory(folder, filename, max_age=YEAR_SECONDS)
        if filename.endswith(PACKED):
            response.headers["Vary"] = "Accept-Encoding"
            if _takes_gzip() and response.status_code == 200:
                response.direct_passthrough = False
                response.set_data(packed(filename))
                response.headers["Content-Encoding"] = "gzip"
                response.headers.pop("ETag", None)  # it named the other bytes
                response.headers.pop("Accept-Ranges", None)
        return response

    def asset(filename: str) -> str:
        return url_for("static", filename=filename, v=fingerprint(filename))

    @lru_cache(maxsize=64)
    def inline(filename: str) -> Markup:
        folder = find(filename)
        return Markup((folder / filename).read_text(encoding="utf-8")) if folder else Markup("")

    app.add_url_rule("/static/<path:filename>", "static", static)

    def has_asset(filename: str) -> bool:
        return find(filename) is not None

    app.jinja_env.globals.update(asset=asset, has_asset=has_asset, inline_asset=inline)


def _takes_gzip() -> bool:
    return request.accept_encodings.quality("gzip") > 0 and "Range" not in request.headers
