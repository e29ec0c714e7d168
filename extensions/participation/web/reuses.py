"""The gallery of reuses."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext

from extensions.participation.models.reuse import Reuse, get_reuse
from extensions.participation.rules import REUSE_ICONS, REUSE_KINDS, ReuseText
from extensions.participation.services.moderation import author_name
from extensions.participation.services.reuses import file_reuse, list_reuses
from extensions.participation.web.forms import Problem, attempt, readable, typed, typed_lines
from portal.permissions import is_bureau
from portal.web.access import public, signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.paging import Paging, page_number
from portal.web.translated import translated
from portal.web.work.blueprint import ID
from portal.web.work.decisions import form_key, fresh_key

blueprint = Blueprint("participation_reuses", __name__)
PAGE = 24


@blueprint.get("/reuses")
@public
def reuses() -> Any:
    kind = request.args.get("kind", "") if request.args.get("kind") in REUSE_KINDS else ""
    number = page_number(request.args)
    rows, total = list_reuses(session(), kind=kind, limit=PAGE, start=(number - 1) * PAGE)
    return render_template(
        "participation/reuses.html",
        rows=rows,
        kinds=translated(REUSE_KINDS),
        icons=REUSE_ICONS,
        kind=kind,
        total=total,
        paging=Paging(number, PAGE, total, request.path, [("kind", kind)] if kind else []),
    )


@blueprint.get("/reuses/new")
@signed_in
def new() -> Any:
    return _form_page(ReuseText(), typed("used"), None)


@blueprint.post("/reuses/new")
@writes
def file() -> Any:
    text = ReuseText(*(typed(name) for name in ("title", "kind", "url", "maker", "description")))
    made: list[Reuse] = []

    def act() -> None:
        used = typed_lines("used")
        made.append(file_reuse(session(), clock(), actor(), text, used, form_key=form_key()))

    return attempt(
        act,
        lambda problem: _form_page(text, typed("used"), problem),
        done=gettext("成果已提交，省数字化局审核后公开，结果会通知您。"),
        target=lambda: f"/reuses/{made[0].id}",
    )


def _form_page(text: ReuseText, used: str, problem: Problem | None) -> Any:
    return render_template(
        "participation/reuse_new.html",
        text=text,
        used=used,
        kinds=list(translated(REUSE_KINDS).items()),
        problem=problem,
        key=fresh_key(),
    )


@blueprint.get(f"/reuses/<{ID}:reuse_id>")
@public
def reuse(reuse_id: int) -> Any:
    found = readable(get_reuse(session(), reuse_id))
    return render_template(
        "participation/reuse.html",
        reuse=found,
        author=found.maker or author_name(found.author),
        kind=gettext(REUSE_KINDS[found.kind]),
        icon_name=REUSE_ICONS[found.kind],
        may_review=is_bureau(actor(), found),
    )
