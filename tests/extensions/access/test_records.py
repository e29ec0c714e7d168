"""What people read of their keys and of interfaces: the export of personal data, and the timeline."""

from __future__ import annotations

import json
import re
from pathlib import Path

import extensions.access
from extensions.access.services.sandbox_keys import SandboxKeyService
from portal.models.account import Account
from portal.services.personal_data import export
from portal.services.timeline import OTHER_EVENTS, OTHER_FLOWS
from tests.extensions.access.conftest import Grants

SERVICES = Path(extensions.access.__file__).parent / "services"
FLOW_NAME = re.compile(r'AUDIT_FLOW = "(\w+)"')
EVENT = re.compile(r'(?:_record\([\w, ]*|event=)"(\w+)"')


def test_the_export_of_a_person_holds_sandbox_keys_without_secrets(grants: Grants) -> None:
    owner = grants.people.actor("applicant", number=7)
    new = SandboxKeyService(grants.session, grants.platform.clock).make(owner)
    account = grants.session.get_one(Account, owner.account_id)
    found = export(grants.session, grants.platform.clock, owner, account)
    kept = found["records"]["access_sandbox_key.account_id"]
    assert kept["kept_after_erasure"] == ""  # it goes with the account
    assert [row["id"] for row in kept["rows"]] == [new.key.id]
    assert kept["rows"][0]["prefix"] == new.key.prefix
    text = json.dumps(found, ensure_ascii=False)
    assert new.secret not in text
    assert new.key.secret_hash not in text


def test_every_event_of_interfaces_and_keys_has_words() -> None:
    seen = set()
    for path in SERVICES.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        flow = FLOW_NAME.search(text)
        if flow is not None:
            seen |= {(flow.group(1), event) for event in EVENT.findall(text)}
    assert {("data_interface", "serve_upstream"), ("access_policy", "write")} <= seen
    assert len(seen) >= 8
    assert seen <= set(OTHER_EVENTS)
    assert {flow for flow, _ in seen} <= set(OTHER_FLOWS)
