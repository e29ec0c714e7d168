"""Columns of a table that is written through the API, and what may stand in them. Pure.

Clients name PostgreSQL's types, as CKAN's DataStore has them; each becomes one of ours. A value that
has not its column's type is refused with its row, never rounded and never blanked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Self

import orjson

from portal.errors import Defect, Invalid
from portal.tables.column_types import ColumnType

FIELDS_MAX = 500
DIGITS_MAX = 15  # before and behind the point of a number
_ID = re.compile(r'(?!_)[^\s"\x00-\x1f](?:[^"\x00-\x1f]{0,60}[^\s"\x00-\x1f])?')
_KINDS = {
    "text": ("text", "varchar", "character varying", "string", "uuid"),
    "int8": ("int", "int2", "int4", "int8", "integer", "bigint", "smallint"),
    "numeric": ("numeric", "decimal", "float", "float4", "float8", "real", "double precision"),
    "date": ("date",),
    "timestamp": ("timestamp", "timestamp without time zone", "datetime"),
    "bool": ("bool", "boolean"),
    "json": ("json", "jsonb"),
}
_TYPES = {name: kind for kind, names in _KINDS.items() for name in names}
COLUMN_TYPES = {
    "text": ColumnType.TEXT,
    "int8": ColumnType.INTEGER,
    "numeric": ColumnType.NUMBER,
    "date": ColumnType.DATE,
    "timestamp": ColumnType.DATETIME,
    "bool": ColumnType.TEXT,
    "json": ColumnType.TEXT,
}


@dataclass(frozen=True)
class ApiField:
    """One column: `id` as the client calls it, `type` a key of COLUMN_TYPES, `info` kept as it came."""

    id: str
    type: str = "text"
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ApiTable:
    """What a client said of a table; kept with the distribution as JSON."""

    fields: tuple[ApiField, ...]
    primary_key: tuple[str, ...] = ()

    @property
    def types(self) -> dict[str, str]:
        return {one.id: one.type for one in self.fields}

    def as_dict(self) -> dict[str, Any]:
        fields = [{"id": f.id, "type": f.type, "info": dict(f.info)} for f in self.fields]
        return {"fields": fields, "primary_key": list(self.primary_key)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        return cls(tuple(ApiField(**f) for f in values["fields"]), tuple(values["primary_key"]))


def read_fields(given: Sequence[Any]) -> tuple[ApiField, ...]:
    """Return the columns that a client describes.

    Raises:
        Invalid: a name or a type that cannot be, with its place.
    """
    if len(given) > FIELDS_MAX:
        raise Invalid.one("fields", "many", "最多 {most} 列。", most=FIELDS_MAX)
    fields: dict[str, ApiField] = {}
    for number, one in enumerate(given):
        place = f"fields.{number}"
        if not isinstance(one, Mapping) or not isinstance(one.get("id"), str):
            raise Invalid.one(place, "shape", '每一列应写成 {{"id": "列名", "type": "text"}}。')
        name, kind = one["id"], _TYPES.get(str(one.get("type") or "text").strip().lower())
        if not _ID.fullmatch(name) or name in fields:
            raise Invalid.one(
                place,
                "id",
                "列名“{name}”不能使用：1 至 62 个字符，不以下划线或空格开头，不含双引号，不重复。",
                name=name[:80],
            )
        if kind is None:
            raise Invalid.one(
                place, "type", "没有类型“{type}”，可用：{known}。",
                type=str(one.get("type"))[:40], known="、".join(_KINDS),
            )  # fmt: skip
        info = one.get("info")
        fields[name] = ApiField(name, kind, info if isinstance(info, Mapping) else {})
    return tuple(fields.values())


def guessed_fields(record: Mapping[str, Any], known: Sequence[ApiField]) -> list[dict[str, Any]]:
    """Return descriptions of the columns that the first record has and nobody described."""
    names = {one.id for one in known}
    return [
        {"id": name, "type": _guess(value)}
        for name, value in record.items()
        if name not in names and name != "_id"
    ]


def _guess(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int8"
    if isinstance(value, float):
        return "numeric"
    return "json" if isinstance(value, dict | list) else "text"


def check_record(table: ApiTable, record: Any, number: int) -> dict[str, Any]:
    """Return the values of a record as they are kept; keys that were not sent are not in it.

    Raises:
        Invalid: every value that does not fit, by record (from 0) and column.
    """
    if not isinstance(record, Mapping):
        raise Invalid.one(f"records.{number}", "shape", "第 {row} 条记录应为对象。", row=number + 1)
    types, values, defects = table.types, {}, []
    for name, value in record.items():
        if name == "_id":
            continue
        try:
            values[name] = kept_value(types[name], value)
        except KeyError:
            text = "第 {row} 条记录：没有列“{name}”。"
            defects.append(_defect(number, name, "unknown", text))
        except (ValueError, InvalidOperation):
            text = "第 {row} 条记录：“{name}”的值“{value}”不是 {type}。"
            defects.append(_defect(number, name, "value", text, value=value, type=types[name]))
    if defects:
        raise Invalid(defects)
    return values


def _defect(number: int, name: str, code: str, text: str, **params: Any) -> Defect:
    shown = {key: str(value)[:60] for key, value in params.items()}
    values = {"row": number + 1, "name": str(name)[:80], **shown}
    return Defect(f"records.{number}.{str(name)[:80]}", code, text, values)


def kept_value(kind: str, value: Any) -> Any:
    """Return a value as it stands in the file.

    Raises:
        ValueError, InvalidOperation: it has not the type.
    """
    if value is None or (value == "" and kind != "text"):
        return None
    return _KEEPERS[kind](value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(value)
    found = int(value) if not isinstance(value, str) else int(_plain(value))
    if not -(2**63) <= found < 2**63:
        raise ValueError(value)
    return found


def _plain(text: str) -> str:
    if not re.fullmatch(r"\s*[-+]?[0-9]{1,19}\s*", text):
        raise ValueError(text)
    return text


class Digits(str):
    """A number by its digits, which no binary fraction changes."""

    __slots__ = ()


def comparable(kind: str, value: Any) -> Any:
    """Return what two kept values of a column have in common if they are equal: 1.5 and 1.50."""
    if kind == "numeric" and value is not None:
        return str(Decimal(str(value)).normalize())
    return value


def _number(value: Any) -> Digits:
    """Keep the digits as they are; of a binary fraction those that it really has."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(value)
    if isinstance(value, str) and not re.fullmatch(
        r"\s*[-+]?[0-9.]+([eE][-+]?[0-9]{1,3})?\s*", value
    ):
        raise ValueError(value)
    found = Decimal(repr(value) if isinstance(value, float) else value)
    if not found.is_finite() or found.adjusted() >= DIGITS_MAX:
        raise ValueError(value)
    if _places(found) > DIGITS_MAX:
        if not isinstance(value, float):
            raise ValueError(value)
        found = round(found, DIGITS_MAX)
    return Digits(format(found, "f"))


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _date(value: Any) -> str:
    text = str(value).strip()
    if len(text) > 10 and re.fullmatch(r"[T ]00:00(:00(\.0+)?)?", text[10:]):
        text = text[:10]
    return date.fromisoformat(text).isoformat()


def _timestamp(value: Any) -> str:
    found = datetime.fromisoformat(str(value).strip())
    if found.tzinfo is not None:
        raise ValueError(value)
    return found.isoformat(" ")


def _boolean(value: Any) -> str:
    text = str(value).strip().lower()
    if text in ("true", "t", "yes", "1"):
        return "true"
    if text in ("false", "f", "no", "0"):
        return "false"
    raise ValueError(value)


def _json(value: Any) -> str:
    if isinstance(value, str):
        orjson.loads(value)  # raises ValueError
        return value
    return orjson.dumps(value).decode()


_KEEPERS: dict[str, Any] = {
    "text": _text,
    "int8": _integer,
    "numeric": _number,
    "date": _date,
    "timestamp": _timestamp,
    "bool": _boolean,
    "json": _json,
}
