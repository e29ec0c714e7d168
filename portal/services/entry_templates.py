"""Templates and copies: what a new entry may begin with."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Forbidden, Invalid, NotFound
from portal.models.entry import EntryVersion
from portal.models.entry_template import EntryTemplate
from portal.rules.entry_content import EntryContent
from portal.services import audit
from portal.services.content import content_json, content_of, parse_content

FLOW = "entry_template"
NAME_MAX = 100
COPY_MARK = "（副本）"


def copied(content: EntryContent) -> EntryContent:
    """Return what another entry may begin with: without what is said of this one alone."""
    return replace(
        content,
        title=f"{content.title}{COPY_MARK}",
        title_en="",
        related_codes=(),
        related_service_items=(),
        verified_at=None,
        duplicate_reason="",
        pooling_state="not_pooled",
        foreign={},
    )


def save_template(
    session: Session, clock: Clock, actor: Actor, version: EntryVersion, name: str
) -> EntryTemplate:
    """Keep a version's content as a template of its provider; the same name is written over.

    Raises:
        Forbidden: the actor compiles neither for the provider nor for its department.
        Invalid: no name, or a name that is too long.
    """
    entry = version.entry
    own = actor.acts_for("agency") | actor.acts_for("responsible_dept")
    if not own & {entry.provider_id, entry.responsible_dept_id}:
        raise Forbidden()
    name = name.strip()
    if not name or len(name) > NAME_MAX:
        raise Invalid.one("template", "missing", "请给模板取一个名称，不超过{n}个字。", n=NAME_MAX)
    owner = entry.provider_id if entry.provider_id in own else entry.responsible_dept_id
    content = replace(copied(content_of(version)), title=content_of(version).title)
    found = session.scalars(
        select(EntryTemplate).where(
            EntryTemplate.organisation_id == owner, EntryTemplate.name == name
        )
    ).first()
    template = found or EntryTemplate(organisation_id=owner, name=name)
    template.content = content_json(content)
    template.created_by, template.created_at = actor.account_id, clock()
    session.add(template)
    session.flush()
    audit.record(
        session, clock, actor, flow=FLOW, event="save", subject_id=template.id,
        entry_id=entry.id, details={"name": name},
    )  # fmt: skip
    return template


def delete_template(session: Session, clock: Clock, actor: Actor, template_id: int) -> None:
    """Forget a template. Raises: NotFound, also for people of other organisations."""
    template = own_template(session, actor, template_id)
    audit.record(
        session, clock, actor, flow=FLOW, event="delete", subject_id=template.id,
        details={"name": template.name},
    )  # fmt: skip
    session.delete(template)


def own_template(session: Session, actor: Actor, template_id: int) -> EntryTemplate:
    template = session.get(EntryTemplate, template_id)
    own = actor.acts_for("agency") | actor.acts_for("responsible_dept")
    if template is None or template.organisation_id not in own:
        raise NotFound("没有这个模板。")
    return template


def content_of_template(template: EntryTemplate) -> EntryContent:
    return parse_content(template.content)
