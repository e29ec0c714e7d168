"""Versions of the code lists (Measures, art. 6): what each list held, and since when."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.codes import FOLDER
from portal.errors import NotFound
from portal.models.code_release import CodeListRelease

NOT_LISTS = ("calendar_days", "transitions")
NAMES = {
    "acquisition_methods": "数据采集方式",
    "base_libraries": "基础资源库",
    "data_types": "信息项数据类型",
    "departments": "省级部门和单位",
    "formats": "文件格式",
    "licences": "开放许可",
    "objection_grounds": "异议理由",
    "open_types": "开放类型",
    "regions": "地区",
    "roles": "用户角色",
    "security_levels": "数据级别",
    "share_types": "共享类型",
    "themes": "主题",
    "update_frequency": "更新周期",
}


def record_releases(session: Session, clock: Clock) -> int:
    """Keep every list whose content differs from its newest version as a new one; return how many."""
    newest = {one.list_name: one for one in newest_releases(session)}
    made = 0
    for path in sorted(FOLDER.glob("*.csv")):
        text = path.read_text(encoding="utf-8")
        digest = hashlib.sha256(text.encode()).hexdigest()
        before = newest.get(path.stem)
        if path.stem in NOT_LISTS or (before is not None and before.digest == digest):
            continue
        session.add(
            CodeListRelease(
                list_name=path.stem,
                number=before.number + 1 if before else 1,
                digest=digest,
                rows=len(list(csv.DictReader(io.StringIO(text)))),
                text=text,
                released_at=clock(),
            )
        )
        made += 1
    session.flush()
    return made


def newest_releases(session: Session) -> Sequence[CodeListRelease]:
    """Return the newest version of every list, in order of name."""
    newest = (
        select(CodeListRelease.list_name, func.max(CodeListRelease.number).label("number"))
        .group_by(CodeListRelease.list_name)
        .subquery()
    )
    query = select(CodeListRelease).join(
        newest,
        (newest.c.list_name == CodeListRelease.list_name)
        & (newest.c.number == CodeListRelease.number),
    )
    return session.scalars(query.order_by(CodeListRelease.list_name)).all()


def list_releases(session: Session, list_name: str) -> Sequence[CodeListRelease]:
    """Return every version of a list, the newest first. Raises NotFound."""
    query = select(CodeListRelease).where(CodeListRelease.list_name == list_name)
    found = session.scalars(query.order_by(CodeListRelease.number.desc())).all()
    if not found:
        raise NotFound("没有这个代码表。")
    return found


@dataclass(frozen=True)
class CodeChanges:
    """What a version changed against the one before it: keys (first column) of rows."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def table_of(release: CodeListRelease) -> tuple[list[str], list[list[str]]]:
    """Return the columns and the rows of a version."""
    rows = list(csv.reader(io.StringIO(release.text)))
    return rows[0], rows[1:]


def changes_between(before: CodeListRelease, after: CodeListRelease) -> CodeChanges:
    old, new = _by_key(before), _by_key(after)
    return CodeChanges(
        added=tuple(key for key in new if key not in old),
        removed=tuple(key for key in old if key not in new),
        changed=tuple(key for key in new if key in old and old[key] != new[key]),
    )


def _by_key(release: CodeListRelease) -> dict[str, dict[str, str]]:
    return {next(iter(row.values())): row for row in csv.DictReader(io.StringIO(release.text))}
