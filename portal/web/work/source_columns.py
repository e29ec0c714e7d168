"""Which column of a spreadsheet source holds which field: looked at, guessed, confirmed, kept."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext

from harvesters.codes import plain_word
from portal.errors import Conflict, Invalid, NotFound
from portal.models.harvest import HarvestSource
from portal.services.source_columns import (
    ASKED,
    OPEN_LIST,
    READY,
    ask_for_sample,
    confirm_columns,
    field_names,
    forget_columns,
)
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.translated import translated
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import Problem, decide, form_text
from portal.web.work.sources import find_source

blueprint = work_blueprint("work_source_columns")
SAMPLE_ROWS = 4


@blueprint.get(f"/work/sources/<{ID}:source_id>/columns")
@signed_in
def columns(source_id: int) -> Any:
    return _page(_sheet(source_id))


def _sheet(source_id: int) -> HarvestSource:
    source = find_source(source_id)
    if source.kind != OPEN_LIST:
        raise NotFound("只有表格清单来源有列对应。")
    return source


def _page(source: HarvestSource, problem: Problem | None = None) -> str:
    sample = source.sample or {}
    return render_template(
        "work/source_columns.html",
        source=source,
        sample=sample,
        is_waiting=sample.get("state") == ASKED,
        columns=_columns(source, sample, request.form.getlist("field") if problem else []),
        gone=_gone(source, sample),
        fields=list(translated(field_names()).items()),
        problem=problem,
    )


def _columns(
    source: HarvestSource, sample: dict[str, Any], given: list[str]
) -> list[dict[str, Any]]:
    """Return each column with what stands in it, and the field that is chosen or guessed."""
    confirmed = (source.columns or {}).get("fields", {})
    known = {plain_word(heading): field for heading, field in confirmed.items()}
    ready = sample.get("state") == READY
    header = sample["header"] if ready else (source.columns or {}).get("header", [])
    guess = sample.get("guess", {}) if ready else {}
    found: list[dict[str, Any]] = []
    for number, heading in enumerate(header):
        word = plain_word(heading)
        is_new = bool(heading) and bool(known) and word not in known
        chosen = known[word] if word in known else guess.get(heading, "")
        values = [row[number] for row in sample.get("rows", []) if number < len(row)]
        found.append(
            {
                "number": number,
                "heading": heading,
                "field": given[number] if number < len(given) else chosen,
                "is_new": is_new,
                "is_guess": bool(chosen) and word not in known,
                "values": [value for value in values if value][:SAMPLE_ROWS],
            }
        )
    return found


def _gone(source: HarvestSource, sample: dict[str, Any]) -> list[str]:
    """Return confirmed headings that the list no longer has."""
    if sample.get("state") != READY or not source.columns:
        return []
    here = set(map(plain_word, sample["header"]))
    return [heading for heading in source.columns["header"] if plain_word(heading) not in here]


@blueprint.post(f"/work/sources/<{ID}:source_id>/sample")
@writes
def sample(source_id: int) -> Any:
    """Let a worker read the header and the first rows."""

    def act() -> None:
        text = form_text("line", longest=5)
        if text and not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1000):
            raise Invalid.one("line", "number", "表头所在行应是行号，如 3；不填则自动识别。")
        line = int(text) if text else None
        ask_for_sample(session(), clock(), actor(), _sheet(source_id), line=line)

    return _decide(source_id, act, gettext("正在读取表头和前几行。"))


@blueprint.post(f"/work/sources/<{ID}:source_id>/columns")
@writes
def confirm(source_id: int) -> Any:
    def act() -> None:
        header, fields = request.form.getlist("heading"), request.form.getlist("field")
        if len(header) > 300:
            raise Conflict("列数过多。")
        confirm_columns(session(), clock(), actor(), _sheet(source_id), header, fields)

    return _decide(
        source_id, act, gettext("列对应已保存，以后的采集按它读取；表头有变化时会停下来。")
    )


@blueprint.post(f"/work/sources/<{ID}:source_id>/columns/forget")
@writes
def forget(source_id: int) -> Any:
    def act() -> None:
        forget_columns(session(), clock(), actor(), _sheet(source_id))

    return _decide(source_id, act, gettext("已改回按词汇表自动识别列名。"))


def _decide(source_id: int, act: Any, done: str) -> Any:
    return decide(
        act,
        lambda problem: _page(_sheet(source_id), problem),
        done=done,
        target=f"/work/sources/{source_id}/columns",
    )
