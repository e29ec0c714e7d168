"""Which column of a spreadsheet source holds which field: looked at, guessed, confirmed, kept."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext

from harvesters.codes import plain_word
from portal.errors import NotFound
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
from portal.web.work.column_choice import chosen_fields, column_rows, header_choice
from portal.web.work.decisions import Problem, decide
from portal.web.work.sources import find_source

blueprint = work_blueprint("work_source_columns")


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
        other_kind=bool(
            source.columns and sample.get("state") == READY and not _is_same_kind(source, sample)
        ),
        fields=list(translated(field_names()).items()),
        problem=problem,
    )


def _columns(
    source: HarvestSource, sample: dict[str, Any], given: list[str]
) -> list[dict[str, Any]]:
    """Return each column with what stands in it, and the field that is chosen or guessed."""
    standing = source.columns or {}
    if sample.get("state") != READY:
        return column_rows(standing.get("header", []), [], {}, standing.get("fields", {}), given)
    confirmed = standing.get("fields", {}) if _is_same_kind(source, sample) else {}
    return column_rows(sample["header"], sample["rows"], sample["guess"], confirmed, given)


def _is_same_kind(source: HarvestSource, sample: dict[str, Any]) -> bool:
    """Say whether sample and mapping both go by headings, or both by position."""
    by_position = bool((source.columns or {}).get("first_line"))
    return by_position == bool(sample.get("headless"))


def _gone(source: HarvestSource, sample: dict[str, Any]) -> list[str]:
    """Return confirmed headings that the list no longer has."""
    if sample.get("state") != READY or not source.columns or not _is_same_kind(source, sample):
        return []
    here = set(map(plain_word, sample["header"]))
    return [heading for heading in source.columns["header"] if plain_word(heading) not in here]


@blueprint.post(f"/work/sources/<{ID}:source_id>/sample")
@writes
def sample(source_id: int) -> Any:
    """Let a worker read the header and the first rows."""

    def act() -> None:
        line, headless = header_choice()
        ask_for_sample(session(), clock(), actor(), _sheet(source_id), line=line, headless=headless)

    return _decide(source_id, act, gettext("正在读取表头和前几行。"))


@blueprint.post(f"/work/sources/<{ID}:source_id>/columns")
@writes
def confirm(source_id: int) -> Any:
    def act() -> None:
        header, fields = chosen_fields()
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
