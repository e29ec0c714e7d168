"""The part of a result that depends on nothing but the entry and the language, kept as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from flask import current_app
from markupsafe import Markup

from portal.web.presentation import language_code


def hit_body(stored: Mapping[str, Any], *, with_reasons: bool = True) -> Markup:
    """Return facts, labels and reasons of an entry as result lists show them."""
    raw = orjson.dumps(stored, option=orjson.OPT_SORT_KEYS)
    return _body(current_app.jinja_env, language_code(), raw, with_reasons)


@lru_cache(maxsize=4096)
def _body(environment: Any, language: str, raw: bytes, with_reasons: bool) -> Markup:
    """What is stored with an entry is all that its part of the page is made of."""
    macros = environment.get_template("macros/catalogue.html").module
    return Markup(macros.body(orjson.loads(raw), language == "en", with_reasons))
