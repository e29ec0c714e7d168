"""The Action API as an OpenAPI 3.1 document, made from the registry of actions."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from portal.api.action import Action
from portal.settings import Settings
from portal.web.access import Access

_ERRORS = {
    "400": "Not a call: unknown action, malformed JSON, a write by GET, an unreadable search",
    "403": "The caller may not do this",
    "404": "No such thing",
    "409": "The input is wrong; messages by field",
    "503": "A part that the portal rests on does not answer just now",
}
_ENVELOPE = {
    "Success": {
        "type": "object",
        "required": ["help", "success", "result"],
        "properties": {
            "help": {"type": "string", "format": "uri"},
            "success": {"const": True},
            "result": {},
        },
    },
    "Failure": {
        "type": "object",
        "required": ["help", "error", "success"],
        "properties": {
            "help": {"type": "string", "format": "uri"},
            "error": {
                "type": "object",
                "required": ["__type"],
                "properties": {"__type": {"type": "string"}, "message": {"type": "string"}},
                "additionalProperties": True,
            },
            "success": {"const": False},
        },
    },
}


def openapi_document(actions: Mapping[str, Action], settings: Settings) -> dict[str, Any]:
    """Return the document: one path an action; reads by GET and POST, writes by POST."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{settings.site_title} Action API",
            "version": version("xiangyun"),
            "description": "CKAN-compatible Action API. Names on the wire are CKAN's.",
        },
        "servers": [{"url": settings.site_url}],
        "components": {
            "schemas": _ENVELOPE,
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "Authorization"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        "paths": {
            f"/api/3/action/{name}": _path(action) for name, action in sorted(actions.items())
        },
    }


def _path(action: Action) -> dict[str, Any]:
    schema = action.schema.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
    schema.pop("title", None)
    path = {"post": _operation(action) | {"requestBody": _body(action, schema)}}
    if action.access is not Access.WRITE:
        properties: dict[str, Any] = schema.get("properties", {})
        path["get"] = _operation(action, "get") | {
            "parameters": [
                {
                    "name": name,
                    "in": "query",
                    "required": name in schema.get("required", ()),
                    "schema": {k: v for k, v in one.items() if k != "title"},
                }
                for name, one in properties.items()
            ]
        }
    return path


def _operation(action: Action, method: str = "post") -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{action.name}_{method}",
        "summary": action.help.splitlines()[0],
        "description": action.help,
        "tags": [action.name.split("_")[0]],
        "x-access": str(action.access),
        "responses": {
            "200": _response("The result", "Success"),
            **{status: _response(text, "Failure") for status, text in _ERRORS.items()},
        },
    }
    optional: list[dict[str, Any]] = [{}] if action.access is Access.PUBLIC else []
    operation["security"] = [*optional, {"token": []}, {"bearer": []}]
    return operation


def _response(description: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _body(action: Action, schema: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if action.before_upload is not None:
        upload = {"upload": {"type": "string", "contentMediaType": "application/octet-stream"}}
        with_file = {**schema, "properties": {**schema.get("properties", {}), **upload}}
        content["multipart/form-data"] = {"schema": with_file}
    return {"content": content}
