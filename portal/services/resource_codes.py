"""Give a resource code: unique, never reused, in order under its classification code."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.codes import code_list
from portal.models.counter import CodeSequence
from portal.models.organisation import Organisation
from portal.rules.entry_content import EntryContent
from portal.rules.resource_code import front_part, resource_code


def next_code(session: Session, provider: Organisation, content: EntryContent) -> str:
    """Return the next code under the provider's classification code."""
    front = _front(provider, content)
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(
        insert(CodeSequence)
        .values(front=front, last=1)
        .on_conflict_do_update(index_elements=["front"], set_={"last": CodeSequence.last + 1})
    )
    last = session.execute(
        select(CodeSequence.last).where(CodeSequence.front == front)
    ).scalar_one()
    return resource_code(front, last)


def _front(provider: Organisation, content: EntryContent) -> str:
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
