"""Turns error classes into HTTP answers; nothing else in the portal knows a status code."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

import structlog
from flask import Flask, Response, g, jsonify, redirect, render_template, request
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from portal import errors
from portal.storage.base import ObjectMissing, StorageUnavailable

log = structlog.get_logger(__name__)

STATUSES: tuple[tuple[type[errors.PortalError], int], ...] = (
    (errors.NotFound, 404),
    (errors.Gone, 410),
    (errors.Unauthenticated, 401),
    (errors.Forbidden, 403),
    (errors.IllegalEvent, 409),
    (errors.Conflict, 409),
    (errors.GuardRefused, 409),
    (errors.Invalid, 422),
    (errors.TooManyRequests, 429),
    (errors.TooLarge, 413),
    (errors.Unavailable, 503),
)
WORDS = ("label", "state", "event", "what", "unit", "kind")  # params that are words, not data
HTTP_MESSAGES = {
    400: "请求有误，请检查后重试。",
    404: "没有找到您要的页面。",
    405: "不支持这种请求方式。",
    413: "内容超过允许的大小。",
    429: "操作过于频繁，请稍后重试。",
}


def status_of(error: errors.PortalError) -> int:
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 400)


def message_of(error: errors.PortalError) -> str:
    """Return the error's sentence in the reader's language."""
    return _worded(error.message, error.params)


def defects_of(error: errors.PortalError) -> list[dict[str, str]]:
    """Return every defect with its field and its sentence in the reader's language."""
    found = getattr(error, "defects", ())
    return [
        {"field": d.field, "code": d.code, "message": _worded(d.message, d.params)} for d in found
    ]


def _worded(message: str, params: Mapping[str, Any]) -> str:
    """Fill the places in; a label, state or event of ours is put in the reader's words as well."""
    text = gettext(message)
    if not params:
        return text
    named = {k: gettext(v) for k, v in params.items() if k in WORDS and v}
    return text.format(**{**params, **named})


def wants_json() -> bool:
    return request.path.startswith(("/api/", "/data/")) or (
        request.accept_mimetypes.best == "application/json"
    )


def install(app: Flask) -> None:
    app.register_error_handler(errors.PortalError, _portal_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(StorageUnavailable, _storage_error)
    app.register_error_handler(ObjectMissing, _storage_error)
    app.register_error_handler(OperationalError, _database_error)
    app.register_error_handler(IntegrityError, _integrity_error)
    app.register_error_handler(DataError, _data_error)
    app.register_error_handler(Exception, _unexpected)


def _portal_error(error: errors.PortalError) -> AnyResponse:
    if isinstance(error, errors.Unauthenticated) and not wants_json() and request.method == "GET":
        query = urlencode({"next": request.full_path.rstrip("?")})
        return redirect(f"/login?{query}")
    response = _answer(status_of(error), error.code, message_of(error), defects_of(error))
    if isinstance(error, errors.TooManyRequests):
        response.headers["Retry-After"] = str(error.params.get("retry_after_seconds", 60))
    return response


def _csrf_error(_error: CSRFError) -> AnyResponse:
    return _answer(400, "csrf", gettext("页面已过期，请返回刷新后重新提交。"), [])


def _http_error(error: HTTPException) -> AnyResponse:
    status = error.code or 500
    if status < 400:
        return _moved(error)
    message = gettext(HTTP_MESSAGES.get(status, "请求没有完成。"))
    response = _answer(status, "http_error", message, [])
    if status == 405 and getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
    return response


def _storage_error(error: Exception) -> AnyResponse:
    log.error("storage failed", error=str(error))
    if _is_disk_full(error):
        return _disk_full()
    return _answer(
        503, "storage", gettext("文件存储服务暂时不可用，没有保存任何内容，请稍后重试。"), []
    )


def _database_error(error: OperationalError) -> AnyResponse:
    log.error("database failed", error=str(error.orig))
    if "disk is full" in str(error.orig):  # SQLite's words; PostgreSQL says it as 53100
        return _disk_full()
    return _answer(503, "database", gettext("数据库暂时不可用，没有保存任何内容，请稍后重试。"), [])


def _moved(error: HTTPException) -> AnyResponse:
    """Redirect within this site, whatever name the Host header gave it."""
    response = cast(AnyResponse, error.get_response(request.environ))
    parts = urlsplit(response.headers.get("Location", "/"))
    response.headers["Location"] = urlunsplit(
        ("", "", f"/{parts.path.lstrip('/')}", parts.query, "")
    )
    return response


def _is_disk_full(error: BaseException | None) -> bool:
    """True if the error, or what it came from, is a file system without room."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False


def _disk_full() -> AnyResponse:
    text = gettext("服务器存储空间不足，没有保存任何内容。请联系管理员清理空间后重试。")
    return _answer(507, "storage_full", text, [])


def _data_error(error: DataError) -> AnyResponse:
    """A value that no column can hold, such as a NUL character in a name or an address."""
    log.warning("value refused by the database", error=str(error.orig))
    return _answer(400, "bad_value", gettext("请求里含有不能处理的字符或数值，请检查后重试。"), [])


def _integrity_error(error: IntegrityError) -> AnyResponse:
    log.warning("integrity", error=str(error.orig))
    return _answer(409, "conflict", gettext(errors.Conflict.default_message), [])


def _unexpected(error: Exception) -> AnyResponse:
    if _is_disk_full(error):
        log.error("disk full", error=str(error))
        return _disk_full()
    log.exception("unexpected error", exc_info=error)
    return _answer(500, "internal", gettext("系统出现错误，已记录。请稍后重试。"), [])


def _answer(status: int, code: str, message: str, defects: list[dict[str, str]]) -> Response:
    request_id = g.get("request_id", "")
    if wants_json():
        body: dict[str, Any] = {
            "error": {"code": code, "message": message, "request_id": request_id}
        }
        if defects:
            body["error"]["details"] = defects
        response = jsonify(body)
    else:
        response = Response(
            render_template(
                "error.html", status=status, message=message, defects=defects, request_id=request_id
            )
        )
    response.status_code = status
    return response
