"""Records as lines of JSON, from the process that reads a source to the one that keeps them.

Lone surrogates, dates and moments survive; lists inside `fields` come back as tuples, as kinds
make them. Nothing is ever executed on the way (no pickle): the sender has read hostile bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

from harvesters.open_list.column_mapping import HeaderChanged, SheetSample
from harvesters.record import FaultyRecord, HarvestedFile, HarvestedRecord, SourceFailed

_DATE, _MOMENT = "$date", "$moment"


def line_of(message: HarvestedRecord | FaultyRecord | SourceFailed | None) -> bytes:
    """Return one line: a record, why the source failed, or (None) that its answer was complete."""
    if message is None:
        value: dict[str, Any] = {"end": True}
    elif isinstance(message, HarvestedRecord):
        value = {"record": _plain(message)}
    elif isinstance(message, FaultyRecord):
        value = {"fault": _plain(message)}
    elif isinstance(message, HeaderChanged):
        value = {"header": str(message), "sample": asdict(message.sample)}
    else:
        value = {"failed": str(message), "retry_after": message.retry_after_seconds}
    return json.dumps(value, default=_tagged).encode() + b"\n"


def message_of(line: bytes) -> HarvestedRecord | FaultyRecord | None:
    """Return the record of a line, or None at the end.

    Raises:
        SourceFailed: the line says so.
    """
    value = json.loads(line, object_hook=_untagged)
    if "record" in value:
        return _record(value["record"])
    if "fault" in value:
        fault = value["fault"]
        return FaultyRecord(**{**fault, "faults": tuple(fault["faults"])})
    if "end" in value:
        return None
    if "header" in value:
        raise HeaderChanged(value["header"], _sample(value["sample"]))
    raise SourceFailed(value["failed"], retry_after_seconds=value["retry_after"])


def _plain(record: Any) -> dict[str, Any]:
    """Return the fields of a record; not `asdict`, which copies what lies deep inside."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _tagged(value: Any) -> Any:
    if isinstance(value, datetime):
        return {_MOMENT: value.isoformat()}
    if isinstance(value, date):
        return {_DATE: value.isoformat()}
    if isinstance(value, HarvestedFile):
        return _plain(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a record holds a {type(value).__name__}")


def _untagged(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        if _DATE in value:
            return date.fromisoformat(value[_DATE])
        if _MOMENT in value:
            return datetime.fromisoformat(value[_MOMENT])
    return value


def _record(value: dict[str, Any]) -> HarvestedRecord:
    files = tuple(HarvestedFile(**file) for file in value["files"])
    return HarvestedRecord(**{**value, "fields": _as_tuples(value["fields"]), "files": files})


def _as_tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_as_tuples, value))
    if isinstance(value, dict):
        return {key: _as_tuples(one) for key, one in value.items()}
    return value


def _sample(value: dict[str, Any]) -> SheetSample:
    rows = tuple(tuple(row) for row in value["rows"])
    return SheetSample(**{**value, "header": tuple(value["header"]), "rows": rows})
