"""Where the next page begins: an opaque text, bound to the data, the grant and the question.

A table never changes under its hash, so a cursor leads through every row once: in the order of the
file by row id, in another order by how many rows went before (ties are broken by row id).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import replace

from extensions.access.errors import CallRefused
from extensions.access.services.gate import Admission
from portal.errors import Invalid
from portal.tables.cache import TablePage
from portal.tables.query import MAX_ID, MAX_OFFSET, TableQuery

MAX_LENGTH = 200
MARK_LENGTH = 16


def with_cursor(query: TableQuery, admission: Admission, text: str) -> TableQuery:
    """Return the query from the cursor on; without a cursor, from the first row.

    Raises:
        Invalid: it is no cursor of this question.
        CallRefused: the data or the grant changed since.
    """
    if not text:
        return query
    data, question, place = _read(text)
    if question != _question_mark(query):
        raise _bad("游标属于另一次查询，请保持筛选、排序和字段不变。")
    if data != _data_mark(admission):
        raise CallRefused("cursor_outdated")
    return replace(query, offset=place) if query.sort else replace(query, after_id=place)


def next_cursor(query: TableQuery, admission: Admission, page: TablePage) -> str:
    """Return the cursor of the following page, "" behind the last one."""
    if not query.limit or len(page.rows) < query.limit or page.last_id is None:
        return ""
    place = query.offset + query.limit if query.sort else page.last_id
    if query.sort and place > MAX_OFFSET:
        return ""
    parts = [_data_mark(admission), _question_mark(query), place]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _read(text: str) -> tuple[str, str, int]:
    try:
        if len(text) > MAX_LENGTH or not text.isascii():
            raise ValueError(text)
        padded = text + "=" * (-len(text) % 4)
        data, question, place = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise _bad("游标无效，请使用上一页给出的 next。") from None
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place <= MAX_ID:
        raise _bad("游标无效，请使用上一页给出的 next。")
    return str(data), str(question), place


def _bad(message: str) -> Invalid:
    return Invalid.one("cursor", "bad_cursor", message)


def _question_mark(query: TableQuery) -> str:
    return _mark((tuple(query.columns), tuple(query.filters), tuple(query.sort)))


def _data_mark(admission: Admission) -> str:
    return _mark((admission.data_hash, admission.allowance.application_id, tuple(admission.items)))


def _mark(parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()[:MARK_LENGTH]
