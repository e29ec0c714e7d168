"""JSON whose numbers stay as they were written: neither digits nor zeros are lost on the way."""

from __future__ import annotations

import json
from typing import Any

from portal.errors import Invalid


class Written(str):
    """A number as the file wrote it."""

    __slots__ = ()


def parse(text: str) -> Any:
    """Return the value; numbers are `Written`. Raises ValueError, RecursionError."""
    return json.loads(text, parse_int=Written, parse_float=Written, parse_constant=Written)


def written(value: Any) -> str:
    """Write a parsed value back, each number as it was.

    Raises:
        Invalid: nested too deeply.
    """
    try:
        return _written(value)
    except RecursionError:
        raise Invalid.one(
            "file", "too_deep", "JSON 的嵌套层数过多，不能作为表格读取。请减少嵌套后重新上传。"
        ) from None


def _written(value: Any) -> str:
    if isinstance(value, dict):
        inner = [f"{json.dumps(k, ensure_ascii=False)}:{_written(v)}" for k, v in value.items()]
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join([_written(one) for one in value]) + "]"
    return str(value) if isinstance(value, Written) else json.dumps(value, ensure_ascii=False)
