"""A dry run of a long list in the background: row by row, with its progress, nothing written.

The rows go through the very code of the import, a few in a transaction that is rolled back, so that
nobody waits long for the database. What differs from the import: a row sees no other row of the
list, so titles that stand twice are looked for here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from harvesters.open_list import NoHeader, UnreadableList, read_open_list
from harvesters.record import FaultyRecord, HarvestedRecord
from portal.actor import ANONYMOUS, Actor
from portal.clock import Clock
from portal.codes import all_code_names
from portal.db import Database
from portal.errors import Defect, Invalid, PortalError
from portal.jobs.queue import enqueue
from portal.models.account import Account
from portal.models.list_check import CHECKING, DONE, FAILED, WAITING, ListCheck
from portal.models.organisation import Organisation
from portal.services.content import content_json
from portal.services.list_columns import remembered_columns
from portal.services.login_sessions import acting
from portal.services.open_list_import import CREATED, NO_HEADER, ImportedRow, RowImporter
from portal.storage.base import Storage

CHECK_LIST = "check_list"
BATCH = 40


def start_check(
    session: Session,
    clock: Clock,
    actor: Actor,
    provider: Organisation,
    *,
    sha256: str,
    filename: str,
) -> ListCheck:
    """Queue the dry run of a stored list."""
    check = ListCheck(
        organisation_id=provider.id,
        account_id=actor.account_id,
        filename=filename,
        sha256=sha256,
        stage=WAITING,
        created_at=clock(),
    )
    session.add(check)
    session.flush()
    enqueue(session, clock, CHECK_LIST, {"check_id": check.id}, key=f"{CHECK_LIST}:{check.id}")
    return check


def run_check(database: Database, storage: Storage, clock: Clock, check_id: int) -> None:
    """Look through the list; may run twice, the second time from the start."""
    with database.reading() as session:
        check = session.get(ListCheck, check_id)
        if check is None or check.stage in (DONE, FAILED):
            return
        sha256, filename = check.sha256, check.filename
        account_id, organisation_id = check.account_id, check.organisation_id
        provider = session.get(Organisation, organisation_id)
        assert provider is not None  # organisations are never removed
        remembered = remembered_columns(session, provider)
    try:
        data = b"".join(storage.open(sha256))
        records = read_open_list(data, filename, all_code_names(), remembered=remembered)
    except UnreadableList as error:
        said = {"defects": [_defect("file", str(error))], NO_HEADER: isinstance(error, NoHeader)}
        _keep(database, clock, check_id, FAILED, said)
        return
    rows: list[dict[str, Any]] = []
    found: list[dict[str, str]] = []
    titles: dict[str, str] = {}
    for start in range(0, len(records), BATCH):
        batch = records[start : start + BATCH]
        _progress(database, check_id, start, len(records))
        with database.writing_session() as session:
            account = session.get(Account, account_id)
            provider = session.get(Organisation, organisation_id)
            assert account is not None  # accounts and organisations are never removed
            assert provider is not None
            actor = ANONYMOUS if account.disabled else acting(session, clock, account)
            importer = RowImporter(session, clock, actor, provider)
            _look(importer, batch, titles, rows, found)
            session.rollback()
    _keep(database, clock, check_id, DONE, {"rows": rows, "defects": found}, len(records))


def _look(
    importer: RowImporter,
    batch: Sequence[HarvestedRecord | FaultyRecord],
    titles: dict[str, str],
    rows: list[dict[str, Any]],
    found: list[dict[str, str]],
) -> None:
    for record in batch:
        try:
            row = importer.row(record)
            _check_twice(row, titles)
            rows.append(row_values(row))
        except Invalid as error:
            found += (_defect(record.place, defect.text()) for defect in error.defects)
        except PortalError as error:
            found.append(_defect(record.place, error.text()))


def _check_twice(row: ImportedRow, titles: dict[str, str]) -> None:
    if row.outcome != CREATED:
        return
    first = titles.setdefault(row.title, row.place)
    if first != row.place:
        message = "与{place}的名称“{title}”相同：同一单位内不重名。"
        raise Invalid([Defect("title", "taken", message, {"place": first, "title": row.title})])


def row_values(row: ImportedRow) -> dict[str, Any]:
    """Return a row as the check keeps it: contents only where something differs."""
    differs = row.before is not None and row.before != row.after
    return {
        "place": row.place,
        "title": row.title,
        "outcome": row.outcome,
        "warnings": [warning.text() for warning in row.warnings],
        "before": content_json(row.before) if differs and row.before else None,
        "after": content_json(row.after) if differs and row.after else None,
    }


def _defect(place: str, message: str) -> dict[str, str]:
    return {"field": place, "message": message}


def _progress(database: Database, check_id: int, done: int, total: int) -> None:
    with database.writing() as session:
        check = session.get(ListCheck, check_id)
        if check is not None:
            check.stage, check.rows_done, check.rows_total = CHECKING, done, total


def _keep(
    database: Database,
    clock: Clock,
    check_id: int,
    stage: str,
    result: dict[str, Any],
    total: int = 0,
) -> None:
    with database.writing() as session:
        check = session.get(ListCheck, check_id)
        if check is not None:
            check.stage, check.result, check.finished_at = stage, result, clock()
            check.rows_done = check.rows_total = total
