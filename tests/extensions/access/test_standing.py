"""What is remembered of a grant is made again as soon as anything that it rests on has changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from extensions.access.models import AccessKey, DataInterface
from extensions.access.rules import Terms
from extensions.access.services import gate, standing
from portal.models.distribution import DataVersion, Distribution
from portal.models.entry import CatalogueEntry
from portal.platform import Platform
from portal.services.content import content_of, set_content
from tests.extensions.access.conftest import Served
from tests.factories import NOW, SetClock

TERMS = Terms(
    fields=("stop_code", "stop_name", "duty_phone"), quota_day=1_000, per_minute=500, term_days=30
)


@pytest.fixture
def called(make_platform: Callable[..., Platform], serve: Callable[..., Served]) -> Served:
    """A grant that was called, and so is remembered."""
    served = serve(make_platform("sqlite"), TERMS)
    assert served.get("/rows").status_code == 200
    return served


def _grant(change: dict[str, Any]) -> Callable[[Any, Served], None]:
    def act(session: Any, served: Served) -> None:
        from extensions.access.models import AccessApplication

        application = session.get(AccessApplication, served.application_id)
        for name, value in change.items():
            setattr(application, name, value)

    return act


def _of(model: Any, **change: Any) -> Callable[[Any, Served], None]:
    def act(session: Any, served: Served) -> None:
        for one in session.scalars(select(model)):
            for name, value in change.items():
                setattr(one, name, value)

    return act


def _close_items(session: Any, served: Served) -> None:
    """Publish metadata by which the phone is not open any more."""
    from dataclasses import replace

    version = session.get(CatalogueEntry, served.entry_id).published_version
    content = content_of(version)
    items = tuple(replace(i, open=i.open and i.field_name != "duty_phone") for i in content.items)
    set_content(version, replace(content, items=items))


def _mask_table(session: Any, served: Served) -> None:
    """A review lets the table go without a column."""
    for version in session.scalars(select(DataVersion)):
        columns = [c for c in version.table["columns"] if c["field_name"] != "duty_phone"]
        version.public_table = {**version.table, "columns": columns}


CHANGES: dict[str, tuple[Callable[[Any, Served], None], Any]] = {
    "fields": (_grant({"granted_fields": ["stop_code"]}), {"stop_code"}),
    "interface": (
        _of(DataInterface, fields=["stop_code", "stop_name"]),
        {"stop_code", "stop_name"},
    ),
    "metadata": (_close_items, {"stop_code", "stop_name"}),
    "review": (_mask_table, {"stop_code", "stop_name"}),
    "suspended": (_grant({"state": "suspended"}), "grant_suspended"),
    "held": (_of(DataVersion, hold="review"), "no_data"),
    "retired": (lambda s, v: _of(CatalogueEntry, retired_at=NOW)(s, v), "entry_not_open"),
    "withdrawn": (lambda s, v: _of(DataInterface, withdrawn_at=NOW)(s, v), "entry_not_open"),
    "deleted": (lambda s, v: _of(Distribution, deleted_at=NOW)(s, v), "no_data"),
    "key": (lambda s, v: _of(AccessKey, revoked_at=NOW)(s, v), "grant_revoked"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_counts_with_the_next_call(called: Served, change: str) -> None:
    act, expected = CHANGES[change]
    with called.platform.database.writing() as session:
        act(session, called)
    answer = called.get("/rows").get_json(force=True)
    if isinstance(expected, str):
        assert answer["code"] == expected
    else:
        assert set(answer["data"][0]) == expected
        assert {field["name"] for field in answer["fields"]} == expected


def test_masking_and_rows_of_a_changed_grant(called: Served) -> None:
    with called.platform.database.writing() as session:
        _grant(
            {
                "granted_masking": {"stop_name": "mask_name"},
                "row_filters": [{"field": "stop_code", "op": "eq", "value": "000124"}],
            }
        )(session, called)
    assert called.get("/rows?fields=stop_code,stop_name").get_json()["data"] == [
        {"stop_code": "000124", "stop_name": "桂**"}
    ]


def test_time_ends_what_is_remembered(called: Served, clock: SetClock) -> None:
    with called.platform.database.writing() as session:
        key = session.scalars(select(AccessKey)).one()
        key.expires_at = clock() + timedelta(hours=1)
    assert called.get("/rows").status_code == 200
    clock.advance(hours=1)
    assert called.get("/rows").get_json(force=True)["code"] == "key_replaced"
    with called.platform.database.writing() as session:
        session.scalars(select(AccessKey)).one().expires_at = None
    assert called.get("/rows").status_code == 200
    clock.advance(days=40)
    assert called.get("/rows").get_json(force=True)["code"] == "grant_expired"


def test_an_unchanged_grant_is_made_once(called: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_arguments: Any) -> Any:
        raise AssertionError("the admission was made again")

    monkeypatch.setattr(gate, "_admitted", never)
    assert called.get("/rows").status_code == 200


def test_memory_is_bounded(called: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "MOST_REMEMBERED", 0)
    memory = standing._Memory()
    memory.keep(1, None)  # type: ignore[arg-type]
    assert memory.get(1) is None
