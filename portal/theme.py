"""A theme is a folder: templates and static files that override those of `jilin`, one by one.

`theme.json` may name the portal: `{"site_title": "…", "site_title_en": "…"}`. Styles that only change
some values go into `static/css/theme.css`, which every page loads last if it is there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

THEMES = Path(__file__).parents[1] / "themes"
BASE = "jilin"
NAMED = ("site_title", "site_title_en")


class ThemeError(ValueError):
    """The theme named by the setting cannot be used; the message says why."""


def theme_folders(name: str) -> list[Path]:
    """Return where templates and static files are looked for, the theme's own first.

    Raises:
        ThemeError: there is no such folder.
    """
    own = THEMES / name  # an absolute path stays what it is
    if not (own / "templates").is_dir() and not (own / "static").is_dir():
        raise ThemeError(f"no theme at {own}: it needs a folder templates or static")
    return list(dict.fromkeys((own, THEMES / BASE)))


def read_theme(name: str) -> dict[str, Any]:
    """Return the names that the theme gives the portal; none if it has no theme.json.

    Raises:
        ThemeError: theme.json is no JSON object, or says something else.
    """
    path = THEMES / name / "theme.json"
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ThemeError(f"{path}: {error}") from error
    if not isinstance(found, dict) or not set(found) <= set(NAMED):
        raise ThemeError(f"{path}: only {', '.join(NAMED)} may stand here")
    return found
