"""Read what a client sends: query parameters, JSON, a form, or a form with a file.

CKAN's clients are forgiven much: JSON sent as a form, a GET that claims to carry JSON and carries
nothing. What cannot be read is told in one sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from flask import request
from werkzeug.datastructures import FileStorage

from portal.api.errors import BadRequest
from portal.errors import Invalid, TooLarge
from portal.services.json_depth import is_too_deep

JSON_MAX_BYTES = 32 * 1024 * 1024
UPLOAD_FIELD = "upload"


def read_payload() -> tuple[dict[str, Any], FileStorage | None]:
    """Return the input and the file that came with it.

    Raises:
        BadRequest: malformed JSON, or JSON that is no object.
        TooLarge, Invalid.
    """
    if request.method in ("GET", "HEAD"):
        return _checked(_single(request.args.lists())), None
    if request.mimetype == "multipart/form-data":
        file = request.files.get(UPLOAD_FIELD)
        return _checked(_single(request.form.lists())), file if file and file.filename else None
    if (request.content_length or 0) > JSON_MAX_BYTES:
        raise TooLarge()
    request.max_content_length = JSON_MAX_BYTES
    body = request.get_data()
    if request.mimetype == "application/x-www-form-urlencoded" and body.lstrip()[:1] != b"{":
        return _checked(_single(request.form.lists())), None
    if not body.strip():
        return _checked(_single(request.args.lists())), None
    return _json_object(body), None


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(
            "Bad request - JSON Error: 请求正文不是有效的 JSON（第 {line} 行第 {column} 列）",
            line=error.lineno,
            column=error.colno,
        ) from error
    if not isinstance(data, dict):
        raise BadRequest("Bad request - JSON Error: 请求正文应为 JSON 对象")
    if is_too_deep(body, data):
        raise BadRequest("Bad request - JSON Error: 请求正文嵌套太深")
    if b"\\u0000" in body:
        _refuse_nul(data)
    return data


def _single(lists: Iterable[tuple[str, list[str]]]) -> dict[str, Any]:
    """Return one value for a key that came once, a list for one that came more often."""
    return {key: values[0] if len(values) == 1 else values for key, values in lists}


def _checked(data: dict[str, Any]) -> dict[str, Any]:
    _refuse_nul(data)
    return data


def _refuse_nul(value: Any, field: str = "") -> None:
    """No database keeps a NUL in a text; name where it stands."""
    if isinstance(value, str) and "\x00" in value:
        raise Invalid.one(field, "nul", "“{field}”含有不允许的控制字符。", field=field or "data")
    if isinstance(value, dict):
        for key, one in value.items():
            _refuse_nul(key, field or str(key).replace("\x00", ""))
            _refuse_nul(one, field or str(key))
    elif isinstance(value, list):
        for one in value:
            _refuse_nul(one, field)
