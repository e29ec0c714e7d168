"""Which column of an uploaded list holds which field: guessed, said by a person, remembered.

The file waits in storage since the upload; its signed note goes along. What is kept belongs to the
organisation: its next list with the same header is read by it without a question.
"""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from harvesters.open_list.column_mapping import SheetSample
from harvesters.open_list.faults import UnreadableList
from harvesters.open_list.reader import read_sample
from portal.codes import all_code_names
from portal.errors import Invalid
from portal.services.list_columns import find_remembered, remember_columns
from portal.services.source_columns import field_names
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, commit, platform, session
from portal.web.translated import translated
from portal.web.work.blueprint import work_blueprint
from portal.web.work.column_choice import chosen_fields, column_rows, header_choice
from portal.web.work.decisions import REFUSALS, Problem, refused
from portal.web.work.imports import ListFile, file_of, own_organisations, preview_of

blueprint = work_blueprint("work_import_columns")


@blueprint.get("/work/import/columns")
@signed_in
def columns() -> Any:
    """Show the first rows and what their columns may hold."""
    own_organisations()
    token = request.args.get("token", "")
    try:
        given = file_of(token)
        line, headless = header_choice()
        sample = _sample(given, line, headless)
    except REFUSALS as error:
        return refused(error, lambda problem: _page(token, None, None, problem))
    return _page(token, given, sample)


def _sample(given: ListFile, line: int | None, headless: bool | None) -> SheetSample:
    try:
        return read_sample(
            given.read(), given.filename, line=line, headless=headless, codes=all_code_names()
        )
    except UnreadableList as error:
        raise Invalid.one("line", "unreadable", "{reason}", reason=str(error)) from error


def _page(
    token: str, given: ListFile | None, sample: SheetSample | None, problem: Problem | None = None
) -> Any:
    found: list[dict[str, Any]] = []
    if given is not None and sample is not None:
        kept = find_remembered(session(), given.provider, sample.header, headless=sample.headless)
        chosen = request.form.getlist("field") if problem else []
        confirmed = kept.get("fields", {})
        found = column_rows(sample.header, sample.rows, sample.guess, confirmed, chosen)
    return render_template(
        "work/import_columns.html",
        token=token,
        given=given,
        sample=sample,
        columns=found,
        fields=list(translated(field_names()).items()),
        problem=problem,
    )


@blueprint.post("/work/import/columns/confirm")
@writes
def confirm() -> Any:
    """Keep what the columns hold, then say what the list would do, read by it."""
    token = request.form.get("token", "")
    given: ListFile | None = None
    sample: SheetSample | None = None
    try:
        given = file_of(token)
        header, fields = chosen_fields()
        line, headless = header_choice()
        sample = _sample(given, line, headless)
        if list(sample.header) != header:
            raise Invalid.one("line", "changed", "表头与显示的不同，请重新读取。")
        first_line = sample.line if sample.headless else 0
        remember_columns(
            session(), clock(), actor(), given.provider, header, fields, first_line=first_line
        )
    except REFUSALS as error:
        return refused(error, lambda problem: _page(token, given, sample, problem))
    commit()  # the preview rolls back
    return preview_of(given, platform().storage.stat(given.sha256).size_bytes)
