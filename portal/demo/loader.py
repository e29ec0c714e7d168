"""Load the sample catalogue: organisations, accounts, and entries in every state.

Everything goes through the real services and flows, at the dates that the records name, so that
audit trail, deadlines and notices look as they do in daily work. Runs once in an installation.
"""

from __future__ import annotations

import csv
import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from portal.actor import Actor, RoleIn
from portal.clock import SHANGHAI, Clock
from portal.demo.history import HistoryClock
from portal.demo.pages import load_pages
from portal.demo.stages import Cast, Stages
from portal.models.account import Account
from portal.models.counter import KeptValue
from portal.models.organisation import Organisation, get_organisation
from portal.platform import Platform
from portal.rules.entry_content import EntryContent
from portal.services.accounts import create_account
from portal.services.content import parse_content
from portal.services.organisations import load_organisations

DATA = Path(__file__).parent / "data"
DONE = "sample_catalogue"
BATCH = 10
ACCOUNTS_FILE = "accounts.txt"
CONTENT_FIELDS = frozenset(EntryContent.__dataclass_fields__)
_CAST = ("editor", "dept", "officer", "reviewer")


@dataclass(frozen=True)
class SampleAccount:
    username: str
    password: str
    display_name: str
    role: str


def is_loaded(platform: Platform) -> bool:
    with platform.database.reading() as session:
        return session.get(KeptValue, DONE) is not None


def load_sample(
    platform: Platform, *, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> list[SampleAccount]:
    """Load the sample catalogue once; return the accounts made, with their passwords.

    The passwords are also kept in the data folder, readable by its owner only.
    """
    if is_loaded(platform):
        return []
    records = list(read_records())
    with platform.database.writing() as session:
        load_organisations(session, platform.clock, DATA / "organisations.csv")
        accounts = _make_accounts(session, platform.clock)
        stand_ins = {name: _stand_in(session, platform.clock, name) for name in (*_CAST, "bureau")}
    _keep_accounts(platform.settings.home / ACCOUNTS_FILE, accounts)
    for start in range(0, len(records), BATCH):
        with platform.database.writing() as session:
            for record in records[start : start + BATCH]:
                _load_record(platform, session, record, stand_ins)
        progress(min(start + BATCH, len(records)), len(records))
    for extension in platform.extensions:
        for finish in extension.finish_samples:
            finish(platform)
    load_pages(platform)
    with platform.database.writing() as session:
        session.add(KeptValue(name=DONE, value=str(len(records))))
    return accounts


def read_records() -> Iterator[dict[str, Any]]:
    with (DATA / "entries.jsonl").open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _make_accounts(session: Session, clock: Clock) -> list[SampleAccount]:
    made = []
    with (DATA / "accounts.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            code = row["organisation_code"]
            organisation = get_organisation(session, code) if code else None
            password = secrets.token_urlsafe(9)
            create_account(
                session,
                clock,
                username=row["username"],
                password=password,
                display_name=row["display_name"],
                memberships=[(row["role"], organisation)],
                applicant_kind=row["applicant_kind"],
                applicant_name=row["applicant_name"],
                identity_verified=bool(row["applicant_kind"]),
            )
            made.append(SampleAccount(row["username"], password, row["display_name"], row["role"]))
    return made


def _stand_in(session: Session, clock: Clock, name: str) -> Account:
    """Make an account nobody can sign in to, which stands for an agency's people in the history."""
    account = create_account(
        session,
        clock,
        username=f"sample-{name}",
        password=secrets.token_urlsafe(32),
        display_name="示例经办人",
    )
    account.disabled = True
    return account


def _keep_accounts(path: Path, accounts: list[SampleAccount]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        for account in accounts:
            file.write(f"{account.username}\t{account.password}\t{account.display_name}\n")


def _cast(
    stand_ins: dict[str, Account], provider: Organisation, dept: Organisation, bureau: Organisation
) -> Cast:
    def actor(name: str, role: str, organisation: Organisation) -> Actor:
        place = RoleIn(role, organisation.id, organisation.code)
        label = organisation.short_name or organisation.name
        return Actor(stand_ins[name].id, f"{label}经办人（示例）", (place,))

    return Cast(
        editor=actor("editor", "agency_editor", provider),
        department=actor("dept", "responsible_dept", dept),
        officer=actor("officer", "agency_security_officer", provider),
        reviewer=actor("reviewer", "agency_reviewer", provider),
        bureau=actor("bureau", "bureau_reviewer", bureau),
    )


def _load_record(
    platform: Platform, session: Session, record: dict[str, Any], stand_ins: dict[str, Account]
) -> None:
    provider = get_organisation(session, record["provider"])
    dept = get_organisation(session, record["responsible_dept"])
    cast = _cast(stand_ins, provider, dept, get_organisation(session, "JL-BUR"))
    content = parse_content({k: v for k, v in record.items() if k in CONTENT_FIELDS})
    clock = HistoryClock(platform.clock())
    clock.move(_start_of(record, platform.clock()))
    stages = Stages(platform, session, clock, cast, DATA / "files")
    stages.bring(record, provider, dept, content)


def _start_of(record: dict[str, Any], now: datetime) -> date:
    """Return the day the record's story begins: its publication, or yesterday for unfinished ones."""
    published = record.get("published_on")
    if published:
        return date.fromisoformat(published)
    return now.astimezone(SHANGHAI).date() - timedelta(days=1)
