"""The one route of the Action API: find the action, see who calls, run it, answer as CKAN does.

No cookie counts here, so no foreign page can make a browser write: a token identifies, in
`Authorization` (bare or after `Bearer`) or in `X-CKAN-API-Key`; a bad one is an anonymous caller.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import orjson
import structlog
from flask import Blueprint, Response, current_app, g, request
from flask.blueprints import BlueprintSetupState
from pydantic import ValidationError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException

from portal import errors
from portal.actor import ANONYMOUS, Actor
from portal.api.action import Action, Call, Raw, table_of
from portal.api.core import CORE_ACTIONS
from portal.api.errors import OTHER, BadRequest, answer_of, invalid_input
from portal.api.payload import read_payload
from portal.permissions import is_allowed
from portal.services.accounts import actor_of_token
from portal.services.distributions import Upload, safe_filename
from portal.services.upload_check import check_upload
from portal.storage.base import ObjectMissing, StorageUnavailable
from portal.tables.json_values import dumps
from portal.web.access import Access, public
from portal.web.context import EXTENSION_KEY, platform, session
from portal.web.errors import message_of

JSON = "application/json;charset=utf-8"
TABLE = "xiangyun_actions"
blueprint = Blueprint("action_api", __name__)
log = structlog.get_logger(__name__)


@blueprint.record_once
def _keep_table(state: BlueprintSetupState) -> None:
    """Gather the actions of the core and of the enabled extensions; a name twice stops the start."""
    extensions = state.app.extensions[EXTENSION_KEY].extensions
    more = (action for extension in extensions for action in extension.actions)
    state.app.extensions[TABLE] = table_of((*CORE_ACTIONS, *more))


def actions() -> dict[str, Action]:
    return cast(dict[str, Action], current_app.extensions[TABLE])


@blueprint.get("/api/3")
@public
def version_three() -> Response:
    return _json(200, b'{"version":3}')


@blueprint.get("/api")
@public
def version_one() -> Response:
    return _json(200, b'{"version":1}')


@blueprint.route("/api/3/action/<name>", methods=["GET", "POST"])
@blueprint.route("/api/action/<name>", methods=["GET", "POST"])
@public
def call_action(name: str) -> Response:
    """Run one action. Who may call it is said by the action itself (see `Action.access`)."""
    action = actions().get(name)
    if action is None:
        return _bare(f"Bad request: Action name not known: {name[:80]}")
    if action.access is Access.WRITE and request.method in ("GET", "HEAD"):
        return _bare(f"Bad request: {name} 会更改数据，须用 POST 调用")
    try:
        return _answer(action, _run(action))
    except BadRequest as error:
        return _bare(message_of(error))
    except (errors.PortalError, StorageUnavailable, ObjectMissing) as error:
        return _failed(action, _portal_error(error))
    except IntegrityError as error:
        log.warning("integrity", error=str(error.orig))
        return _failed(action, errors.Conflict())
    except DataError as error:
        log.warning("value refused by the database", error=str(error.orig))
        return _failed(
            action, errors.Invalid.one("", "unstorable", "有的值过大或含有不能保存的字符。")
        )
    except OperationalError as error:
        log.error("database failed", error=str(error.orig))
        return _failed(
            action, errors.Unavailable("数据库暂时不可用，没有保存任何内容，请稍后重试。")
        )


def _portal_error(error: Exception) -> errors.PortalError:
    if isinstance(error, errors.PortalError):
        return error
    log.error("storage failed", error=str(error))
    return errors.Unavailable("文件存储服务暂时不可用，没有保存任何内容，请稍后重试。")


def _run(action: Action) -> Any:
    """Identify, read the input, and only then open the transaction: no lock waits for a client."""
    g.actor = _identify()
    _check_access(action, g.actor)
    data, file = read_payload()
    upload = _store(action, data, file) if file is not None else None
    try:
        given = action.schema.model_validate(data)
    except ValidationError as error:
        raise invalid_input(error) from error
    prepared = None
    if action.prepare is not None:
        with platform().database.reading() as reading:
            prepared = action.prepare(Call(platform(), reading, g.actor, data, upload), given)
    opened = session(writing=action.access is Access.WRITE)
    return action.handler(Call(platform(), opened, g.actor, data, upload, prepared), given)


def _identify() -> Actor:
    header = request.headers.get("Authorization") or request.headers.get("X-CKAN-API-Key") or ""
    scheme, _, rest = header.strip().partition(" ")
    token = rest.strip() if scheme.lower() == "bearer" else header.strip()
    if not token or len(token) > 500:
        return ANONYMOUS
    with platform().database.reading() as reading:
        return actor_of_token(reading, token)


def _check_access(action: Action, actor: Actor) -> None:
    if action.access is not Access.PUBLIC and actor.is_anonymous:
        raise errors.Unauthenticated()
    if action.permission is not None and not is_allowed(actor, action.permission):
        raise errors.Unauthenticated() if actor.is_anonymous else errors.Forbidden()


def _store(action: Action, data: dict[str, Any], file: FileStorage) -> Upload | None:
    """Put the file into storage, hashed while streaming, before any transaction begins."""
    if action.before_upload is None:
        return None
    parts = platform()
    with parts.database.reading() as reading:
        action.before_upload(Call(parts, reading, g.actor, data))
    stored = parts.storage.put(cast(Any, file.stream), max_bytes=parts.settings.max_upload_bytes)
    filename = safe_filename(file.filename or "file")
    check_upload(Path(parts.storage.local_path(stored.sha256)), filename)
    return Upload(stored, filename)


def _help(action: Action) -> str:
    return f"{platform().settings.site_url}/api/3/action/help_show?name={action.name}"


def _answer(action: Action, result: Any) -> Response:
    raw = result if isinstance(result, Raw) else Raw(dumps(result))
    head = b'{"help":' + orjson.dumps(_help(action)) + b',"success":true,"result":'
    response = _json(200, head + raw.json + b"}")
    if raw.etag and request.method == "GET":
        response.set_etag(raw.etag)
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
    return response


def _failed(action: Action, error: errors.PortalError) -> Response:
    status, found = answer_of(error)
    body = {"help": _help(action), "error": found, "success": False}
    response = _json(status, orjson.dumps(body))
    if isinstance(error, errors.TooManyRequests):
        response.headers["Retry-After"] = str(error.params.get("retry_after_seconds", 60))
    return response


def _bare(message: str) -> Response:
    """Answer as CKAN does when no action can be made out of the request: 400, a JSON string."""
    return _json(400, orjson.dumps(message))


def _json(status: int, body: bytes) -> Response:
    response = Response(body, status=status)
    response.headers["Content-Type"] = JSON
    response.headers["Access-Control-Allow-Origin"] = (
        "*"  # no cookie counts here: any page may read
    )
    return response


@blueprint.errorhandler(errors.PortalError)
def _outside(error: errors.PortalError) -> Response:
    """Answer what is refused before an action runs (too many requests) in the same envelope."""
    status, found = answer_of(error)
    response = _json(status, orjson.dumps({"error": found, "success": False}))
    if isinstance(error, errors.TooManyRequests):
        response.headers["Retry-After"] = str(error.params.get("retry_after_seconds", 60))
    return response


@blueprint.errorhandler(HTTPException)
def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if status == 413:
        return _outside(errors.TooLarge())
    return _json(status, orjson.dumps(f"Bad request: {error.name}"))


@blueprint.errorhandler(Exception)
def _unexpected(error: Exception) -> Response:
    log.exception("unexpected error", exc_info=error)
    message = "系统出现错误，已记录。请稍后重试。"
    found = {"__type": OTHER, "message": message, "request_id": g.get("request_id", "")}
    return _json(500, orjson.dumps({"error": found, "success": False}))
