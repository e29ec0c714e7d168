"""What a run would do to records, field by field, as the catalogue stands. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from harvesters.open_list.fields import LIST_CODES, LIST_MANY_CODES
from portal.codes import all_code_names
from portal.models.distribution import list_distributions
from portal.models.entry import CatalogueEntry, find_unfinished_version
from portal.models.harvest import HarvestSource
from portal.rules.entry_content import EntryContent, InformationItem, LegalBasis
from portal.services.catalogue_flow import is_decided_by_official
from portal.services.content import content_of
from portal.services.harvest_check import BACK, CHANGED, NEW, Judgement, judge
from portal.services.harvest_content import content_kept_by_official, untrusted_content
from portal.services.harvest_record import SourceRecord

SOON = {NEW: "created", CHANGED: "updated", BACK: "back"}
FILES = "files"
_LONGEST = 300
_LEFT_OUT = frozenset({"foreign", "pooling_state"})
_LISTS: Mapping[str, str] = {**LIST_CODES, **LIST_MANY_CODES}


@dataclass(frozen=True)
class FieldChange:
    """`field` is a field of `EntryContent`, or "files"; the texts are for people, cut when long."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Foreseen:
    """`state` is that which the item of a run would end in."""

    state: str
    reason: str
    entry_id: int | None
    changes: tuple[FieldChange, ...] = ()


def foresee(
    session: Session, source: HarvestSource, records: Sequence[SourceRecord]
) -> list[Foreseen]:
    """Return what would become of each record, in order."""
    judgements = judge(session, source, records)
    return [
        Foreseen(
            SOON.get(judgement.outcome, judgement.outcome),
            judgement.reason,
            judgement.entry_id,
            tuple(_changes(session, source, record, judgement)),
        )
        for record, judgement in zip(records, judgements, strict=True)
    ]


def _changes(
    session: Session, source: HarvestSource, record: SourceRecord, judgement: Judgement
) -> Iterator[FieldChange]:
    content = record.content if source.trusted else untrusted_content(record)
    files = [file.name or file.url for file in record.files]
    if judgement.outcome == NEW:
        yield from differences(None, content)
        if files:
            yield FieldChange(FILES, "", _cut("、".join(files)))
        return
    if judgement.outcome not in (CHANGED, BACK):
        return
    entry = session.get_one(CatalogueEntry, judgement.entry_id)
    version = find_unfinished_version(session, entry.id) or entry.published_version
    if version is None:
        return
    here = content_of(version)
    if is_decided_by_official(session, entry.id) or version.editors or not source.trusted:
        content = content_kept_by_official(here, record)
    yield from differences(here, content)
    standing = [d for d in list_distributions(session, entry.id) if d.remote_id]
    if {d.remote_id for d in standing} != {file.remote_id for file in record.files}:
        before = "、".join(d.name or d.url for d in standing)
        yield FieldChange(FILES, _cut(before), _cut("、".join(files)))


def differences(before: EntryContent | None, after: EntryContent) -> Iterator[FieldChange]:
    """Yield what differs, in the order of the fields; everything that is said of a new one."""
    for field in fields(EntryContent):
        if field.name in _LEFT_OUT:
            continue
        old = getattr(before, field.name) if before else None
        new = getattr(after, field.name)
        if old == new or (before is None and not new):
            continue
        was, now = _words(field.name, old), _words(field.name, new)
        if was == now:
            now = f"{now}（内容有变化）" if now else now
        yield FieldChange(field.name, _cut(was), _cut(now))


def _words(name: str, value: Any) -> str:
    if not value:
        return ""
    if isinstance(value, tuple):
        return "、".join(_words(name, one) for one in value)
    if isinstance(value, InformationItem):
        return value.name
    if isinstance(value, LegalBasis):
        return f"《{value.title}》{value.article}" if value.title else value.kind
    if isinstance(value, date):
        return value.isoformat()
    return all_code_names().get(_LISTS.get(name, ""), {}).get(str(value), str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
