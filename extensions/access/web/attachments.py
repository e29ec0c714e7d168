"""Files of an application: read by its parties, removed by the applicant."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

from flask import Blueprint, request
from flask_babel import gettext

from extensions.access.models.application import get_application
from extensions.access.models.attachment import get_attachment
from extensions.access.permissions import AccessPermission, is_applicant
from extensions.access.services.attachments import (
    MAX_BYTES,
    MAX_FILES,
    Received,
    check_name,
    remove_attachment,
)
from extensions.access.web.answers import decide
from portal.errors import Forbidden, Invalid
from portal.permissions import require
from portal.services.distributions import format_of, media_type_of
from portal.storage.base import StoredObject
from portal.web.access import signed_in, writes
from portal.web.attachment import stored_file
from portal.web.context import actor, platform, session

blueprint = Blueprint("access_attachments", __name__)
ID = "int(max=2147483647)"


def received_files() -> list[Received]:
    """Stream the form's files into storage; call it before the session is used.

    Raises:
        Invalid: too many, or a kind that is not taken. TooLarge: a file is.
    """
    files = [file for file in request.files.getlist("attachments") if file.filename]
    if len(files) > MAX_FILES:
        raise Invalid.one("attachments", "too_many", "附件最多{max}个。", max=MAX_FILES)
    names = [check_name(file.filename or "") for file in files]
    storage = platform().storage
    return [
        Received(name, storage.put(cast(BinaryIO, file.stream), max_bytes=MAX_BYTES))
        for name, file in zip(names, files, strict=True)
    ]


@blueprint.get(f"/applications/<{ID}:application_id>/attachments/<{ID}:attachment_id>")
@signed_in
def download(application_id: int, attachment_id: int) -> Any:
    application = get_application(session(), application_id)
    require(actor(), AccessPermission.APPLICATION_READ, application)
    found = get_attachment(session(), application.id, attachment_id)
    media_type = media_type_of(found.name, format_of(found.name))
    stored = StoredObject(found.sha256, found.size_bytes)
    response = stored_file(stored, media_type, found.name, f"attachment-{found.id}")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.post(f"/applications/<{ID}:application_id>/attachments/<{ID}:attachment_id>/remove")
@writes
def remove(application_id: int, attachment_id: int) -> Any:
    application = get_application(session(), application_id)
    if not is_applicant(actor(), application):
        raise Forbidden()
    found = get_attachment(session(), application.id, attachment_id)
    return decide(
        lambda: remove_attachment(session(), actor(), application, found),
        lambda problem: problem.message if problem else "",
        done=gettext("附件已移除。"),
        target=f"/applications/{application.id}/edit",
    )
