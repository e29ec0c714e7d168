"""A harvested record in the words of our catalogue, checked, and its fingerprint.

What the source's own server computes (times of its rows, counters, its scores) is left out: it
changes without anything of the record having changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

import orjson
from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from harvesters.record import BESIDE_CONTENT, HarvestedFile, HarvestedRecord
from portal.clock import SHANGHAI
from portal.errors import Defect, Invalid
from portal.rules.entry_content import EntryContent
from portal.rules.metadata_profile import FOREIGN_1, defects
from portal.services.codes_known import known_codes
from portal.services.content import parse_content

REMOTE_ID_MAX, MAX_BYTES = 300, 2_000_000
_SERVER_KEYS = frozenset(
    [
        "metadata_created",
        "metadata_modified",
        "creator_user_id",
        "organization",
        "owner_org",
        "private",
        "state",
        "num_tags",
        "num_resources",
        "revision_id",
        "revision_timestamp",
        "tracking_summary",
        "relationships_as_subject",
        "relationships_as_object",
    ]
)
_SERVER_RESOURCE_KEYS = frozenset(
    [
        "created",
        "metadata_modified",
        "package_id",
        "position",
        "state",
        "revision_id",
        "revision_timestamp",
        "tracking_summary",
        "datastore_active",
        "url_type",
        "cache_url",
        "cache_last_updated",
    ]
)
_SERVER_EXTRAS = frozenset(
    [
        "jl_open_state",
        "jl_metadata_profile",
        "jl_version",
        "jl_value_score",
        "jl_value_reasons",
        "jl_high_value",
        "jl_provider",
        "jl_under_objection",
    ]
)


@dataclass(frozen=True)
class SourceRecord:
    """What a source says of one record. `stated`: the fields of `content` that it speaks of.

    `name` is a CKAN name; only such records bring ids that the whole world may use.
    """

    remote_id: str
    place: str
    name: str
    content: EntryContent
    stated: tuple[str, ...]
    files: tuple[HarvestedFile, ...] = ()
    code: str = ""
    provider_name: str = ""
    responsible_dept: str = ""
    issued: date | None = None
    data_modified: datetime | None = None
    supplementary: bool = False

    @property
    def issued_at(self) -> datetime | None:
        return datetime.combine(self.issued, time(), SHANGHAI) if self.issued else None


_ADAPTER: TypeAdapter[SourceRecord] = TypeAdapter(SourceRecord)


def record_json(record: SourceRecord) -> dict[str, Any]:
    """Return the record as plain JSON values, for a row."""
    return _ADAPTER.dump_python(record, mode="json")  # type: ignore[no-any-return]


def record_of(values: Mapping[str, Any]) -> SourceRecord:
    """Return the record that `record_json` wrote."""
    return _ADAPTER.validate_json(orjson.dumps(values))


def fingerprint(record: SourceRecord) -> str:
    """Return the digest of everything that the record says; where it stands does not count."""
    values = record_json(replace(record, place=""))
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()


def read_record(record: HarvestedRecord) -> SourceRecord:
    """Return the record in our words.

    Raises:
        Invalid: it is not public at the source, a value cannot be read, profile foreign-1 does
            not hold, or it says what the law rules out.
    """
    if record.foreign.get("private") is True or record.foreign.get("state", "active") != "active":
        raise Invalid.one("", "not_public", "该记录在来源处不是公开的。")
    fields = {name: value for name, value in record.fields.items() if name not in BESIDE_CONTENT}
    fields["items"] = tuple(_item(item) for item in fields.get("items", ()))
    content = parse_content({**fields, "foreign": _foreign(record)})
    found = [*defects(content, FOREIGN_1, known_codes()), *_unlawful(content)]
    if found:
        raise Invalid(found)
    beside = record.fields
    read = SourceRecord(
        short_id(record.remote_id),
        record.place,
        record.name,
        content,
        tuple(sorted(set(fields) & set(record.fields))),
        tuple(_file(file) for file in record.files),
        code=str(beside.get("code") or ""),
        provider_name=str(beside.get("provider_name") or ""),
        responsible_dept=str(beside.get("responsible_dept") or ""),
        issued=beside.get("issued"),
        data_modified=_moment(beside.get("data_modified")),
        supplementary=bool(beside.get("supplementary")),
    )
    _check_storable(read)
    return read


def short_id(remote_id: str) -> str:
    """Return an id that fits a row; a longer one becomes its digest."""
    if len(remote_id) <= REMOTE_ID_MAX:
        return remote_id
    return "sha256-" + hashlib.sha256(remote_id.encode("utf-8", "replace")).hexdigest()


def _item(item: Any) -> Any:
    """Give an information item without a field name one made from its name."""
    from harvesters.open_list.items import field_name_of  # with spreadsheet libraries

    if isinstance(item, Mapping) and not item.get("field_name"):
        return {**item, "field_name": field_name_of(str(item.get("name", "")))}
    return item


def _foreign(record: HarvestedRecord) -> dict[str, Any]:
    """Return what has no field, as the Action API gives it back: top-level keys and extras."""
    if not record.name:
        return {"columns": dict(record.foreign)} if record.foreign else {}
    package = {k: v for k, v in record.foreign.items() if k not in _SERVER_KEYS and k != "extras"}
    extras = [e for e in record.foreign.get("extras", []) if e.get("key") not in _SERVER_EXTRAS]
    return {key: kept for key, kept in (("package", package), ("extras", extras)) if kept}


def _file(file: HarvestedFile) -> HarvestedFile:
    foreign = {k: v for k, v in file.foreign.items() if k not in _SERVER_RESOURCE_KEYS}
    return replace(file, remote_id=short_id(file.remote_id), foreign=foreign)


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time(), SHANGHAI) if isinstance(value, date) else None


def _unlawful(content: EntryContent) -> list[Defect]:
    """Art. 41: data of level 3 or 4 is not opened, whatever a source says."""
    may_be_open = known_codes().security_levels.get(content.security_level, True)
    if may_be_open or content.open_type not in ("unconditional", "conditional"):
        return []
    message = "来源把安全级别为{level}级的数据标为开放：该级别的数据不能开放（第41条）。"
    return [Defect("security_level", "level", message, {"level": content.security_level})]


def _check_storable(record: SourceRecord) -> None:
    try:
        raw = _ADAPTER.dump_json(record)
    except (PydanticSerializationError, UnicodeError) as error:
        raise Invalid.one("", "unreadable", "记录中有无法保存的字符。") from error
    if b"\\u0000" in raw:
        raise Invalid.one("", "unreadable", "记录中有无法保存的字符（空字符）。")
    if len(raw) > MAX_BYTES:
        raise Invalid.one("", "too_large", "记录过大，最多 {max} 字节。", max=MAX_BYTES)
