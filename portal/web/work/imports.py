"""An agency's open list as a spreadsheet: template, preview of what it would do, import.

The preview really imports and rolls back, so it cannot differ from the import. The file waits in
storage under its hash; the confirming form carries a signed note of it, never the hash alone.
"""

from __future__ import annotations

import io
from typing import Any, BinaryIO, cast

from flask import Response, flash, redirect, render_template, request, send_file
from flask_babel import gettext
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import select

from portal.errors import Forbidden, Invalid
from portal.models.organisation import Organisation
from portal.services.distributions import safe_filename
from portal.services.open_list_import import (
    ImportResult,
    import_open_list,
    open_list_template,
)
from portal.services.open_list_upload import import_once
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, platform, session
from portal.web.work.blueprint import work_blueprint
from portal.web.work.decisions import REFUSALS, Problem, form_key, fresh_key, refused

blueprint = work_blueprint("work_imports")
MAX_BYTES = 20 * 1024 * 1024
WAITS_SECONDS = 3600
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/work/import")
@signed_in
def imports() -> Any:
    return _page()


def _page(problem: Problem | None = None, **values: Any) -> str:
    given = {"result": None, "token": "", "filename": "", "provider": None}
    return render_template(
        "work/import.html",
        **{**given, **values},
        providers=own_organisations(),
        chosen=request.form.get("provider", ""),
        problem=problem,
        max_bytes=MAX_BYTES,
        key=fresh_key(),
    )


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
        result = _tried(_bytes(stored.sha256), filename, provider)
    except REFUSALS as error:
        return refused(error, _page)
    note = {"sha256": stored.sha256, "filename": filename, "provider": provider.code}
    token = _signer().dumps({**note, "account": actor().account_id})
    return _page(result=result, token=token, filename=filename, provider=provider)


def _tried(data: bytes, filename: str, provider: Organisation) -> ImportResult:
    """Import and roll back."""
    try:
        return import_open_list(session(), clock(), actor(), data, filename, provider)
    finally:
        session().rollback()


def _provider(code: str) -> Organisation:
    for organisation in own_organisations():
        if organisation.code == code:
            return organisation
    raise Invalid.one("provider", "missing", "请选择清单所属的单位。")


def _bytes(sha256: str) -> bytes:
    return b"".join(platform().storage.open(sha256))


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(platform().settings.secret_key, salt="open-list-import")


@blueprint.post("/work/import/confirm")
@writes
def confirm() -> Any:
    try:
        note = _noted(request.form.get("token", ""))
        result = import_once(
            session(),
            clock(),
            actor(),
            _bytes(note["sha256"]),
            note["filename"],
            _provider(note["provider"]),
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
