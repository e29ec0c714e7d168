"""How a person says the tables of a file are to be read, where the detection is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Defect, IllegalEvent, Invalid
from portal.jobs.queue import enqueue
from portal.models.distribution import Distribution
from portal.permissions import Permission, require
from portal.services import audit
from portal.services.distributions import PARSE_TABLE
from portal.services.index_requests import request_index
from portal.tables.column_types import ColumnType
from portal.tables.coordinates import SYSTEMS
from portal.tables.encoding import codec_named, detect_encoding
from portal.tables.reader import Reading

DELIMITERS = {",": ",", "tab": "\t", ";": ";", "|": "|", "，": "，", "；": "；"}
NAME_MAX, TYPES_MAX = 200, 2000


@dataclass(frozen=True)
class TableReading:
    """All fields empty: everything is detected."""

    encoding: str = ""
    delimiter: str = ""  # a key of DELIMITERS
    sheet: str = ""
    header: str = ""  # "none", or the number of the row with the names
    types: Mapping[str, str] = field(default_factory=dict)  # column name -> ColumnType
    coordinates: str = ""  # a key of SYSTEMS
    set_for: int = 0  # number of the data version it was written for

    @classmethod
    def of(cls, distribution: Distribution) -> Self:
        return cls(**(distribution.reading or {}))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def chosen_types(self) -> dict[str, ColumnType]:
        return {name: ColumnType(kind) for name, kind in self.types.items()}

    def asked_of(self, number: int, path: Path) -> Reading:
        """Return what to ask of the reader for the delivery with this number.

        A later delivery that is UTF-8 beyond doubt is read as such: the agency has mended it.
        """
        encoding = self.encoding
        if encoding and number > self.set_for and _is_surely_unicode(path):
            encoding = ""
        return Reading(
            encoding=encoding,
            delimiter=DELIMITERS.get(self.delimiter, ""),
            sheet=self.sheet,
            has_header=self.header != "none",
            header_row=int(self.header) if self.header.isdigit() else None,
        )


def _is_surely_unicode(path: Path) -> bool:
    try:
        return detect_encoding(path).confidence == 1.0
    except ValueError:
        return False


class TableReadingService:
    """Changes how a file is read, and has it read again. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def set(self, actor: Actor, distribution: Distribution, reading: TableReading) -> None:
        """Keep what a person says and let a job read the current data again.

        Raises:
            Invalid: every defect at once, by field.
            IllegalEvent: there is no table to read, or it is being read just now.
        """
        require(actor, Permission.DISTRIBUTION_WRITE, distribution.entry)
        version = distribution.current_version
        if version is None or version.table_state not in ("ready", "failed"):
            raise IllegalEvent("文件正在读取，或不是表格；请稍后刷新再试。")
        defects = _defects(reading)
        if defects:
            raise Invalid(defects)
        kept = replace(reading, set_for=version.number)
        if kept == TableReading.of(distribution):
            return
        distribution.reading = kept.as_dict()
        distribution.modified_at = self._clock()
        version.table_state = "pending"
        audit.record(
            self._session,
            self._clock,
            actor,
            flow="distribution",
            event="set_reading",
            subject_id=distribution.id,
            entry_id=distribution.entry.id,
            details=kept.as_dict(),
        )
        payload = {"data_version_id": version.id}
        enqueue(self._session, self._clock, PARSE_TABLE, payload, key=f"parse:{version.id}")
        self._session.flush()
        request_index(self._session, self._clock, distribution.entry, tightens=True)


def _defects(reading: TableReading) -> list[Defect]:
    defects: list[Defect] = []
    if reading.encoding:
        try:
            codec_named(reading.encoding)
        except Invalid as error:
            defects += error.defects
    if reading.delimiter and reading.delimiter not in DELIMITERS:
        defects.append(Defect("delimiter", "unknown", "请从列表中选择分隔符。"))
    is_row = reading.header.isascii() and reading.header.isdigit() and len(reading.header) <= 4
    if reading.header not in ("", "none") and not (is_row and int(reading.header)):
        defects.append(
            Defect("header", "no_number", "表头所在行须为 1 以上的整数，或留空由系统识别。")
        )
    if reading.coordinates and reading.coordinates not in SYSTEMS:
        defects.append(Defect("coordinates", "unknown", "请从列表中选择坐标系。"))
    known = {kind.value for kind in ColumnType}
    if len(reading.types) > TYPES_MAX or not set(reading.types.values()) <= known:
        defects.append(Defect("types", "unknown", "请从列表中选择列的类型。"))
    return defects
