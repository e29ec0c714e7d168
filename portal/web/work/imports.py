"""An agency's open list as a spreadsheet: template, preview of what it would do, import.

The preview really imports and rolls back, so it cannot differ from the import. The file waits in
storage under its hash; the confirming form carries a signed note of it, never the hash alone.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from flask import Response, flash, redirect, render_template, request, send_file
from flask_babel import gettext
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import select

from portal.errors import Forbidden, Invalid, NotFound
from portal.models.list_check import DONE, ListCheck, get_list_check
from portal.models.organisation import Organisation
from portal.services.content import parse_content
from portal.services.distributions import safe_filename
from portal.services.list_checking import row_values, start_check
from portal.services.list_export import export_list
from portal.services.open_list_import import (
    NO_HEADER,
    ImportResult,
    import_open_list,
    open_list_template,
)
from portal.services.open_list_upload import import_once
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, platform, session
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import REFUSALS, Problem, form_key, fresh_key, refused
from portal.web.work.difference import Difference, difference

blueprint = work_blueprint("work_imports")
MAX_BYTES = 20 * 1024 * 1024
WAITS_SECONDS = 3600
LONG_BYTES = 64 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/work/import")
@signed_in
def imports() -> Any:
    return _page()


def _page(problem: Problem | None = None, **values: Any) -> str:
    given = {
        "result": None, "token": "", "filename": "", "provider": None, "check": None,
        "columns_token": "",
        "defects": problem.defects if problem else [],
    }  # fmt: skip
    return render_template(
        "work/import.html",
        **{**given, **values},
        providers=own_organisations(),
        counts=Counter(row["outcome"] for row in values.get("result") or []),
        changes_of=_changes_of,
        chosen=request.form.get("provider", ""),
        problem=problem,
        max_bytes=MAX_BYTES,
        key=fresh_key(),
    )


def _changes_of(row: dict[str, Any]) -> Difference | None:
    """Return what a row of the list changes in a data set that stands."""
    if not row["before"] or not row["after"]:
        return None
    return difference(parse_content(row["before"]), parse_content(row["after"]))


def own_organisations() -> list[Organisation]:
    """Return the organisations whose list the reader may import. Raises Forbidden for none."""
    own = actor().acts_for("agency") | actor().acts_for("responsible_dept")
    if not own:
        raise Forbidden()
    query = select(Organisation).where(Organisation.id.in_(own)).order_by(Organisation.id)
    return list(session().scalars(query))


@blueprint.get("/work/import/template.xlsx")
@signed_in
def template() -> Response:
    data = io.BytesIO(open_list_template())
    name = gettext("数据开放清单模板") + ".xlsx"
    return send_file(data, mimetype=XLSX, as_attachment=True, download_name=name)


@blueprint.post("/work/import")
@writes
def preview() -> Any:
    """Say what the list would do, row by row; nothing is written."""
    file = request.files.get("file")
    parts = platform()
    try:
        if file is None or not file.filename:
            raise Invalid.one("file", "missing", "请选择要导入的清单（XLSX 或 CSV）。")
        stored = parts.storage.put(cast(BinaryIO, file.stream), max_bytes=MAX_BYTES)
        filename = safe_filename(file.filename)
        provider = _provider(request.form.get("provider", ""))
    except REFUSALS as error:
        return refused(error, _page)
    return preview_of(ListFile(stored.sha256, filename, provider), stored.size_bytes)


@dataclass(frozen=True)
class ListFile:
    """An uploaded list that waits in storage."""

    sha256: str
    filename: str
    provider: Organisation

    def read(self) -> bytes:
        return b"".join(platform().storage.open(self.sha256))


def preview_of(given: ListFile, size_bytes: int) -> Any:
    """Say what the list would do: at once, or for a long one on a page of its own."""
    if size_bytes > LONG_BYTES:
        check = start_check(
            session(),
            clock(),
            actor(),
            given.provider,
            sha256=given.sha256,
            filename=given.filename,
        )
        return redirect(f"/work/import/checks/{check.id}", 303)
    note = token_of(given)
    try:
        result = _tried(given)
    except REFUSALS as error:
        lacks_header = any(d.code == NO_HEADER for d in getattr(error, "defects", ()))
        shown = note if lacks_header else ""
        return refused(error, lambda problem: _page(problem, columns_token=shown))
    return _page(
        result=[row_values(row) for row in result.rows],
        token=note,
        columns_token=note,
        filename=given.filename,
        provider=given.provider,
    )


def token_of(given: ListFile) -> str:
    """Return a signed note of the file, good for this very account."""
    note = {"sha256": given.sha256, "filename": given.filename, "provider": given.provider.code}
    return cast(str, _signer().dumps({**note, "account": actor().account_id}))


def file_of(token: str) -> ListFile:
    """Return the file of a note that was signed for this very account. Raises Invalid."""
    note = _noted(token)
    return ListFile(note["sha256"], note["filename"], _provider(note["provider"]))


@blueprint.get("/work/import/list.xlsx")
@signed_in
def whole_list() -> Response:
    """The whole list of one of the own organisations, to be changed and sent back."""
    provider = _provider(request.args.get("provider", ""))
    name = f"{provider.name}{gettext('数据目录清单')}.xlsx"
    data = io.BytesIO(export_list(session(), provider))
    return send_file(data, mimetype=XLSX, as_attachment=True, download_name=name)


@blueprint.get(f"/work/import/checks/<{ID}:check_id>")
@signed_in
def check(check_id: int) -> Any:
    """How far the look through a long list is; once it is done, what the list would do."""
    found = _own_check(check_id)
    provider = session().get(Organisation, found.organisation_id)
    assert provider is not None  # organisations are never removed
    clean = found.stage == DONE and not found.result["defects"]
    note = token_of(ListFile(found.sha256, found.filename, provider))
    return _page(
        check=found,
        defects=found.result.get("defects", []),
        result=found.result.get("rows") if clean else None,
        token=note if clean else "",
        columns_token=note if clean or found.result.get(NO_HEADER) else "",
        filename=found.filename,
        provider=provider,
    )


@blueprint.get(f"/work/import/checks/<{ID}:check_id>/state")
@signed_in
def check_state(check_id: int) -> Any:
    found = _own_check(check_id)
    return {"stage": found.stage, "done": found.rows_done, "total": found.rows_total}


def _own_check(check_id: int) -> ListCheck:
    """Raises: NotFound, also for the checks of others."""
    found = get_list_check(session(), check_id)
    if found.account_id != actor().account_id:
        raise NotFound("没有这次清单检查。")
    return found


def _tried(given: ListFile) -> ImportResult:
    """Import and roll back."""
    data = given.read()
    try:
        return import_open_list(session(), clock(), actor(), data, given.filename, given.provider)
    finally:
        session().rollback()


def _provider(code: str) -> Organisation:
    for organisation in own_organisations():
        if organisation.code == code:
            return organisation
    raise Invalid.one("provider", "missing", "请选择清单所属的单位。")


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(platform().settings.secret_key, salt="open-list-import")


@blueprint.post("/work/import/confirm")
@writes
def confirm() -> Any:
    try:
        given = file_of(request.form.get("token", ""))
        result = import_once(
            session(),
            clock(),
            actor(),
            given.read(),
            given.filename,
            given.provider,
            key=form_key(),
        )
    except REFUSALS as error:
        return refused(error, _page)
    if result is not None:
        flash(
            gettext(
                "导入完成：新建 %(created)s 条，修改 %(updated)s 条，未变 %(unchanged)s 条。",
                created=result.count("created"),
                updated=result.count("updated"),
                unchanged=result.count("unchanged"),
            )
        )
    return redirect("/work/entries?state=draft", 303)


def _noted(token: str) -> dict[str, str]:
    """Return what the preview signed for this very account. Raises Invalid."""
    try:
        note = _signer().loads(token, max_age=WAITS_SECONDS)
    except BadData:
        note = {}
    if note.get("account") != actor().account_id or not note:
        raise Invalid.one("", "stale_form", "预览已过期，请重新上传清单。")
    return cast("dict[str, str]", note)
