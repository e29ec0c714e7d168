"""How a file's table was read: its columns against the information items, every odd row, and a form
to correct what the detection got wrong."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext

from portal.errors import NotFound
from portal.models.distribution import Distribution, get_distribution
from portal.models.entry import CatalogueEntry
from portal.permissions import Permission, is_allowed
from portal.services.column_match import Difference, match_columns
from portal.services.content import content_of
from portal.services.table_reading import (
    DELIMITERS,
    NAME_MAX,
    TableReading,
    TableReadingService,
)
from portal.tables.coordinates import SYSTEMS
from portal.tables.info import TableInfo
from portal.tables.row_notes import REASONS
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.translated import translated
from portal.web.work.blueprint import work_blueprint
from portal.web.work.decisions import Problem, decide, form_text
from portal.web.work.files import TYPE_NAMES
from portal.web.work.visibility import entry_for_work

blueprint = work_blueprint("work_table_reading")
ENCODINGS = (
    ("utf-8", "UTF-8"),
    ("gb18030", "GB18030（GBK、GB2312）"),
    ("big5-hkscs", "Big5（繁體）"),
    ("utf-16-le", "UTF-16 LE"),
    ("utf-16-be", "UTF-16 BE"),
    ("shift_jis", "Shift_JIS（日文）"),
    ("euc-kr", "EUC-KR（韩文）"),
    ("windows-1252", "Windows-1252（西欧）"),
    ("windows-1251", "Windows-1251（俄文）"),
    ("iso-8859-7", "ISO-8859-7（希腊文）"),
)
DELIMITER_NAMES = {
    ",": "逗号 ,",
    "tab": "制表符",
    ";": "分号 ;",
    "|": "竖线 |",
    "，": "全角逗号 ，",
    "；": "全角分号 ；",
}
TYPE_PREFIX = "type."


@blueprint.get("/work/entries/<slug>/files/<public_id>/table")
@signed_in
def table(slug: str, public_id: str) -> Any:
    return _page(slug, public_id)


@blueprint.post("/work/entries/<slug>/files/<public_id>/table")
@writes
def set_reading(slug: str, public_id: str) -> Any:
    """Keep the corrections and read the file again."""

    def act() -> None:
        _, found = _found(slug, public_id)
        reading = _given(TableReading.of(found))
        TableReadingService(session(), clock()).set(actor(), found, reading)

    return decide(
        act,
        lambda problem: _page(slug, public_id, problem),
        done=gettext("设置已保存，正在重新读取文件。"),
        target=f"/work/entries/{slug}/files/{public_id}/table",
    )


def _found(slug: str, public_id: str) -> tuple[CatalogueEntry, Distribution]:
    entry = entry_for_work(slug)
    found = get_distribution(session(), public_id)
    if found.entry_id != entry.id or found.current_version is None:
        raise NotFound("没有编号为“{key}”的数据文件。", key=public_id[:100])
    return entry, found


def _given(kept: TableReading) -> TableReading:
    """Return what the form says; types of columns that it does not show stay."""
    types = dict(kept.types)
    for name, kind in request.form.items():
        if name.startswith(TYPE_PREFIX) and len(name) <= NAME_MAX + len(TYPE_PREFIX):
            column = name.removeprefix(TYPE_PREFIX)
            types.pop(column, None)
            if kind:
                types[column] = kind
    header = form_text("header", longest=10)
    return TableReading(
        encoding=form_text("encoding", longest=30),
        delimiter=request.form.get("delimiter", ""),
        sheet=form_text("sheet", longest=300),
        header="none" if request.form.get("no_header") else header,
        types=types,
        coordinates=form_text("coordinates", longest=20),
    )


def _page(slug: str, public_id: str, problem: Problem | None = None) -> str:
    entry, found = _found(slug, public_id)
    data = found.current_version
    info = TableInfo.from_dict(data.table) if data and data.table else None
    version = entry.published_version
    items = content_of(version).items if version else ()
    return render_template(
        "work/table_reading.html",
        entry=entry,
        title=version.title if version else entry.code,
        file=found,
        data=data,
        table=info,
        matches=match_columns(items, info) if info else [],
        words=_words,
        reading=TableReading.of(found),
        reasons=REASONS,
        type_names=TYPE_NAMES,
        encodings=[(code, gettext(name)) for code, name in ENCODINGS],
        delimiters=[(key, gettext(DELIMITER_NAMES[key])) for key in DELIMITERS],
        systems=translated(SYSTEMS).items(),
        may_write=is_allowed(actor(), Permission.DISTRIBUTION_WRITE, entry),
        problem=problem,
    )


def _words(difference: Difference) -> str:
    text = gettext(difference.message)
    return text.format(**difference.params) if difference.params else text
