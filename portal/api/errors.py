"""Errors as CKAN clients know them: a type, a status code, and messages by field."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext
from pydantic import ValidationError

from portal import errors
from portal.errors import Defect
from portal.services.package_input import wire_name
from portal.web.errors import message_of, status_of

NOT_FOUND, DENIED, INVALID = "Not Found Error", "Authorization Error", "Validation Error"
QUERY, UNAVAILABLE, OTHER = (
    "Search Query Error",
    "Service Unavailable Error",
    "Internal Server Error",
)


class SearchQueryError(errors.PortalError):
    """A search that cannot be understood; CKAN's answer is 400."""

    code = "search_query"
    default_message = "检索式有误。"


class BadRequest(errors.PortalError):
    """No action can be made out of the request; the answer is a bare JSON string."""

    code = "bad_request"


def answer_of(error: errors.PortalError) -> tuple[int, dict[str, Any]]:
    """Return the status and the `error` object for an error."""
    if isinstance(error, SearchQueryError):
        return 400, {"__type": QUERY, "message": message_of(error)}
    if isinstance(error, errors.Absorbed):
        named = {"absorbed_by": error.successor, "message": message_of(error)}
        return 404, {"__type": NOT_FOUND, **named}
    if isinstance(error, errors.NotFound | errors.Gone):
        return 404, {"__type": NOT_FOUND, "message": message_of(error)}
    if isinstance(error, errors.Unauthenticated | errors.Forbidden):
        return 403, {"__type": DENIED, "message": _denial(error)}
    if isinstance(error, errors.Invalid):
        return 409, {**messages_by_field(error), "__type": INVALID}
    if isinstance(error, errors.Conflict):
        return 409, {"metadata_modified": [message_of(error)], "__type": INVALID}
    if isinstance(error, errors.IllegalEvent):
        return 409, {"state": [message_of(error)], "__type": INVALID}
    status = status_of(error)
    kind = UNAVAILABLE if status == 503 else INVALID
    return status, {"__type": kind, "message": message_of(error)}


def _denial(error: errors.PortalError) -> str:
    if isinstance(error, errors.Unauthenticated):
        return str(gettext("拒绝访问：请在 Authorization 请求头中提供有效的令牌。"))
    return f"{gettext('拒绝访问：')}{message_of(error)}"


def messages_by_field(error: errors.Invalid) -> dict[str, list[str]]:
    """Return what is wrong, by the names that clients use."""
    found: dict[str, list[str]] = {}
    for defect in error.defects:
        text = gettext(defect.message)
        text = text.format(**defect.params) if defect.params else text
        found.setdefault(wire_name(defect.field) or "message", []).append(text)
    return found or {"message": [message_of(error)]}


_SHAPES = {
    "missing": "缺少“{field}”。",
    "int_parsing": "“{field}”应为整数。",
    "int_type": "“{field}”应为整数。",
    "int_from_float": "“{field}”应为整数。",
    "bool_parsing": "“{field}”应为 true 或 false。",
    "bool_type": "“{field}”应为 true 或 false。",
    "string_type": "“{field}”应为文字。",
    "list_type": "“{field}”应为列表。",
    "dict_type": "“{field}”应为对象。",
    "greater_than_equal": "“{field}”不能小于{ge}。",
    "less_than_equal": "“{field}”不能大于{le}。",
    "string_too_long": "“{field}”最多{max_length}个字符。",
    "string_too_short": "请填写“{field}”。",
    "literal_error": "“{field}”只能是 {expected}。",
}


def invalid_input(error: ValidationError) -> errors.Invalid:
    """Return the defects of an input that does not fit its schema."""
    defects = []
    for found in error.errors():
        field = ".".join(str(part) for part in found["loc"])
        own = found["type"] == "value_error"
        message = (
            str(found["ctx"]["error"]) if own else _SHAPES.get(found["type"], "“{field}”的值不对。")
        )
        params = {"field": field, **found.get("ctx", {})}
        defects.append(Defect(field, found["type"], message, {} if own else params))
    return errors.Invalid(defects)
