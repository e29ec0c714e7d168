"""What the views of a table fetch or hand out: groups as CSV, and the places of a map as JSON."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import orjson
from flask import Blueprint, Response, request
from flask_babel import gettext

from portal.errors import NotFound
from portal.tables.info import TableInfo
from portal.tables.places import (
    MAX_POINTS,
    MAX_SHAPES,
    POINTS,
    SHAPES,
    feature_collection,
    find_places,
    label_column,
    point_list,
)
from portal.web.access import public
from portal.web.attachment import attachment
from portal.web.context import platform
from portal.web.file_access import FILE, downloadable_file
from portal.web.preview import read_asked, table_query
from portal.web.preview_views import FUNCTION_NAMES, read_view, view_groups

blueprint = Blueprint("table_data", __name__, url_prefix=FILE)
RISKY = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheet programs take for a formula


@blueprint.get("/groups.csv")
@public
def groups(key: str, file_id: str) -> Response:
    """Give the groups that the chart shows, with the same parameters."""
    info = _table(key, file_id)
    view = read_view(request.args)
    found = view_groups(platform().tables, info, table_query(info, read_asked(request.args)), view)
    text = io.StringIO()
    writer = csv.writer(text)
    value = found.of.name if found.of else gettext("行数")
    function = gettext(FUNCTION_NAMES[view.function])
    writer.writerow([_safe(found.by.name), _safe(f"{value}（{function}）"), gettext("行数")])
    writer.writerows(
        [_safe(label), value.replace(",", ""), rows] for label, value, rows in found.rows
    )
    body = ("\ufeff" + text.getvalue()).encode()
    return attachment(body, "text/csv; charset=utf-8", f"{found.heading}.csv", "groups.csv")


@blueprint.get("/places.json")
@public
def places(key: str, file_id: str) -> Response:
    """Give the places of the rows that fit the filters, in WGS 84, as a map draws them.

    `points` are [longitude, latitude, name]; `shapes` is a GeoJSON feature collection. `total` counts
    all rows; at most MAX_POINTS or MAX_SHAPES of them are here.
    """
    info = _table(key, file_id)
    where = find_places(info)
    if where is None or where.kind not in (POINTS, SHAPES):
        raise NotFound("这张表没有可以画在地图上的位置。")
    label = label_column(info, where)
    most = MAX_POINTS if where.kind == POINTS else MAX_SHAPES
    query = replace(
        table_query(info, read_asked(request.args)),
        columns=[c.field_name for c in where.columns] + ([label] if label else []),
        limit=most,
        sort=(),
    )
    page = platform().tables.run(info, query)
    body: dict[str, Any] = {"total": page.total, "system": info.coordinates}
    if where.kind == POINTS:
        body["points"] = point_list(page.rows, where, info.coordinates, label)
    else:
        body["shapes"] = feature_collection(page.rows, where, info.coordinates, label)
    return Response(orjson.dumps(body), content_type="application/json")


def _table(key: str, file_id: str) -> TableInfo:
    """Return the open table behind a file. Raises as `downloadable_file`."""
    file = downloadable_file(key, file_id).file
    if file.table is None:
        raise NotFound("该文件不是表格，只能下载原始文件。")
    return file.table


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(RISKY) else text
