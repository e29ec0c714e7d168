"""A client that was written on the sandbox runs unchanged on the grant, and sees nothing real before."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from extensions.access.models.sandbox import Sandbox
from extensions.access.rules import Terms
from portal.models.distribution import DataVersion
from portal.platform import Platform
from portal.storage.base import ObjectMissing
from tests.extensions.access.conftest import ASKED
from tests.extensions.access.sandbox_fixtures import Box, make_sandboxes

TERMS = Terms(fields=ASKED, quota_day=10_000, per_minute=1_000, term_days=90)
REAL = ("000123", "000124", "000125", "000126", "13912345678", "13987654321", "13700001111")
NOT_OFFERED = ("张三丰", "李四", "王五", "keeper", "internal_flag")


def client(get: Callable[[str], Any]) -> dict[str, Any]:
    """Read everything, page by page and in every form; return what a program relies on."""
    schema = get("/schema").get_json()
    fields = {one["name"]: (one["type"], one.get("masking", "")) for one in schema["fields"]}
    fields = {name: fields[name] for name in ASKED}
    rows, path = [], f"/rows?limit=2&fields={','.join(ASKED)}&sort=stop_code"
    while path and len(rows) < 6:
        page = get(path).get_json()
        rows += page["data"]
        path = page["next"] and "/rows?" + page["next"].split("?", 1)[1]
    assert [row["stop_code"] for row in rows] == sorted(row["stop_code"] for row in rows)
    code = rows[0]["stop_code"]
    assert get(f"/count?stop_code={code}").get_json() == {"count": 1}
    text = get(f"/rows?format=csv&fields={','.join(ASKED)}").get_data(as_text=True)
    assert next(csv.reader(io.StringIO(text))) == list(ASKED)
    groups = get("/aggregate?group_by=stop_name&measure=count,mean:daily_passengers").get_json()
    refused = get("/rows?duty_phone=1")
    return {
        "fields": fields,
        "row": {name: {type(row[name]) for row in rows} - {type(None)} for name in ASKED},
        "page": sorted(page),
        "groups": (sorted(groups), groups["measures"], groups["smallest_group"]),
        "formats": schema["formats"],
        "caps": schema["caps"],
        "refused": (refused.status_code, refused.get_json()["errors"][0]["code"]),
    }


def test_a_client_runs_unchanged_on_the_grant(
    make_platform: Callable[..., Platform],
    open_box: Callable[..., Box],
) -> None:
    box = open_box(make_platform("sqlite"), terms=TERMS)
    assert client(box.get) == client(box.served.get)


def test_no_real_value_of_a_sensitive_column_nor_of_the_key_is_in_the_sandbox(
    make_platform: Callable[..., Platform],
    open_box: Callable[..., Box],
) -> None:
    box = open_box(make_platform("sqlite"))
    text = box.get("/rows?format=ndjson").get_data(as_text=True)
    assert text
    for value in (*REAL, *NOT_OFFERED):
        assert value not in text, value
    schema = box.get("/schema").get_data(as_text=True)
    assert "keeper" not in schema


def test_while_a_table_is_held_its_sandbox_is_made_of_metadata_alone(
    make_platform: Callable[..., Platform],
    open_box: Callable[..., Box],
) -> None:
    platform = make_platform("sqlite")
    box = open_box(platform)
    before = box.get("/rows?limit=5").get_json()["data"]
    with platform.database.writing() as session:
        older = session.get(Sandbox, box.served.interface_id).table["parquet_sha256"]
        assert platform.storage.stat(older).size_bytes > 0
        for version in session.query(DataVersion):
            version.hold = "review"
    make_sandboxes(platform)
    answer = box.get("/rows?limit=5")
    assert answer.status_code == 200  # the sandbox goes on while the grant waits
    assert answer.get_json()["data"] != before
    with pytest.raises(ObjectMissing):
        platform.storage.stat(older)
    assert box.served.get("/rows").get_json()["code"] == "no_data"
