"""Sandboxes: made by jobs, opened by keys of any account, called like a grant."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from extensions.access.models.sandbox import Sandbox, SandboxCall
from extensions.access.services import sandbox_gate
from extensions.access.services.sandbox_keys import MOST_KEYS, SandboxKeyService, client_id_of
from extensions.access.services.sandboxes import list_due
from portal.errors import GuardRefused, NotFound
from portal.models.account import Account
from portal.platform import Platform
from tests.extensions.access.conftest import OFFERED
from tests.extensions.access.sandbox_fixtures import Box, make_sandboxes
from tests.factories import People


@pytest.fixture
def box(platform: Platform, open_box: Callable[..., Box]) -> Box:
    return open_box(platform)


def test_a_sandbox_key_opens_made_up_rows_with_every_offered_field(box: Box) -> None:
    answer = box.get("/rows?limit=3")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.headers["Xiangyun-Sandbox"] == "synthetic"
    assert answer.headers["RateLimit-Limit"] == str(sandbox_gate.PER_MINUTE)
    assert list(answer.get_json()["data"][0]) == list(OFFERED)
    schema = box.get("/schema").get_json()
    assert schema["sandbox"] is True
    assert schema["row_count"] >= 200
    grant = box.served.get("/schema")
    assert grant.get_json()["sandbox"] is False
    assert "Xiangyun-Sandbox" not in grant.headers


def test_every_way_of_asking_works(box: Box) -> None:
    first = box.get("/rows?limit=2&sort=-stop_code&fields=stop_code,duty_phone").get_json()
    assert first["data"][0]["stop_code"] > first["data"][1]["stop_code"]
    assert "*" in "".join(row["duty_phone"] or "*" for row in first["data"])
    query = first["next"].split("?", 1)[1]
    following = box.get(f"/rows?{query}").get_json()
    assert following["data"][0]["stop_code"] < first["data"][1]["stop_code"]
    code = first["data"][0]["stop_code"]
    assert box.get(f"/count?stop_code={code}").get_json() == {"count": 1}
    assert box.get("/rows?format=csv").get_data(as_text=True).startswith("stop_code,")
    lines = box.get("/rows?format=ndjson").get_data(as_text=True).splitlines()
    assert len(lines) == box.get("/count").get_json()["count"]
    assert box.get("/aggregate?measure=count").status_code == 200
    assert box.get("/rows?duty_phone=1").status_code == 400
    tag = box.get("/rows?limit=1").headers["ETag"]
    assert box.get("/rows?limit=1", headers={"If-None-Match": tag}).status_code == 304
    assert box.get("?limit=1").status_code == 200


def test_sandbox_keys_open_nothing_else_and_end_at_once(box: Box) -> None:
    platform = box.served.platform
    assert box.get("/rows", secret="xys_unknown").status_code == 401
    assert box.get(f"/rows?x={box.secret}").get_json()["code"] == "credential_in_url"
    assert box.served.client.get(
        "/data/v1/nothing/rows", headers={"X-API-Key": box.secret}
    ).status_code == 404  # fmt: skip
    with platform.database.writing() as session:
        service = SandboxKeyService(session, platform.clock)
        with pytest.raises(NotFound):
            service.revoke(People(platform, session).actor("applicant", number=6), box.key_id)
        service.revoke(box.owner, box.key_id)
    assert box.get("/rows").get_json()["code"] == "key_unknown"


def test_a_disabled_account_opens_no_sandbox(box: Box) -> None:
    with box.served.platform.database.writing() as session:
        session.get(Account, box.owner.account_id).disabled = True
    assert box.get("/rows").status_code == 401


def test_calls_are_added_up_for_the_account_and_limited(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_gate, "PER_MINUTE", 3)
    statuses = [box.get(f"/rows?limit={n}").status_code for n in (2, 2, 2, 2)]
    assert statuses == [200, 200, 200, 429]
    assert box.served.get("/rows").status_code == 200  # the grant's quota is its own
    with box.served.platform.database.reading() as session:
        use = session.get(
            SandboxCall,
            (box.owner.account_id, box.served.interface_id, box.served.platform.clock().date()),
        )
        assert (use.calls, use.rows, use.errors) == (3, 6, 0)


def test_an_oauth_client_takes_a_token_for_the_sandbox(box: Box) -> None:
    client = box.served.client
    basic = base64.b64encode(f"{client_id_of(box.key_id)}:{box.secret}".encode()).decode()
    data = {"grant_type": "client_credentials"}
    answer = client.post("/oauth/token", data=data, headers={"Authorization": f"Basic {basic}"})
    token = answer.get_json()["access_token"]
    assert box.get("/rows", secret=token).headers["Xiangyun-Sandbox"] == "synthetic"
    wrong = base64.b64encode(f"SX99999999:{box.secret}".encode()).decode()
    refused = client.post("/oauth/token", data=data, headers={"Authorization": f"Basic {wrong}"})
    assert refused.status_code == 401
    with box.served.platform.database.writing() as session:
        SandboxKeyService(session, box.served.platform.clock).revoke(box.owner, box.key_id)
    assert box.get("/rows", secret=token).get_json()["code"] == "token_invalid"
    forged = f"{token.split('.')[0]}.{token.split('.')[1]}.{'A' * 86}"
    assert box.get("/rows", secret=forged).get_json()["code"] == "token_invalid"


def test_an_account_has_a_few_keys_at_most(box: Box) -> None:
    platform = box.served.platform
    with platform.database.writing() as session:
        service = SandboxKeyService(session, platform.clock)
        for _ in range(MOST_KEYS - 1):
            service.make(box.owner)
        with pytest.raises(GuardRefused):
            service.make(box.owner)


def test_a_sandbox_is_made_again_when_items_or_table_change(
    make_platform: Callable[..., Platform], open_box: Callable[..., Box]
) -> None:
    box = open_box(make_platform("sqlite"))
    platform = box.served.platform

    def made() -> tuple[str, str]:
        with platform.database.reading() as session:
            sandbox = session.get(Sandbox, box.served.interface_id)
            return sandbox.mark, sandbox.table["parquet_sha256"]

    first = made()
    make_sandboxes(platform)
    assert made() == first
    with platform.database.writing() as session:
        assert list_due(session) == []
        session.get(Sandbox, box.served.interface_id).mark = "older"
        assert list_due(session) == [box.served.interface_id]
    make_sandboxes(platform)
    assert made() == first  # the same source gives the same table


def test_before_it_is_made_the_answer_says_so(
    make_platform: Callable[..., Platform], open_box: Callable[..., Box]
) -> None:
    box = open_box(make_platform("sqlite"))
    with box.served.platform.database.writing() as session:
        session.delete(session.get(Sandbox, box.served.interface_id))
    assert box.get("/rows").get_json()["code"] == "no_data"
