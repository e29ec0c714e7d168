"""Load a file of CKAN packages: a batch a transaction, every faulty line named, all others go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.actor import Actor, RoleIn
from portal.clock import Clock
from portal.db import Database
from portal.errors import Invalid, PortalError
from portal.models.organisation import get_organisation
from portal.services import audit, notices
from portal.services.imports import Imported, PackageImporter
from portal.services.json_depth import is_too_deep
from portal.services.organisations import BUREAU_CODE
from portal.services.package_input import wire_name

BATCH = 200
"""Packages of one transaction."""


class LoadFailed(PortalError):
    """A line is faulty and the file was to come in whole or not at all; nothing was written."""

    code = "load_failed"
    default_message = "有错误的行，没有写入任何内容。"

    def __init__(self, report: LoadReport) -> None:
        super().__init__()
        self.report = report


@dataclass(frozen=True)
class LineError:
    """What is wrong with a line of the file, counted from 1."""

    number: int
    text: str


@dataclass
class LoadReport:
    """What happened to the lines. `provider_ids` are the organisations whose data came."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[LineError] = field(default_factory=list)
    provider_ids: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class _Line:
    number: int
    package: Any


class PackageLoader:
    """Loads the lines of one file in the name of whoever works on the command line.

    Args:
        source: the file's name; stands in the audit trail.
    """

    def __init__(self, database: Database, clock: Clock, *, source: str, reason: str) -> None:
        self._database, self._clock = database, clock
        self._source, self._reason = source, reason
        with database.reading() as session:
            bureau = get_organisation(session, BUREAU_CODE)
            role = RoleIn("bureau_admin", bureau.id, bureau.code)
        self._actor = Actor(None, "命令行", (role,))

    def load(self, lines: Iterable[bytes]) -> Iterator[LoadReport]:
        """Load batch by batch; yield the growing report after each.

        A batch that the database refuses as a whole is tried line by line, so that one bad line
        takes no other with it.
        """
        report = LoadReport()
        for batch in _batches(lines, report):
            try:
                with self._database.writing() as session:
                    done = self._write(session, batch)
            except IntegrityError:
                done = [self._write_alone(line) for line in batch]
            _count(report, batch, done)
            yield report
        self._tell(report)

    def load_whole(self, lines: Iterable[bytes]) -> LoadReport:
        """Load all lines in one transaction, or none.

        Raises:
            LoadFailed: some line is faulty; `report` of the error names every one.
        """
        report = LoadReport()
        with self._database.writing() as session:
            for batch in _batches(lines, report):
                _count(report, batch, self._write(session, batch))
            if report.errors:
                raise LoadFailed(report)
        self._tell(report)
        return report

    def _write(
        self, session: Session, batch: Sequence[_Line]
    ) -> list[tuple[str, int] | PortalError]:
        """Return for each line (outcome, provider's id), or what is wrong with it."""
        importer = PackageImporter(
            session, self._clock, self._actor,
            source=self._source, reason=self._reason, notify=False,
        )  # fmt: skip
        return [
            (done.outcome, done.entry.provider_id) if isinstance(done, Imported) else done
            for done in importer.add_many([line.package for line in batch])
        ]

    def _write_alone(self, line: _Line) -> tuple[str, int] | PortalError:
        try:
            with self._database.writing() as session:
                return self._write(session, [line])[0]
        except IntegrityError as error:
            return PortalError("数据库拒绝了这条记录：{error}", error=str(error.orig)[:200])

    def _tell(self, report: LoadReport) -> None:
        """Tell once of the whole load: the Bureau, and the providers whose data came."""
        if not report.created + report.updated:
            return
        with self._database.writing() as session:
            event = audit.record(
                session,
                self._clock,
                self._actor,
                flow="package_load",
                event="load",
                subject_id=0,
                reason=self._reason,
                details={
                    "source": self._source,
                    "created": report.created,
                    "updated": report.updated,
                    "failed": len(report.errors),
                },
            )
            told = notices.accounts_acting_as(session, "bureau", None)
            told |= notices.accounts_acting_as(session, "agency", frozenset(report.provider_ids))
            text = f"批量导入：新增{report.created}个、更新{report.updated}个数据，来源“{self._source}”，请复核。"
            notices.tell(session, self._clock, told, event, text, "/work")


def _batches(lines: Iterable[bytes], report: LoadReport) -> Iterator[list[_Line]]:
    """Yield the lines that are JSON in batches; name the others in the report."""
    numbered = ((n, line) for n, line in enumerate(lines, 1) if line.strip())
    while chunk := list(islice(numbered, BATCH)):
        batch = []
        for number, line in chunk:
            try:
                batch.append(_Line(number, _package(line)))
            except (orjson.JSONDecodeError, Invalid) as error:
                text = error.text() if isinstance(error, Invalid) else f"不是有效的 JSON（{error}）"
                report.errors.append(LineError(number, text))
        yield batch


def _package(line: bytes) -> Any:
    package = orjson.loads(line)
    if not isinstance(package, dict):
        raise Invalid([], "每行应为一个 JSON 对象。")
    if is_too_deep(line, package):
        raise Invalid([], "嵌套太深。")
    if b"\\u0000" in line:
        raise Invalid([], "含有不允许的控制字符（\\u0000）。")
    return package


def _count(
    report: LoadReport, batch: Sequence[_Line], done: Sequence[tuple[str, int] | PortalError]
) -> None:
    for line, outcome in zip(batch, done, strict=True):
        if isinstance(outcome, PortalError):
            report.errors.append(LineError(line.number, _sentence(outcome)))
            continue
        kind, provider_id = outcome
        setattr(report, kind, getattr(report, kind) + 1)
        report.provider_ids.add(provider_id)


def _sentence(error: PortalError) -> str:
    defects = getattr(error, "defects", ())
    listed = "；".join(f"{wire_name(d.field)}: {d.text()}" for d in defects)
    return listed or error.text()
