"""The Bureau's words on an entry: its value (livelihood, high value), and the second look."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import gettext

from portal.services.second_look import take_second_look
from portal.services.value_confirmation import confirm_value
from portal.web.access import writes
from portal.web.context import actor, clock, session
from portal.web.work.blueprint import work_blueprint
from portal.web.work.decisions import decide, form_text
from portal.web.work.versions import show_entry
from portal.web.work.visibility import entry_for_work

blueprint = work_blueprint("work_value")


@blueprint.post("/work/entries/<slug>/value")
@writes
def confirm(slug: str) -> Any:
    seen = request.form.get("seen_marks", "")

    def act() -> None:
        confirm_value(
            session(),
            clock(),
            actor(),
            entry_for_work(slug),
            livelihood=request.form.get("livelihood") == "yes",
            high_value=request.form.get("high_value") == "yes",
            reason=form_text("value_reason"),
            seen=("L" in seen, "H" in seen),
        )

    return _decide(slug, act, gettext("价值标注已更新，得分已重新计算。"))


@blueprint.post("/work/entries/<slug>/second-look")
@writes
def second_look(slug: str) -> Any:
    def act() -> None:
        entry = entry_for_work(slug)
        take_second_look(session(), clock(), actor(), entry, finding=form_text("finding"))

    return _decide(slug, act, gettext("已记录复核。"))


def _decide(slug: str, act: Any, done: str) -> Any:
    return decide(
        act,
        lambda problem: show_entry(slug, problem),
        done=done,
        target=f"/work/entries/{slug}/published",
    )
