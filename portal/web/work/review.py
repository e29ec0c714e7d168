"""The reviewer's list and the batch: several that are alike, one decision, each with its outcome."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import render_template, request
from flask_babel import gettext

from portal.errors import Defect, Invalid
from portal.permissions import Permission, require
from portal.services.clockface import clockface
from portal.services.reviewing import BATCH_MAX, Waiting, list_waiting, review_many
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.paging import Paging, page_number
from portal.web.work.blueprint import work_blueprint
from portal.web.work.decisions import (
    REFUSALS,
    Problem,
    form_date,
    form_key,
    form_text,
    fresh_key,
    refused,
)
from portal.web.work.entry_fields import FIELDS

blueprint = work_blueprint("work_review")
PAGE = 50
KINDS_SHOWN = 12


@blueprint.get("/work/review")
@signed_in
def waiting() -> Any:
    require(actor(), Permission.ENTRY_REVIEW)
    return _page()


def _page(problem: Problem | None = None) -> str:
    everything = list_waiting(session(), actor())
    kind, provider = request.values.get("kind", ""), request.values.get("provider", "")
    chosen = [
        row for row in everything if kind in ("", row.kind) and provider in ("", row.provider_code)
    ]
    number = page_number(request.args)
    pairs = [(k, v) for k, v in (("kind", kind), ("provider", provider)) if v]
    paging = Paging(number, PAGE, len(chosen), "/work/review", pairs)
    shown = chosen[paging.start : paging.start + PAGE]
    return render_template(
        "work/review.html",
        rows=shown,
        faces={row.version_id: _face(row) for row in shown},
        kinds=_kinds(everything),
        kind=kind,
        providers=sorted({(row.provider_code, row.provider) for row in everything}),
        provider=provider,
        kind_words=kind_words,
        ticked=request.form.getlist("item"),
        given=request.form,
        total=len(everything),
        paging=paging,
        problem=problem,
        most=BATCH_MAX,
        field_names=[(name, gettext(field.label)) for name, field in FIELDS.items()],
        key=fresh_key(),
    )


def _face(row: Waiting) -> Any:
    if row.due_on is None:
        return None
    return clockface(session(), clock(), row.due_on, row.provisional)


def _kinds(rows: list[Waiting]) -> list[tuple[str, str, int]]:
    """Return (kind, words, how many) of what waits more than once, the most first."""
    first = {row.kind: row for row in reversed(rows)}
    counts = Counter(row.kind for row in rows).most_common(KINDS_SHOWN)
    return [(kind, kind_words(first[kind]), n) for kind, n in counts]


def kind_words(row: Waiting) -> str:
    if row.changed is None:
        return gettext("新编目录")
    if not row.changed:
        return gettext("内容没有差异")
    labels = [gettext(FIELDS[n].label) if n in FIELDS else n for n in row.changed]
    more = gettext("等%(n)s项", n=len(labels)) if len(labels) > 4 else ""
    return gettext("修订：%(fields)s%(more)s", fields=gettext("、").join(labels[:4]), more=more)


@blueprint.post("/work/review")
@writes
def decide_many() -> Any:
    """One decision for every ticked version; each is pinned to what was shown."""
    require(actor(), Permission.ENTRY_REVIEW)
    approve = request.form.get("verdict") != "return"
    try:
        reason = form_text("reason", label=gettext("总体意见"))
        outcomes = review_many(
            session(),
            clock(),
            actor(),
            [_pinned(item) for item in request.form.getlist("item")],
            approve=approve,
            reason=reason,
            defects=[] if approve else [_shared_defect(reason)],
            release_on=form_date("release_on", gettext("发布日期")) if approve else None,
            key=form_key(),
        )
    except REFUSALS as error:
        return refused(error, _page)
    return render_template(
        "work/review_done.html",
        approve=approve,
        outcomes=[(one, Problem.of(one.refused) if one.refused else None) for one in outcomes],
        done=sum(1 for one in outcomes if one.refused is None),
    )


def _pinned(item: str) -> tuple[int, int]:
    """Read "version:row_version" of a ticked box. Raises Invalid."""
    version, _, seen = item.partition(":")
    numbers = [part for part in (version, seen) if part.isascii() and part.isdigit()]
    if len(numbers) != 2 or len(item) > 30:
        raise Invalid.one("item", "stale_form", "页面已过期，请刷新后重新操作。")
    return int(version), int(seen)


def _shared_defect(reason: str) -> Defect:
    """Return what is wrong with every one of a batch: one defect, tied to a field if one is named.

    Raises:
        Invalid: it is not said.
    """
    message = form_text("defect_message", longest=1000, label=gettext("问题和修改要求")) or reason
    if not message:
        raise Invalid.one("reason", "missing", "退回须写明问题和修改要求。")
    field = request.form.get("defect_field", "")
    return Defect(field if field in FIELDS else "", "returned", "{text}", {"text": message})
