"""The words of templates in the reader's language, looked up once a request.

Flask-Babel looks for the request's catalogue at every word, and Jinja's own wrapper makes two calls
and a formatting of each; a page has a hundred of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, g
from flask_babel import get_translations, gettext
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup


def install(app: Flask) -> None:
    """Put the quick look-up where templates find `_`, `gettext` and `ngettext`."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        _translate, _translate_number, newstyle=True
    )
    app.jinja_env.globals.update(_=_gettext, gettext=_gettext)


def translated(labels: Mapping[str, str]) -> dict[str, str]:
    """Return labels, such as the states of a flow, in the reader's language: {code: words}."""
    return {code: gettext(text) if text else "" for code, text in labels.items()}


def _catalogue() -> Any:
    found = g.get("catalogue")
    if found is None:
        found = g.catalogue = get_translations()
    return found


@pass_context
def _gettext(context: Context, text: str, **values: Any) -> str:
    """Return the words as Jinja's newstyle `gettext` does: escaped values filled in."""
    found = _catalogue().ugettext(text) if text else ""  # the header stands under no words
    words = Markup(found) if context.eval_ctx.autoescape else str(found)
    return words % values if values or "%" in words else words


def _translate(text: str) -> str:
    return str(_catalogue().ugettext(text))


def _translate_number(singular: str, plural: str, n: int) -> str:
    return str(_catalogue().ungettext(singular, plural, n))
