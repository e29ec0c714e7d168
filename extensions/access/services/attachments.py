"""附件 of an application: taken in with the form, read by its parties, removed while it may change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlalchemy.orm import Session

from extensions.access.models.application import AccessApplication
from extensions.access.models.attachment import AccessAttachment, list_attachments
from extensions.access.services.applications import EDITABLE
from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict, Forbidden, Invalid
from portal.services.distributions import safe_filename
from portal.storage.base import StoredObject

SUFFIXES = (".pdf", ".docx", ".doc", ".xlsx", ".png", ".jpg", ".jpeg", ".ofd", ".zip")
MAX_FILES = 5
MAX_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Received:
    """A file that was streamed into storage before the transaction began."""

    name: str
    stored: StoredObject


def check_name(filename: str) -> str:
    """Return the file's plain name. Raises Invalid for a kind that is not taken."""
    name = safe_filename(filename)
    if PurePosixPath(name.lower()).suffix not in SUFFIXES:
        kinds = "、".join(suffix.lstrip(".") for suffix in SUFFIXES)
        message = "附件“{name}”的格式不在可接受的范围内：{kinds}。"
        raise Invalid.one("attachments", "format", message, name=name[:80], kinds=kinds)
    return name


def add_attachments(
    session: Session,
    clock: Clock,
    actor: Actor,
    application: AccessApplication,
    received: Sequence[Received],
) -> None:
    """Keep the files with the application; the same content twice is one file.

    Raises:
        Forbidden, Conflict: not the applicant's, or handed in already. Invalid: too many, or empty.
    """
    _check_editable(actor, application)
    known = {one.sha256 for one in list_attachments(session, application.id)}
    new = {one.stored.sha256: one for one in received if one.stored.sha256 not in known}
    if len(known) + len(new) > MAX_FILES:
        raise Invalid.one("attachments", "too_many", "附件最多{max}个。", max=MAX_FILES)
    for one in new.values():
        if not one.stored.size_bytes:
            raise Invalid.one("attachments", "empty", "附件“{name}”是空的。", name=one.name[:80])
        session.add(
            AccessAttachment(
                application_id=application.id,
                name=one.name,
                sha256=one.stored.sha256,
                size_bytes=one.stored.size_bytes,
                created_at=clock(),
            )
        )
    session.flush()


def remove_attachment(
    session: Session, actor: Actor, application: AccessApplication, attachment: AccessAttachment
) -> None:
    """Take a file away again; its content stays, others may have handed in the same."""
    _check_editable(actor, application)
    session.delete(attachment)
    session.flush()


def _check_editable(actor: Actor, application: AccessApplication) -> None:
    if actor.account_id is None or actor.account_id != application.applicant_id:
        raise Forbidden()
    if application.state not in EDITABLE:
        raise Conflict("申请已提交，现在不能修改。")
