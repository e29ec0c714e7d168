"""What templates use: dates, numbers, code names, and static files named by their content."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, abort, g, send_from_directory, url_for
from flask_babel import get_locale
from markupsafe import Markup
from werkzeug.security import safe_join

from portal.clock import SHANGHAI
from portal.codes import code_list
from portal.services.notices import count_unread
from portal.web import markdown
from portal.web.access import public
from portal.web.context import platform, session

YEAR_SECONDS = 365 * 86400
LONGEST_PATH = 200  # a longer name is an error of the file system, no missing file


def install(app: Flask) -> None:
    app.jinja_env.filters.update(
        day=day,
        moment=moment,
        number=number,
        size=size,
        code_name=code_name,
        markdown=markdown.render,
    )
    app.context_processor(_globals)


def _globals() -> dict[str, Any]:
    parts = platform()
    actor = g.get("actor")
    return {
        "site_title": parts.settings.site_title,
        "actor": actor,
        "language": language_code(),
        "navigation": [item for e in parts.extensions for item in e.navigation],
        "unread_notices": _unread,
        "codes": code_list,
    }


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

    @public
    def static(filename: str) -> Any:
        folder = find(filename)
        if folder is None:
            abort(404)
        return send_from_directory(folder, filename, max_age=YEAR_SECONDS)

    def asset(filename: str) -> str:
        return url_for("static", filename=filename, v=fingerprint(filename))

    @lru_cache(maxsize=64)
    def inline(filename: str) -> Markup:
        folder = find(filename)
        return Markup((folder / filename).read_text(encoding="utf-8")) if folder else Markup("")

    app.add_url_rule("/static/<path:filename>", "static", static)
    app.jinja_env.globals.update(asset=asset, inline_asset=inline)
