"""An agency's own open list, uploaded as a spreadsheet: all rows become drafts, or none does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from harvesters.codes import plain_word
from harvesters.open_list import NoHeader, UnreadableList, read_open_list, write_template
from harvesters.record import BESIDE_CONTENT, FaultyRecord, HarvestedRecord
from portal.actor import Actor
from portal.clock import Clock
from portal.codes import all_code_names, code_list
from portal.errors import Defect, Forbidden, Invalid, PortalError, Unauthenticated
from portal.models.distribution import list_distributions
from portal.models.entry import (
    CatalogueEntry,
    EntryVersion,
    find_entry,
    find_unfinished_version,
)
from portal.models.organisation import Organisation, find_organisation
from portal.rules.entry_content import EntryContent, LegalBasis
from portal.rules.metadata_profile import JL_1, defects
from portal.services.codes_known import known_codes
from portal.services.content import content_of, parse_content
from portal.services.distributions import DistributionService
from portal.services.entries import EntryService
from portal.services.list_columns import remembered_columns

CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"
NO_HEADER = "no_header"
"""Code of the defect of a file whose columns a person must name first."""


@dataclass(frozen=True)
class ImportedRow:
    """What became of one row. `warnings`: what must be filled in before it can be submitted.

    `before` is what stood there, None for a new data set; `after` is what the row makes of it.
    """

    place: str
    title: str
    code: str
    outcome: str
    version_id: int
    warnings: tuple[Defect, ...] = ()
    before: EntryContent | None = None
    after: EntryContent | None = None


@dataclass(frozen=True)
class ImportResult:
    """Every row of an imported list, in its order."""

    rows: tuple[ImportedRow, ...]

    def count(self, outcome: str) -> int:
        """Return how many rows were "created", "updated" or "unchanged"."""
        return sum(1 for row in self.rows if row.outcome == outcome)


def open_list_template() -> bytes:
    """Return the XLSX that agencies fill in."""
    return write_template(all_code_names())


def import_open_list(
    session: Session,
    clock: Clock,
    actor: Actor,
    data: bytes,
    filename: str,
    provider: Organisation,
) -> ImportResult:
    """Make or change a draft for each row of the list; a row without a code is a new data set.

    What a row states replaces what the draft says; what it leaves empty stays.

    Raises:
        Invalid: one defect for each thing wrong, `field` is the row ("第 7 行") or "file";
            nothing was written.
        Forbidden: the actor does not act for the provider.
    """
    if not provider.id or provider.id not in _organisations(actor):
        raise Unauthenticated() if actor.is_anonymous else Forbidden()
    try:
        remembered = remembered_columns(session, provider)
        records = read_open_list(data, filename, all_code_names(), remembered=remembered)
    except NoHeader as error:
        raise Invalid.one("file", NO_HEADER, "{reason}", reason=str(error)) from error
    except UnreadableList as error:
        raise Invalid.one("file", "unreadable", "{reason}", reason=str(error)) from error
    rows: list[ImportedRow] = []
    found: list[Defect] = []
    with session.begin_nested():
        importer = RowImporter(session, clock, actor, provider)
        for record in records:
            try:
                rows.append(importer.row(record))
            except Invalid as error:
                found += (_at(record.place, defect) for defect in error.defects)
            except (Forbidden, Unauthenticated):
                raise
            except PortalError as error:
                found.append(Defect(record.place, error.code, "{text}", {"text": error.text()}))
        if found:
            raise Invalid(found, "清单有误，没有导入任何一行。请按下列提示修改后重新上传。")
    return ImportResult(tuple(rows))


def _organisations(actor: Actor) -> frozenset[int]:
    return actor.acts_for("agency") | actor.acts_for("responsible_dept")


def _at(place: str, defect: Defect) -> Defect:
    return Defect(place, defect.code, "{text}", {"text": defect.text()})


class RowImporter:
    """Brings in one row at a time, each behind a savepoint."""

    def __init__(
        self, session: Session, clock: Clock, actor: Actor, provider: Organisation
    ) -> None:
        self._session = session
        self._actor = actor
        self._provider = provider
        self._departments: dict[str, Organisation | None] = {}
        self._entries = EntryService(session, clock)
        self._distributions = DistributionService(session, clock)

    def row(self, record: HarvestedRecord | FaultyRecord) -> ImportedRow:
        if isinstance(record, FaultyRecord):
            faults = record.faults or (record.reason,)
            raise Invalid([Defect("", "unreadable", "{reason}", {"reason": f}) for f in faults])
        stated = {k: v for k, v in record.fields.items() if k not in BESIDE_CONTENT}
        found = [*self._provider_defects(record), *_acquisition_defects(stated)]
        department = self._department(record)
        if department is None:
            found.append(_unknown_department(record))
        content = parse_content(stated)
        if found:
            raise Invalid(found)
        with self._session.begin_nested():
            entry = self._find(record)
            before = None if entry is None else self._standing_content(entry)
            if entry is None:
                version = self._entries.create(
                    self._actor, self._provider, content, responsible_dept=department
                )
                outcome = CREATED
            else:
                version, outcome = self._change(entry, stated, content)
            if self._add_links(version.entry, record) and outcome == UNCHANGED:
                outcome = UPDATED
        after = content_of(version)
        warnings = tuple(defects(after, JL_1, known_codes()))
        code = version.entry.code
        return ImportedRow(
            record.place, version.title, code, outcome, version.id, warnings, before, after
        )

    def _standing_content(self, entry: CatalogueEntry) -> EntryContent | None:
        version = find_unfinished_version(self._session, entry.id) or entry.published_version
        return content_of(version) if version is not None else None

    def _provider_defects(self, record: HarvestedRecord) -> Iterator[Defect]:
        named = str(record.fields.get("provider_name") or "")
        own = (self._provider.name, self._provider.short_name, self._provider.code)
        if named and plain_word(named) not in map(plain_word, own):
            yield Defect(
                "",
                "foreign_provider",
                "提供单位是“{named}”，只能导入本单位（{own}）的清单。",
                {"named": named, "own": self._provider.name},
            )

    def _department(self, record: HarvestedRecord) -> Organisation | None:
        named = str(record.fields.get("responsible_dept") or "")
        if not named:
            return self._provider
        if named not in self._departments:
            self._departments[named] = find_organisation(self._session, named)
        return self._departments[named]

    def _find(self, record: HarvestedRecord) -> CatalogueEntry | None:
        """Return the entry that the row is about; None for a new one."""
        code = str(record.fields.get("code") or "")
        if not code:
            self._check_new_title(str(record.fields["title"]))
            return None
        entry = find_entry(self._session, code)
        if entry is None or entry.code != code:
            message = "没有代码为“{entry_code}”的目录；新数据集请把信息资源代码留空，由平台编码。"
            raise Invalid.one("code", "unknown", message, entry_code=code)
        if entry.provider_id != self._provider.id:
            message = "代码“{entry_code}”是“{owner}”的目录，只能导入本单位的清单。"
            raise Invalid.one(
                "code", "foreign", message, entry_code=code, owner=entry.provider.name
            )
        if entry.retired_at is not None:
            raise Invalid.one(
                "code", "retired", "代码“{entry_code}”的目录已撤下。", entry_code=code
            )
        return entry

    def _check_new_title(self, title: str) -> None:
        """A list that is sent in again must not make everything twice."""
        taken = self._session.scalar(
            select(CatalogueEntry.code)
            .join(EntryVersion, EntryVersion.entry_id == CatalogueEntry.id)
            .where(
                CatalogueEntry.provider_id == self._provider.id,
                EntryVersion.title == title,
                EntryVersion.state.not_in(("discarded", "superseded")),
            )
            .limit(1)
        )
        if taken is not None:
            message = "本单位已有名为“{title}”的目录（{entry_code}）：要修改它请填写这个代码，否则请改名。"
            raise Invalid.one("title", "taken", message, title=title, entry_code=taken)

    def _change(
        self, entry: CatalogueEntry, stated: dict[str, Any], content: EntryContent
    ) -> tuple[EntryVersion, str]:
        """Save the row in the entry's draft; open a revision if it is published and differs."""
        version = find_unfinished_version(self._session, entry.id)
        if version is not None and version.state not in ("draft", "returned"):
            raise Invalid.one("code", "under_review", "该目录正在审核，审核结束后才能修改。")
        standing = version or entry.published_version
        if standing is None:
            raise Invalid.one("code", "discarded", "该目录的草稿已作废，请作为新数据集填写。")
        values = {name: getattr(content, name) for name in stated}
        wanted = keep_untold(content_of(standing), replace(content_of(standing), **values))
        if wanted == content_of(standing):
            return standing, UNCHANGED
        target = version or self._entries.revise(self._actor, entry)
        return self._entries.save(self._actor, target, wanted), UPDATED

    def _add_links(self, entry: CatalogueEntry, record: HarvestedRecord) -> bool:
        """Add the file addresses that the row names and the entry lacks."""
        if not record.files:
            return False
        known = {d.url for d in list_distributions(self._session, entry.id)}
        new = [file for file in record.files if file.url not in known]
        for file in new:
            self._distributions.add_link(
                self._actor, entry, file.url, name=file.name, format=file.format
            )
        return bool(new)


def keep_untold(standing: EntryContent, wanted: EntryContent) -> EntryContent:
    """Leave quote and address of a legal basis that a row names again: a cell has no room for them."""
    kept: dict[str, Any] = {}
    for name in ("share_basis", "closed_basis", "collection_basis"):
        known = {_named(basis): basis for basis in getattr(standing, name)}
        kept[name] = tuple(known.get(_named(b), b) for b in getattr(wanted, name))
    return replace(wanted, **kept)


def _named(basis: LegalBasis) -> tuple[str, str, str, str]:
    return basis.kind, basis.title, basis.document_number, basis.article


def _acquisition_defects(stated: dict[str, Any]) -> Iterator[Defect]:
    """Art. 29: what an agency got from others is opened by those it got it from."""
    method = code_list("acquisition_methods").find(str(stated.get("acquisition_method") or ""))
    if method is not None and not method.is_yes("in_own_open_list"):
        yield Defect(
            "acquisition_method",
            "not_own",
            "采集方式为“{method}”的数据不能列入本单位开放清单（第29条）：应由数据来源单位开放。",
            {"method": method.name},
        )


def _unknown_department(record: HarvestedRecord) -> Defect:
    params = {"code": record.fields.get("responsible_dept")}
    return Defect("responsible_dept", "unknown", "没有代码为“{code}”的省级责任部门。", params)
