"""Ways to compile faster: information items from a file, templates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, BinaryIO, cast

from flask import flash, redirect, render_template, request
from flask_babel import gettext
from itsdangerous import BadData, URLSafeTimedSerializer

from portal.errors import Forbidden, Invalid
from portal.models.distribution import list_distributions
from portal.models.entry import EntryVersion
from portal.rules.entry_content import EntryContent
from portal.services.catalogue_flow import FLOW
from portal.services.content import content_of
from portal.services.distributions import safe_filename
from portal.services.entries import EntryService
from portal.services.entry_templates import delete_template, save_template
from portal.services.flow import Flow
from portal.services.item_import import (
    MAX_BYTES,
    ItemsFound,
    items_of_table,
    merge_items,
    read_items,
)
from portal.tables.info import TableInfo
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, platform, session
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import (
    REFUSALS,
    Problem,
    decide,
    form_key,
    form_seen,
    form_text,
    fresh_key,
    refused,
)
from portal.web.work.difference import difference, item_words
from portal.web.work.entry_fields import ITEM_LABELS
from portal.web.work.visibility import version_for_work

blueprint = work_blueprint("work_compiling")
WAITS_SECONDS = 3600
SHOWN = ("name", "field_name", "data_type", "length", "precision", "nullable", "primary_key")


@blueprint.get(f"/work/versions/<{ID}:version_id>/items")
@signed_in
def items(version_id: int) -> Any:
    return _page(version_id)


def _page(version_id: int, problem: Problem | None = None, **values: Any) -> str:
    version = _editable(version_id)
    files = list_distributions(session(), version.entry_id)
    given = {"found": None, "token": "", "filename": "", "changes": None, "mode": "add"}
    return render_template(
        "work/items.html",
        **{**given, **values},
        version=version,
        files=[f for f in files if f.current_version and f.current_version.table],
        headers=[(gettext("序号"), "number"), *(gettext(ITEM_LABELS[name]) for name in SHOWN)],
        shown=SHOWN,
        item_words=item_words,
        problem=problem,
        max_bytes=MAX_BYTES,
        key=fresh_key(),
    )


def _editable(version_id: int) -> EntryVersion:
    """Return the version if the reader may save it. Raises Forbidden."""
    version = version_for_work(version_id)
    rows = Flow(FLOW, session(), clock()).possible_events(version, actor())
    if "save" not in {row.event for row in rows}:
        raise Forbidden()
    return version


@blueprint.post(f"/work/versions/<{ID}:version_id>/items")
@writes
def read(version_id: int) -> Any:
    """Show what the file tells, and what it would change; nothing is written to the entry."""
    try:
        note = _uploaded()
        session(writing=False)  # to read a large file takes seconds: nobody waits for it
        _editable(version_id)
        return _preview(version_id, note)
    except REFUSALS as error:
        return refused(error, lambda problem: _page(version_id, problem))


def _uploaded() -> dict[str, str]:
    """Keep the uploaded file, or take up the one that is kept; return the note of it."""
    if token := request.form.get("token"):
        return _note(token)
    file, file_id = request.files.get("file"), request.form.get("distribution", "")
    if file_id:
        return {"distribution": file_id[:100], "filename": ""}
    if file is None or not file.filename:
        raise Invalid.one("file", "missing", "请选择列清单或数据文件。")
    stored = platform().storage.put(cast(BinaryIO, file.stream), max_bytes=MAX_BYTES)
    return {"sha256": stored.sha256, "filename": safe_filename(file.filename)}


def _preview(version_id: int, note: dict[str, str]) -> str:
    version = version_for_work(version_id)
    found = _in_file(note) or _in_distribution(version, note)
    mode = "replace" if request.form.get("mode") == "replace" else "add"
    before = content_of(version)
    after = _merged(version, found, mode)
    token = _signer().dumps({**note, "account": actor().account_id})
    return _page(
        version_id,
        found=found,
        token=token,
        filename=note["filename"],
        changes=difference(before, after),
        mode=mode,
    )


def _in_file(note: dict[str, str]) -> ItemsFound | None:
    """Return what an uploaded file tells, None where the note is of a file of the entry."""
    if "sha256" not in note:
        return None
    data = b"".join(platform().storage.open(note["sha256"]))
    return read_items(data, note["filename"], table=request.form.get("table", ""))


def _in_distribution(version: EntryVersion, note: dict[str, str]) -> ItemsFound:
    for file in list_distributions(session(), version.entry_id):
        data = file.current_version
        if file.public_id == note["distribution"] and data is not None and data.table:
            return ItemsFound("data", tuple(items_of_table(TableInfo.from_dict(data.table))))
    raise Invalid.one("file", "missing", "没有这个文件，或还没有读出表格。")


def _merged(version: EntryVersion, found: ItemsFound, mode: str) -> EntryContent:
    content = content_of(version)
    merged = merge_items(content.items, found.items, replace_all=mode == "replace")
    return replace(content, items=merged)


@blueprint.post(f"/work/versions/<{ID}:version_id>/items/confirm")
@writes
def confirm(version_id: int) -> Any:
    def act() -> None:
        note = _note(request.form.get("token", ""))
        in_file = _in_file(note)  # before the writing transaction begins
        version = _editable(version_id)
        content = _merged(
            version, in_file or _in_distribution(version, note), request.form.get("mode", "add")
        )
        EntryService(session(), clock()).save(
            actor(), version, content, seen=form_seen(), key=form_key()
        )

    return decide(
        act,
        lambda problem: _page(version_id, problem),
        done=gettext("信息项已写入草稿，请逐项核对名称和开放属性。"),
        target=f"/work/versions/{version_id}/edit#s-items",
    )


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(platform().settings.secret_key, salt="item-import")


def _note(token: str) -> dict[str, str]:
    """Return the signed note of a kept file. Raises Invalid."""
    try:
        note: dict[str, Any] = _signer().loads(token, max_age=WAITS_SECONDS)
    except BadData:
        raise Invalid.one("file", "expired", "文件已过期，请重新上传。") from None
    if note.pop("account") != actor().account_id:
        raise Invalid.one("file", "expired", "文件已过期，请重新上传。")
    return note


@blueprint.post(f"/work/versions/<{ID}:version_id>/template")
@writes
def keep_as_template(version_id: int) -> Any:
    try:
        version = version_for_work(version_id)
        name = form_text("template", longest=100, label=gettext("模板名称"))
        template = save_template(session(), clock(), actor(), version, name)
    except Invalid as error:
        session().rollback()
        flash(Problem.of(error).defects[0]["message"])
        return redirect(f"/work/versions/{version_id}", 303)
    flash(gettext("已存为模板“%(name)s”，新建目录时可以选用。", name=template.name))
    return redirect(f"/work/versions/{version_id}", 303)


@blueprint.post(f"/work/templates/<{ID}:template_id>/delete")
@writes
def forget_template(template_id: int) -> Any:
    delete_template(session(), clock(), actor(), template_id)
    flash(gettext("模板已删除。"))
    return redirect("/work/entries/new", 303)
