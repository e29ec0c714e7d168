"""Refusals as problem details (RFC 9457): `application/problem+json`, with our defects by field."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import Response, g

from extensions.access.errors import CallRefused
from portal.web.presentation import language_code

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:xiangyun:problem:"
TITLES = {
    400: ("请求有误", "Bad request"),
    401: ("未通过身份验证", "Not authenticated"),
    403: ("不允许调用", "Not allowed"),
    404: ("没有找到", "Not found"),
    409: ("状态已变化", "State has changed"),
    422: ("超出一次调用的上限", "Beyond what one call may ask"),
    429: ("超过调用限额", "Quota exceeded"),
    502: ("上游应答有误", "Bad answer from the agency's service"),
    504: ("上游没有及时应答", "No timely answer from the agency's service"),
    503: ("暂时不可用", "Unavailable for now"),
}


def problem(error: CallRefused, defects: Sequence[dict[str, str]] = ()) -> Response:
    """Return the answer; `type` ends with the refusal's stable code, `errors` are the defects."""
    language = language_code()
    status = error.refusal.status
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + error.code,
        "title": TITLES[status][language == "en"],
        "status": status,
        "detail": error.sentence(language),
        "code": error.code,
        "request_id": g.get("request_id", ""),
    }
    if defects:
        body["errors"] = list(defects)
    text = json.dumps(body, ensure_ascii=False)
    response = Response(text, status=status, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response
