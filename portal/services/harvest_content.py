"""What of a record goes into our content: an official's decisions stay, the rest follows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from portal.codes import code_list
from portal.rules.entry_content import EntryContent
from portal.services.harvest_record import SourceRecord

UNTRUSTED_OPEN_TYPE, UNTRUSTED_LEVEL = "conditional", "2"
DECIDED_HERE = (
    "open_type",
    "open_condition",
    "open_condition_ground",
    "closed_ground",
    "closed_basis",
    "share_type",
    "share_condition",
    "share_basis",
    "security_level",
)
"""What an official decides: the three fields of catalogue-fields.md, section 4, and their grounds."""


def untrusted_content(record: SourceRecord) -> EntryContent:
    """Return the content of a draft: nobody here has looked at the record yet."""
    return replace(
        record.content, open_type=UNTRUSTED_OPEN_TYPE, security_level=UNTRUSTED_LEVEL, share_type=""
    )


def content_kept_by_official(here: EntryContent, record: SourceRecord) -> EntryContent:
    """Return what stands here with what the source states, save what officials decided."""
    changes: dict[str, Any] = {
        name: getattr(record.content, name) for name in record.stated if name not in DECIDED_HERE
    }
    if here.licence and here.open_type != record.content.open_type:
        changes.pop("licence", None)  # a licence fits an open type
    return replace(here, **changes, foreign=record.content.foreign)


def remark_on_kept(here: EntryContent, record: SourceRecord) -> str:
    """Return a remark where the source now states another open type than the one decided here."""
    stated = record.content.open_type
    if "open_type" not in record.stated or stated == here.open_type:
        return ""
    label = code_list("open_types").label
    return f"来源的开放类型为“{label(stated)}”，本平台保留审核确定的“{label(here.open_type)}”，请核实。"
