"""Uploads in parts by the tus protocol 1.0: creation, termination, checksum, expiration.

The session's cookie says who sends, the header X-CSRFToken that it is our page that does. Answers
are for programs; what a person sees is on the page of the entry's files.

Source: https://tus.io/protocols/resumable-upload
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, BinaryIO, cast

from flask import Response, jsonify, make_response, redirect, request
from werkzeug.http import http_date

from portal.errors import Invalid, PortalError
from portal.models.distribution import Distribution
from portal.models.entry import CatalogueEntry, get_entry
from portal.models.upload import DONE, OPEN, PartialUpload
from portal.permissions import Permission, require
from portal.services.upload_receiving import (
    ALGORITHMS,
    Checksum,
    ChecksumMismatch,
    Receiver,
)
from portal.services.uploads import NewUpload, UploadLocked, UploadService
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, platform
from portal.web.errors import defects_of, message_of, status_of
from portal.web.work.blueprint import work_blueprint

blueprint = work_blueprint("work_uploads")
VERSION = "1.0.0"
EXTENSIONS = "creation,termination,checksum,expiration"
BODY = "application/offset+octet-stream"
STATUSES: tuple[tuple[type[PortalError], int], ...] = ((UploadLocked, 423), (ChecksumMismatch, 460))
METADATA_MAX = 16 * 1024


class WrongVersion(PortalError):
    """The sender speaks another version of the protocol."""

    code = "tus_version"
    default_message = "只支持 tus 协议 1.0.0。"


class WrongBody(PortalError):
    """The part is of another content type."""

    code = "content_type"
    default_message = "分块的 Content-Type 应为 application/offset+octet-stream。"


@blueprint.errorhandler(PortalError)
def _refused(error: PortalError) -> Response:
    special = (*STATUSES, (WrongVersion, 412), (WrongBody, 415))
    status = next((s for kind, s in special if isinstance(error, kind)), status_of(error))
    body: dict[str, Any] = {"code": error.code, "message": message_of(error)}
    if defects := defects_of(error):
        body["message"] = "；".join(defect["message"] for defect in defects)
    response = jsonify(error=body)
    response.status_code = status
    return response


@blueprint.after_request
def _headers(response: Response) -> Response:
    response.headers["Tus-Resumable"] = VERSION
    response.headers["Cache-Control"] = "no-store"
    if request.method == "OPTIONS" or response.status_code == 412:
        response.headers["Tus-Version"] = VERSION
    return response


@blueprint.route("/work/uploads", methods=["OPTIONS"], provide_automatic_options=False)
@signed_in
def options() -> Response:
    response = make_response("", 204)
    response.headers["Tus-Extension"] = EXTENSIONS
    response.headers["Tus-Max-Size"] = str(platform().settings.max_resumable_bytes)
    response.headers["Tus-Checksum-Algorithm"] = ",".join(ALGORITHMS)
    return response


@blueprint.route("/work/uploads", methods=["POST"], provide_automatic_options=False)
@writes
def create() -> Response:
    """Open an upload; `Upload-Metadata` names the entry and the file."""
    _check_version()
    said = _metadata(request.headers.get("Upload-Metadata", ""))
    new = NewUpload(
        filename=said.get("filename", ""),
        size_bytes=_number("Upload-Length"),
        name=said.get("name", ""),
        description=said.get("description", ""),
        reason=said.get("reason", ""),
        sha256=said.get("sha256", ""),
        replaces=said.get("replaces", ""),
    )
    parts = platform()
    with parts.database.reading() as session:
        require(actor(), Permission.DISTRIBUTION_WRITE, get_entry(session, said.get("entry", "")))
    with parts.database.writing() as session:
        entry = get_entry(session, said.get("entry", ""))
        upload = UploadService(session, clock(), hours=parts.settings.upload_hours).begin(
            actor(), entry, new, max_bytes=parts.settings.max_resumable_bytes
        )
        parts.storage.parts.reserve(upload.public_id, new.size_bytes)
        response = make_response("", 201)
        response.headers["Location"] = f"/work/uploads/{upload.public_id}"
        _tell(response, upload)
    return response


@blueprint.route("/work/uploads/<upload_id>", methods=["HEAD"], provide_automatic_options=False)
@signed_in
def offset(upload_id: str) -> Response:
    """Say how far it got: there the sender goes on."""
    _check_version()
    with platform().database.reading() as session:
        upload = _service(session).own(actor(), upload_id)
        response = make_response("", 200 if upload.stage != OPEN or not _is_over(upload) else 410)
        response.headers["Upload-Length"] = str(upload.size_bytes)
        _tell(response, upload)
    return response


@blueprint.route("/work/uploads/<upload_id>", methods=["PATCH"], provide_automatic_options=False)
@writes
def append(upload_id: str) -> Response:
    """Take the next part."""
    _check_version()
    if request.mimetype != BODY:
        raise WrongBody()
    parts = platform()
    receiver = Receiver(parts.database, parts.storage, clock(), hours=parts.settings.upload_hours)
    reached = receiver.receive(
        actor(),
        upload_id,
        _number("Upload-Offset"),
        cast(BinaryIO, request.stream),
        checksum=_checksum(request.headers.get("Upload-Checksum", "")),
    )
    response = make_response("", 204)
    with parts.database.reading() as session:
        _tell(response, _service(session).own(actor(), upload_id))
    response.headers["Upload-Offset"] = str(reached)
    return response


@blueprint.route("/work/uploads/<upload_id>", methods=["DELETE"], provide_automatic_options=False)
@writes
def terminate(upload_id: str) -> Response:
    _check_version()
    _cancel(upload_id)
    return make_response("", 204)


@blueprint.post("/work/uploads/<upload_id>/cancel")
@writes
def cancel(upload_id: str) -> Any:
    """Cancel by a plain form."""
    with platform().database.reading() as session:
        upload = _service(session).own(actor(), upload_id)
        entry = session.get_one(CatalogueEntry, upload.entry_id)
        target = f"/work/entries/{entry.slug}/files"
    _cancel(upload_id)
    return redirect(target, 303)


@blueprint.get("/work/uploads/<upload_id>/state")
@signed_in
def state(upload_id: str) -> Response:
    """Say what became of an upload, for a page that waits."""
    with platform().database.reading() as session:
        upload = _service(session).own(actor(), upload_id)
        found: dict[str, Any] = {
            "state": upload.stage,
            "offset": upload.offset_bytes,
            "size": upload.size_bytes,
            "error": upload.error,
        }
        if upload.stage == DONE and upload.distribution_id is not None:
            found["file"] = session.get_one(Distribution, upload.distribution_id).public_id
    return jsonify(found)


def _cancel(upload_id: str) -> None:
    parts = platform()
    with parts.database.writing() as session:
        name = _service(session).cancel(actor(), upload_id)
    parts.storage.parts.remove(name)


def _service(session: Any) -> UploadService:
    return UploadService(session, clock(), hours=platform().settings.upload_hours)


def _is_over(upload: PartialUpload) -> bool:
    return upload.expires_at <= clock()()


def _tell(response: Response, upload: PartialUpload) -> None:
    response.headers["Upload-Offset"] = str(upload.offset_bytes)
    if upload.stage == OPEN:
        response.headers["Upload-Expires"] = http_date(upload.expires_at)


def _check_version() -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise WrongVersion()


def _number(header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise Invalid.one(header, "integer", "请求头 {header} 应为不小于 0 的整数。", header=header)
    return int(text)


def _metadata(text: str) -> Mapping[str, str]:
    """Read `key base64, key base64`. Raises Invalid."""
    found: dict[str, str] = {}
    if len(text) > METADATA_MAX:
        raise _bad_metadata()
    for pair in text.split(",") if text else ():
        key, _, value = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode().replace("\x00", "")
        except (binascii.Error, UnicodeDecodeError):
            raise _bad_metadata() from None
    return found


def _bad_metadata() -> Invalid:
    return Invalid.one("Upload-Metadata", "malformed", "请求头 Upload-Metadata 的格式不对。")


def _checksum(text: str) -> Checksum | None:
    if not text:
        return None
    algorithm, _, value = text.partition(" ")
    try:
        return Checksum(algorithm, base64.b64decode(value, validate=True))
    except binascii.Error:
        raise Invalid.one(
            "Upload-Checksum", "malformed", "请求头 Upload-Checksum 的格式不对。"
        ) from None
