"""Every call is recorded without values, soon, and by a killed process all but its last second."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from extensions.access.api.calls import LOG_KEY
from extensions.access.models.call import CallRecord
from extensions.access.rules import Terms
from extensions.access.services.call_log import FLUSH_SECONDS, Called, CallLog
from extensions.access.services.timers import run_timers
from portal.clock import system_clock
from portal.platform import Platform
from tests.extensions.access.conftest import Served
from tests.factories import NOW, SetClock
from tests.platforms import SECRET
from tests.services.nodes import DIRECT
from tests.services.portal_nodes import WebNode

WIDE = Terms(
    fields=("stop_code", "stop_name", "duty_phone"), quota_day=10_000, per_minute=1_000,
    term_days=30,
)  # fmt: skip


def records_of(served: Served) -> list[CallRecord]:
    with served.platform.database.reading() as session:
        return list(session.scalars(select(CallRecord).order_by(CallRecord.id)))


def log_of(served: Served) -> CallLog:
    return served.client.application.extensions[LOG_KEY]


def test_a_call_is_recorded_with_its_fields_and_without_values(served: Served) -> None:
    served.get("/rows?fields=stop_name&stop_code=000124")
    served.get("?limit=2")
    served.get("/count?keeper=张三丰")
    served.get("/rows", secret="xyk_unknown")
    served.change(lambda s, a: s.suspend(served.reviewer, a, reason="核查"))
    served.get("/aggregate")
    log_of(served).flush()
    found = records_of(served)
    assert [(r.operation, r.status, r.rows, r.code) for r in found] == [
        ("rows", 200, 1, ""),
        ("list", 200, 2, ""),
        ("count", 400, 0, ""),
        ("aggregate", 403, 0, "grant_suspended"),
    ]
    assert found[0].fields == ["stop_name"]
    assert {(r.application_id, r.credential) for r in found} == {(served.application_id, "key")}
    assert all(0 <= r.milliseconds < 60_000 for r in found)
    kept = repr([{c.key: getattr(r, c.key) for c in CallRecord.__table__.c} for r in found])
    assert not any(value in kept for value in ("000124", "桂林路", "张三丰", served.secret))


def test_records_are_written_by_themselves_within_a_second(
    make_platform: Callable[..., Platform], serve: Callable[..., Served]
) -> None:
    served = serve(make_platform("sqlite"), WIDE)
    for _ in range(5):
        served.get("/count")
    deadline = time.monotonic() + 10
    while len(records_of(served)) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(records_of(served)) == 5
    assert FLUSH_SECONDS < 1


def called(served: Served, **changes: Any) -> Called:
    values: dict[str, Any] = {
        "application_id": served.application_id, "key_id": 1, "called_at": NOW,
        "credential": "key", "operation": "rows", "fields": ("stop_code",), "rows": 1,
        "milliseconds": 3, "status": 200,
    }  # fmt: skip
    return Called(**{**values, **changes})


def test_records_wait_while_the_database_refuses_them(
    make_platform: Callable[..., Platform], serve: Callable[..., Served]
) -> None:
    served = serve(make_platform("sqlite"), WIDE)
    log = CallLog(served.platform.database)
    with served.platform.database.writing() as session:
        session.connection().exec_driver_sql("ALTER TABLE access_call RENAME TO away")
    log.add(called(served))
    with pytest.raises(OperationalError):
        log.flush()
    with served.platform.database.writing() as session:
        session.connection().exec_driver_sql("ALTER TABLE away RENAME TO access_call")
    log.close()
    assert len(records_of(served)) == 1


def test_old_records_are_forgotten(
    make_platform: Callable[..., Platform], serve: Callable[..., Served], clock: SetClock
) -> None:
    served = serve(make_platform("sqlite"), WIDE)
    log = CallLog(served.platform.database)
    log.add(called(served))
    clock.advance(days=181)
    log.add(called(served, called_at=clock()))
    log.close()
    run_timers(served.platform, {})
    assert len(records_of(served)) == 1


@pytest.mark.slow
def test_a_killed_server_loses_at_most_the_last_second(
    make_platform: Callable[..., Platform],
    serve: Callable[..., Served],
    clock: SetClock,
    tmp_path: Path,
) -> None:
    clock.now = system_clock()
    served = serve(make_platform("sqlite"), WIDE)
    settings = {
        "XIANGYUN_HOME": str(served.platform.settings.home),
        "XIANGYUN_SECRET_KEY": SECRET,
    }
    node = WebNode(tmp_path / "web", settings)
    node.start()
    headers = {"Authorization": f"Bearer {served.secret}", "Connection": "close"}
    try:
        for _ in range(10):
            url = f"{node.url}/data/v1/bus-stops/count"
            assert DIRECT.get(url, headers=headers, timeout=20).status_code == 200
        time.sleep(2.0)  # more than the second that may be lost, on a busy machine
        DIRECT.get(url, headers=headers, timeout=20)
        node.kill()
    finally:
        node.stop()
    assert 10 <= len(records_of(served)) <= 11
