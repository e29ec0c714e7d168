"""Whether a restored portal is whole: every file that the database names, and the audit trail."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from portal.models.distribution import DataVersion
from portal.models.entry import CatalogueEntry
from portal.platform import Platform
from portal.services.audit import verify
from portal.services.audit_anchor import FileAnchor
from portal.storage.base import ObjectMissing


@dataclass(frozen=True)
class Findings:
    """What was looked at, and what is wrong with it in words."""

    entries: int
    files: int
    problems: tuple[str, ...]


def check_restored(platform: Platform) -> Findings:
    """Look every named file up in the storage and verify the chain of the audit trail."""
    problems: list[str] = []
    with platform.database.reading() as session:
        entries = session.scalar(select(func.count(CatalogueEntry.id))) or 0
        hashes = set(session.scalars(select(DataVersion.sha256).distinct())) - {""}
        anchor = FileAnchor(platform.settings.home / "audit-head.json")
        problems += [f"audit: seal {f.seal_number}: {f.problem}" for f in verify(session, anchor)]
    for sha256 in sorted(hashes):
        try:
            platform.storage.stat(sha256)
        except ObjectMissing:
            problems.append(f"the file {sha256} is not in the storage")
    return Findings(entries, len(hashes), tuple(problems))
