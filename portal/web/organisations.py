"""Organisations and their open lists."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, render_template, request
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from portal.clock import local_date
from portal.codes import code_list
from portal.errors import NotFound
from portal.models.organisation import get_organisation
from portal.services.open_list_view import (
    ListedEntry,
    count_listed,
    list_listed,
    list_releases,
    walk_listed,
)
from portal.services.organisations import count_published, list_organisations
from portal.web.access import public
from portal.web.attachment import attachment
from portal.web.context import platform, session
from portal.web.paging import Paging, page_number

blueprint = Blueprint("organisations", __name__)
PAGE_ROWS = 50
KINDS = {
    "bureau": "主管部门",
    "responsible_dept": "省级责任部门",
    "city_authority": "市（州）",
    "agency": "公共管理和服务机构",
    "public_utility": "公用事业运营单位",
}
STATES = {"planned": "计划开放", "open": "已开放", "suspended": "暂停开放"}
CHANGES = {
    "planned": "列入",
    "open": "开放",
    "suspended": "暂停开放",
    "removed": "退出清单",
    "type_changed": "开放类型改变",
}
COLUMNS = (
    "信息资源代码", "数据名称", "主题", "开放类型", "更新周期", "状态", "开放日期", "计划开放日期", "数据更新日期",
    "网址",
)  # fmt: skip
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/organisation")
@public
def organisations() -> Any:
    """Every organisation by kind, with the number of its data sets; needs no search engine."""
    counts = count_published(session())
    found = list_organisations(session())
    groups = [(text, [o for o in found if o.kind == kind]) for kind, text in KINDS.items()]
    return render_template(
        "organisations.html", groups=[(text, some) for text, some in groups if some], counts=counts
    )


@blueprint.get("/organisation/<key>")
@public
def organisation(key: str) -> Any:
    place = get_organisation(session(), key)
    paging = Paging(page_number(request.args), PAGE_ROWS, 0, request.path)
    paging = replace(paging, total=count_listed(session(), place.id))
    if paging.number > paging.pages:
        raise NotFound(
            "没有第 {number} 页，一共 {pages} 页。", number=paging.number, pages=paging.pages
        )
    return render_template(
        "organisation.html",
        organisation=place,
        entries=list_listed(session(), place.id, start=paging.start, rows=PAGE_ROWS),
        published=count_published(session()).get(place.id, 0),
        releases=list_releases(session(), place.id),
        paging=paging,
        states=STATES,
        changes=CHANGES,
    )


@blueprint.get("/organisation/<key>/open-list.<form>")
@public
def open_list(key: str, form: str) -> Response:
    """Give the whole open list as a file."""
    place = get_organisation(session(), key)
    rows = _rows(walk_listed(session(), place.id))
    writers = {"csv": (_csv, "text/csv; charset=utf-8"), "xlsx": (_xlsx, XLSX)}
    if form not in writers:
        raise NotFound()
    write, media_type = writers[form]
    return attachment(
        write(rows), media_type, f"{place.name}数据开放清单.{form}", f"open-list-{place.slug}"
    )


def _rows(entries: Iterable[ListedEntry]) -> Iterator[list[str]]:
    site = platform().settings.site_url.rstrip("/")
    for entry in entries:
        yield [
            entry.code,
            entry.title,
            code_list("themes").label(entry.theme),
            code_list("open_types").label(entry.open_type),
            code_list("update_frequency").label(entry.update_frequency),
            STATES[entry.state],
            local_date(entry.opened_at).isoformat() if entry.opened_at else "",
            entry.planned_on.isoformat() if entry.planned_on else "",
            local_date(entry.modified_at).isoformat() if entry.modified_at else "",
            f"{site}/dataset/{entry.slug}",
        ]


def _csv(rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _harmless(text: str) -> str:
    """Spreadsheets run cells that begin so; a quote in front makes them text."""
    return f"'{text}" if text[:1] in tuple("=+-@\t\r＝＋－＠") else text


def _xlsx(rows: Iterable[list[str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("开放清单")
    for row in (list(COLUMNS), *rows):
        cells = [WriteOnlyCell(sheet, value=_harmless(text)) for text in row]
        for cell in cells:
            cell.data_type = "s"
        sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
