"""The use page: for the holder, the agency and the Bureau, and for nobody else."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from extensions.access.models import AccessApplication
from portal.models.account import Account
from portal.platform import Platform
from tests.extensions.access.conftest import Served
from tests.extensions.access.test_call_log import log_of
from tests.extensions.access.test_pages import Site
from tests.factories import People


def site_of(served: Served) -> Site:
    with served.platform.database.writing() as session:
        other = People(served.platform, session).actor("applicant", number=7)
        actors = {
            "developer": served.applicant, "clerk": served.reviewer, "bureau": served.bureau,
            "other": other,
        }  # fmt: skip
        names = {k: session.get(Account, a.account_id).username for k, a in actors.items()}
    return Site(served.platform, served.client.application, "", names)


def test_use_is_shown_by_day_and_by_operation(
    platform: Platform, serve: Callable[..., Any]
) -> None:
    served = serve(platform)
    served.get("/rows?limit=3")
    served.get("/rows?limit=3")
    served.get("/count?keeper=x")
    log_of(served).flush()
    site, path = site_of(served), f"/applications/{served.application_id}/use"
    for who in ("developer", "clerk", "bureau"):
        page = site.signed_in(who).page(path)
        assert "共调用 3 次，返回 6 行，其中 1 次参数有误" in page, who
        assert "stop_name" in page
        assert "分组统计" not in page
    text = site.signed_in("developer").page(f"{path}.csv?days=14")
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
    assert len(rows) == 15
    assert rows[-1] == ["2026-11-24", "3", "6", "1"]
    assert site.signed_in("other").page(path, 403)
    assert site.signed_in("other").page(f"{path}.csv", 403)
    answer = served.client.get(path)
    assert answer.status_code == 302
    assert "/login" in answer.headers["Location"]
    with platform.database.reading() as session:
        assert session.get(AccessApplication, served.application_id).state == "active"
