"""The four ways of asking and the token address, as parts of an OpenAPI 3.1 document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from extensions.access.api.aggregate import MAX_GROUP_FIELDS, MAX_GROUPS, SMALLEST_GROUP
from extensions.access.api.cursor import MAX_LENGTH
from extensions.access.api.forms import FORMATS, MEDIA_TYPES
from extensions.access.api.parameters import DEFAULT_LIMIT, MAX_LIMIT
from extensions.access.api.problems import MEDIA_TYPE
from extensions.access.api.row_answers import MAX_STREAM_ROWS
from extensions.access.errors import REFUSALS
from extensions.access.masking import is_masked
from extensions.access.upstream import MAX_VALUE, Parameter
from portal.rules.entry_content import InformationItem

Json = dict[str, Any]
OBJECT: Json = {"type": "object"}
_CODES = {401: "WWW-Authenticate", 429: "Retry-After"}


def parameter(name: str, schema: Json, text: str, *, required: bool = False) -> Json:
    return {
        "name": name, "in": "query", "required": required, "schema": schema, "description": text,
    }  # fmt: skip


def gateway_paths(api_code: str, items: dict[str, InformationItem]) -> Json:
    """Return the paths of one interface, and the one that gives tokens."""
    base = f"/data/v1/{api_code}"
    filters = [
        parameter(item.field_name, {"type": "string"}, f"按“{item.name}”筛选")
        for item in items.values()
        if not is_masked(item.masking)
    ]
    forms = parameter("format", {"type": "string", "enum": list(FORMATS)}, "返回格式")
    return {
        f"{base}/rows": _get(
            "rows", "分页读取数据，或以 NDJSON 一次读取全部", [*_ROWS, forms, *filters], "Rows"
        ),
        f"{base}/count": _get("count", "符合条件的行数", filters, "Count", ("json",)),
        f"{base}/aggregate": _get(
            "aggregate", "分组统计", [*_AGGREGATE, forms, *filters], "Aggregate"
        ),
        f"{base}/schema": _get("schema", "授权的信息项和上限", [], "Schema", ("json",)),
        "/oauth/token": {"post": _TOKEN},
    }


def service_paths(api_code: str, asks: Sequence[Parameter]) -> Json:
    """Return the paths of an interface that an agency's own service answers.

    It takes the parameters that the agency declared, and neither counts nor groups.
    """
    base = f"/data/v1/{api_code}"
    declared = [
        parameter(
            one.name, {"type": "string", "maxLength": MAX_VALUE}, "接口参数", required=one.required
        )
        for one in asks
    ]
    forms = parameter("format", {"type": "string", "enum": list(FORMATS)}, "返回格式")
    return {
        f"{base}/rows": _get("rows", "查询数据", [*declared, _ROWS[0], forms], "Rows"),
        f"{base}/schema": _get("schema", "授权的信息项和上限", [], "Schema", ("json",)),
        "/oauth/token": {"post": _TOKEN},
    }


def _get(
    name: str, summary: str, parameters: list[Json], answer: str, forms: tuple[str, ...] = FORMATS
) -> Json:
    content = {
        MEDIA_TYPES[form]: {
            "schema": {"$ref": f"#/components/schemas/{answer}"}
            if form == "json"
            else {"type": "string"}
        }
        for form in forms
    }
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": parameters,
            "responses": {
                "200": {"description": "结果", "headers": _HEADERS, "content": content},
                "304": {"description": "与上次相同"},
                **_problems(),
            },
        }
    }


def _problems() -> Json:
    codes: dict[int, list[str]] = {}
    for code, refusal in REFUSALS.items():
        codes.setdefault(refusal.status, []).append(code)
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        str(status): {
            "description": "code: " + ", ".join(found),
            "content": content,
            **(
                {"headers": {_CODES[status]: {"schema": {"type": "string"}}}}
                if status in _CODES
                else {}
            ),
        }
        for status, found in sorted(codes.items())
    }


_TEXT = {"type": "string"}
_ROWS = [
    parameter("fields", _TEXT, "只返回这些字段，逗号分隔"),
    parameter("sort", _TEXT, "排序字段，逗号分隔，前面加 - 为降序"),
    parameter(
        "limit",
        {"type": "integer", "minimum": 0, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        f"每页行数；NDJSON 不写 limit 时返回全部（最多 {MAX_STREAM_ROWS:,} 行）",
    ),
    parameter("cursor", {"type": "string", "maxLength": MAX_LENGTH}, "上一页 next 中的游标"),
]
_AGGREGATE = [
    parameter(
        "group_by", _TEXT, f"分组字段，逗号分隔，最多 {MAX_GROUP_FIELDS} 个；最多 {MAX_GROUPS} 组"
    ),
    parameter(
        "measure",
        _TEXT,
        "统计项，逗号分隔：count、sum:字段、mean:字段、min:字段、max:字段。数据含个人或脱敏信息时，"
        f"不足 {SMALLEST_GROUP} 行的组会合并",
    ),
]
_HEADERS = {
    name: {"schema": {"type": kind}, "description": text}
    for name, kind, text in (
        ("RateLimit-Limit", "integer", "当前较紧的限额"),
        ("RateLimit-Remaining", "integer", "剩余次数"),
        ("RateLimit-Reset", "integer", "距重置的秒数"),
        ("RateLimit-Policy", "string", "各时间窗的限额"),
        ("ETag", "string", "结果的标记，可用于 If-None-Match"),
        ("Last-Modified", "string", "数据或授权最近变化的时间"),
        ("Xiangyun-Sandbox", "string", "只在沙箱中出现：synthetic，数据是虚构的"),
    )
}


def _closed(properties: Json, required: tuple[str, ...] | None = None) -> Json:
    """Return an object of exactly these properties."""
    return {
        "type": "object",
        "required": list(properties if required is None else required),
        "properties": properties,
        "additionalProperties": False,
    }


_STRINGS = {"type": "array", "items": _TEXT}
_DATASET = _closed({"code": _TEXT, "title": _TEXT, "url": _TEXT})
_GROUP = _closed({"group": {"type": ["object", "null"]}, "values": OBJECT})
_FIELD = _closed(
    {
        "name": _TEXT, "title": _TEXT, "type": _TEXT, "unit": _TEXT, "masking": _TEXT,
        "operators": _STRINGS, "sortable": {"type": "boolean"}, "groupable": {"type": "boolean"},
        "measures": _STRINGS,
    },
    ("name", "title", "type", "operators", "sortable", "groupable", "measures"),
)  # fmt: skip
_NUMBERS = {"type": "object", "additionalProperties": {"type": "integer"}}
_DEFECT = _closed({"field": _TEXT, "code": _TEXT, "message": _TEXT})
_MOMENT = {"type": ["string", "null"], "format": "date-time"}

GATEWAY_SCHEMAS: Json = {
    "Rows": _closed(
        {
            "data": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}},
            "total": {"type": ["integer", "null"]},
            "next": {"type": ["string", "null"], "format": "uri"},
            "fields": {"type": "array", "items": OBJECT},
            "dataset": _DATASET,
            "updated": _MOMENT,
            "licence": _closed({"code": _TEXT, "name": _TEXT}),
        }
    ),
    "Count": _closed({"count": {"type": "integer", "minimum": 0}}),
    "Aggregate": _closed(
        {
            "groups": {"type": "array", "items": _GROUP, "maxItems": MAX_GROUPS},
            "merged": {
                "oneOf": [{"type": "null"}, _closed({"groups": {"type": "integer"}, "values": OBJECT})]
            },
            "group_by": _STRINGS,
            "measures": _STRINGS,
            "smallest_group": {"type": "integer"},
        }
    ),
    "Schema": _closed(
        {
            "code": _TEXT, "title": _TEXT, "row_count": {"type": "integer"}, "updated": _MOMENT,
            "fields": {"type": "array", "items": _FIELD}, "formats": _STRINGS, "caps": _NUMBERS,
            "quota": _NUMBERS,
            "sandbox": {"type": "boolean"},
        }
    ),
    "Problem": _closed(
        {
            "type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT,
            "code": {"type": "string", "enum": sorted(REFUSALS)}, "request_id": _TEXT,
            "errors": {"type": "array", "items": _DEFECT},
        },
        ("type", "title", "status", "detail", "code", "request_id"),
    ),
    "Token": _closed(
        {
            "access_token": _TEXT, "token_type": _TEXT, "expires_in": {"type": "integer"},
            "scope": _TEXT,
        }
    ),
    "TokenError": _closed({"error": _TEXT, "error_description": _TEXT}),
}  # fmt: skip


def _token_answer(schema: str, text: str) -> Json:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": text, "content": content}


_TOKEN = {
    "operationId": "token",
    "summary": "用应用编号和密钥换取访问令牌（OAuth 2 客户端凭证，15 分钟有效）",
    "security": [{}, {"basic": []}],
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["client_credentials"]},
                        "client_id": _TEXT,
                        "client_secret": _TEXT,
                    },
                }
            }
        },
    },
    "responses": {
        "200": _token_answer("Token", "访问令牌"),
        "400": _token_answer("TokenError", "请求有误"),
        "401": _token_answer("TokenError", "应用编号或密钥无效"),
        "429": _token_answer("TokenError", "换取过于频繁"),
    },
}
