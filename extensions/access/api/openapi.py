"""An interface as an OpenAPI 3.1 document, made from its information items."""

from __future__ import annotations

from typing import Any

from extensions.access.api.openapi_gateway import GATEWAY_SCHEMAS, gateway_paths, service_paths
from extensions.access.api.openapi_gateway import parameter as _parameter
from extensions.access.api.parameters import DEFAULT_LIMIT, MAX_LIMIT
from extensions.access.errors import REFUSALS
from extensions.access.masking import is_masked
from extensions.access.models.interface import DataInterface
from extensions.access.rules import grantable_items
from extensions.access.upstream import Target
from portal.rules.entry_content import InformationItem
from portal.services.content import content_of
from portal.tables.query import MAX_OFFSET

_TYPES = {"integer": "integer", "number": "number", "money": "number", "boolean": "boolean"}
_FORMATS = {"date": "date", "datetime": "date-time"}
OPERATOR_HELP = (
    "字段名=值 为等于；字段名__运算=值 用其他运算：ne 不等于、lt 小于、le 不大于、gt 大于、"
    "ge 不小于、contains 包含（文本）、begins 开头为（文本）、in 之一（逗号分隔）、is_blank 为空（true 或 false）。"
)


def describe(
    interface: DataInterface, site_url: str, target: Target | None = None
) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of one interface; `target` is the service that answers it."""
    version = interface.entry.published_version
    items = grantable_items(content_of(version), interface.fields) if version else {}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": interface.name,
            "version": "1",
            "description": (interface.description or (version.title if version else ""))
            + ("" if target else f"\n\n{OPERATOR_HELP}"),
        },
        "servers": [{"url": site_url.rstrip("/")}],
        "security": [{"bearer": []}, {"header": []}, {"oauth": ["data:read"]}],
        "paths": service_paths(interface.api_code, target.parameters)
        if target
        else {
            f"/data/v1/{interface.api_code}": {"get": _operation(items)},
            **gateway_paths(interface.api_code, items),
        },
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "basic": {"type": "http", "scheme": "basic"},
                "oauth": {
                    "type": "oauth2",
                    "flows": {
                        "clientCredentials": {
                            "tokenUrl": f"{site_url.rstrip('/')}/oauth/token",
                            "scopes": {"data:read": "读取授权范围内的数据"},
                        }
                    },
                },
            },
            "schemas": {
                "Row": {
                    "type": "object",
                    "properties": {name: _schema(item) for name, item in items.items()},
                },
                "Answer": _ANSWER,
                "Error": _ERROR,
                **GATEWAY_SCHEMAS,
            },
        },
    }


def _operation(items: dict[str, InformationItem]) -> dict[str, Any]:
    filters = [
        _parameter(item.field_name, {"type": "string"}, f"按“{item.name}”筛选")
        for item in items.values()
        if not is_masked(item.masking)
    ]
    return {
        "operationId": "listRows",
        "summary": "读取授权范围内的数据",
        "parameters": [*_PARAMETERS, *filters],
        "responses": _responses(),
    }


_PARAMETERS = [
    _parameter("fields", {"type": "string"}, "只返回这些字段，逗号分隔"),
    _parameter("sort", {"type": "string"}, "排序字段，逗号分隔，前面加 - 为降序"),
    _parameter(
        "limit",
        {"type": "integer", "minimum": 0, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        "每页行数",
    ),
    _parameter("offset", {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET}, "起始行"),
    _parameter("after_id", {"type": "integer", "minimum": 0}, "续读位置，见上一页的 next"),
    _parameter("format", {"type": "string", "enum": ["json", "csv"]}, "返回格式"),
]
_LIMIT_HEADERS = {
    name: {"schema": {"type": "integer"}, "description": text}
    for name, text in (
        ("RateLimit-Limit", "当前较紧的限额"),
        ("RateLimit-Remaining", "剩余次数"),
        ("RateLimit-Reset", "距重置的秒数"),
    )
}
_ANSWER = {
    "type": "object",
    "required": ["data", "total", "next", "fields", "dataset", "updated", "licence"],
    "properties": {
        "data": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}},
        "total": {"type": ["integer", "null"]},
        "next": {"type": ["string", "null"], "format": "uri"},
        "fields": {"type": "array", "items": {"type": "object"}},
        "dataset": {"type": "object"},
        "updated": {"type": ["string", "null"], "format": "date-time"},
        "licence": {"type": "object"},
    },
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "request_id"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "request_id": {"type": "string"},
                "details": {"type": "array", "items": {"type": "object"}},
            },
        }
    },
}


def _responses() -> dict[str, Any]:
    content = {
        "application/json": {"schema": {"$ref": "#/components/schemas/Answer"}},
        "text/csv": {"schema": {"type": "string"}},
    }
    refused: dict[int, list[str]] = {}
    for code, refusal in REFUSALS.items():
        refused.setdefault(refusal.status, []).append(code)
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        "200": {"description": "数据", "headers": _LIMIT_HEADERS, "content": content},
        "304": {"description": "与上次相同"},
        **{
            str(status): {"description": "error.code: " + ", ".join(codes), "content": error}
            for status, codes in sorted(refused.items())
        },
    }


def _schema(item: InformationItem) -> dict[str, Any]:
    if is_masked(item.masking):
        described: dict[str, Any] = {"type": ["string", "null"]}
    else:
        described = {"type": [_TYPES.get(item.data_type, "string"), "null"]}
        if item.data_type in _FORMATS:
            described["format"] = _FORMATS[item.data_type]
    described["title"] = item.name
    note = "；".join(filter(None, (item.description, item.unit and f"单位：{item.unit}")))
    return {**described, "description": note} if note else described
