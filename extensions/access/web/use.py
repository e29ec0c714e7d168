"""How a grant is used: by day as chart, table and CSV, for its holder, its agency and the Bureau."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext

from extensions.access.models.application import AccessApplication, get_application
from extensions.access.permissions import AccessPermission, is_applicant
from extensions.access.services.usage import (
    DayUse,
    OperationUse,
    list_days,
    list_operations,
    list_used_fields,
)
from portal.permissions import require
from portal.web.access import signed_in
from portal.web.context import actor, clock, session

blueprint = Blueprint("access_use", __name__)
ID = "int(max=2147483647)"
PERIODS = (14, 30, 90)


@blueprint.get(f"/applications/<{ID}:application_id>/use")
@signed_in
def use(application_id: int) -> Any:
    application = _readable(application_id)
    days = _period()
    own = is_applicant(actor(), application)
    now = clock()()
    return render_template(
        "access/use.html",
        application=application,
        back=f"/applications/{application.id}" if own else f"/work/applications/{application.id}",
        own=own,
        days=_days(application, days),
        operations=_named(list_operations(session(), now, application.id, days=days)),
        fields=list_used_fields(session(), now, application.id, days=days),
        period=days,
        periods=PERIODS,
    )


@blueprint.get(f"/applications/<{ID}:application_id>/use.csv")
@signed_in
def use_csv(application_id: int) -> Any:
    application = _readable(application_id)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [gettext("日期"), gettext("调用次数"), gettext("返回行数"), gettext("参数有误")]
    )
    writer.writerows(
        (d.day.isoformat(), d.calls, d.rows, d.errors) for d in _days(application, _period())
    )
    response = Response("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="use-{application.number}.csv"'
    return response


def _readable(application_id: int) -> AccessApplication:
    application = get_application(session(), application_id)
    require(actor(), AccessPermission.APPLICATION_READ, application)
    return application


def _period() -> int:
    asked = request.args.get("days", "")
    return next((days for days in PERIODS if str(days) == asked), 30)


def _days(application: AccessApplication, days: int) -> list[DayUse]:
    return list_days(session(), clock()(), [application.id], days=days)


def _named(found: list[OperationUse]) -> list[tuple[str, OperationUse]]:
    names = {
        "list": gettext("读取数据（原地址）"),
        "rows": gettext("读取数据"),
        "count": gettext("计数"),
        "aggregate": gettext("分组统计"),
        "schema": gettext("查看字段"),
    }
    return [(names.get(one.operation, one.operation), one) for one in found]
