"""Bytes of JSON as text, in whichever encoding they came, and what is wrong with them in words."""

from __future__ import annotations

import codecs
import json
from typing import Any

import orjson

from harvesters.record import SourceFailed

_SHOWN = 40


def text_of_bytes(content: bytes) -> str:
    """Return UTF-8 or UTF-16 with or without its mark, else GB18030, which takes nearly anything."""
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", "replace")


def json_of_bytes(content: bytes) -> Any:
    """Return the JSON of an answer; NaN and Infinity, which some servers write, become None.

    Raises:
        SourceFailed: cut off, or not JSON; the text says where.
    """
    text = text_of_bytes(content)
    try:
        return orjson.loads(text)
    except (ValueError, UnicodeError):
        pass
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except json.JSONDecodeError as error:
        raise SourceFailed(_why(error)) from error
    except RecursionError as error:
        raise SourceFailed("来源的 JSON 嵌套过深，没有读取。") from error


def _why(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos :].strip()
    if not rest or error.msg.startswith("Unterminated"):
        return "来源的应答不是完整的 JSON，可能被截断：内容到末尾还没有结束。没有作任何处理。"
    return (
        f"来源的应答不是有效的 JSON：第 {error.lineno} 行第 {error.colno} 个字符处有语法错误"
        f"（“{rest[:_SHOWN]}”）。请来源改正后重新采集。"
    )
