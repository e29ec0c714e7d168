"""One line of an open list to a `HarvestedRecord`. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from harvesters.open_list.items import ItemRows, items_from_names, items_from_rows
from harvesters.open_list.rows import Row
from harvesters.record import FaultyRecord, HarvestedFile, HarvestedRecord


def record_from_row(row: Row, items: ItemRows) -> HarvestedRecord | FaultyRecord:
    """Return the record, or one FaultyRecord that names every fault of the line and its items."""
    fields = dict(row.values)
    faults = list(row.faults)
    if not fields.get("title"):
        faults.insert(0, "缺少数据集名称")
    names = fields.pop("item_names", ())
    found, item_faults = items_from_rows(items.of(fields))
    faults += item_faults
    remote_id = remote_id_of(fields)
    if faults:
        reason = "；".join(faults) + "。"
        return FaultyRecord(row.place, remote_id, reason, tuple(f"{fault}。" for fault in faults))
    if found or names:
        fields["items"] = found or items_from_names(names)
    files = _files(fields)
    changed = fields.get("data_modified")
    modified = datetime.combine(changed, time(), UTC) if changed else None
    return HarvestedRecord(remote_id, fields, row.place, "", modified, files, row.foreign)


def remote_id_of(fields: Mapping[str, Any]) -> str:
    """Return the resource code, or a digest of provider and title, which a list keeps."""
    if fields.get("code"):
        return str(fields["code"])
    words = f"{fields.get('provider_name', '')}\n{fields.get('title', '')}"
    return "row-" + hashlib.sha256(words.encode()).hexdigest()[:32]


def _files(fields: dict[str, Any]) -> tuple[HarvestedFile, ...]:
    formats = fields.get("format", ())
    return tuple(
        HarvestedFile(
            remote_id=address,
            name=fields["title"],
            url=address,
            format=formats[0] if len(formats) == 1 else "",
        )
        for address in fields.pop("file_urls", ())
    )
