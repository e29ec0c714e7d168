"""The words of templates in the reader's language, looked up once a request.

Flask-Babel looks for the request's catalogue at every word; a page has a hundred of them.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, g
from flask_babel import get_translations


def install(app: Flask) -> None:
    """Put the quick look-up where templates find `_` and `ngettext`."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        _gettext, _ngettext, newstyle=True
    )


def _catalogue() -> Any:
    found = g.get("catalogue")
    if found is None:
        found = g.catalogue = get_translations()
    return found


def _gettext(text: str) -> str:
    return str(_catalogue().ugettext(text))


def _ngettext(singular: str, plural: str, n: int) -> str:
    return str(_catalogue().ungettext(singular, plural, n))
