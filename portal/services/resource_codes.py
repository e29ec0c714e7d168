"""Give a resource code: unique, never reused, in order under its classification code."""

from __future__ import annotations

from typing import Any

from sqlalchemy import case
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.codes import code_list
from portal.models.counter import CodeSequence
from portal.models.organisation import Organisation
from portal.rules.entry_content import EntryContent
from portal.rules.resource_code import front_part, resource_code


def next_code(session: Session, provider: Organisation, content: EntryContent) -> str:
    """Return the next code under the provider's classification code."""
    return next_codes(session, classification(provider, content), 1)[0]


def next_codes(session: Session, front: str, count: int) -> list[str]:
    """Return the next `count` codes under a classification code."""
    last = _raise(session, front, CodeSequence.last + count, count)
    return [resource_code(front, number) for number in range(last - count + 1, last + 1)]


def keep_code(session: Session, code: str) -> None:
    """Take note that a code of ours came back with a record, so that it is never given again."""
    front, _, number = code.partition("/")
    given = int(number)
    _raise(session, front, case((CodeSequence.last < given, given), else_=CodeSequence.last), given)


def _raise(session: Session, front: str, last: Any, first: int) -> int:
    """Set the sequence to `last`, or begin it at `first`; return where it stands."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    return session.execute(
        insert(CodeSequence)
        .values(front=front, last=first)
        .on_conflict_do_update(index_elements=["front"], set_={"last": last})
        .returning(CodeSequence.last)
    ).scalar_one()


def classification(provider: Organisation, content: EntryContent) -> str:
    """Return the front part of the codes of a provider's resources of such a content."""
    regions = code_list("regions")
    region = regions.find(provider.region_code)
    resource_class = content.resource_class if content.resource_class in ("1", "2", "3") else "3"
    position = 0
    if resource_class == "1" and content.base_library in code_list("base_libraries"):
        position = code_list("base_libraries").position(content.base_library)
    elif resource_class == "2" and content.theme in code_list("themes"):
        position = code_list("themes").position(content.theme)
    return front_part(
        resource_class=resource_class,
        item_position=position,
        region_digits=region["numeric_code"] if region else "220000",
        department_serial=provider.serial,
    )
