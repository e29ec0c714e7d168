"""上游调用: one request to an agency's own service, and the check of what it answers.

The target is the address that the agency registered; callers fill in declared parameters and
nothing else. The connection is made by `portal.net`, which checks and pins the address. An answer
counts only if every row fits the information items; what is not an item is dropped here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
import requests
import structlog
from sqlalchemy.orm import Session

from extensions.access.breaker import Breaker
from extensions.access.errors import CallRefused
from extensions.access.models.upstream import UpstreamService
from portal.clock import SHANGHAI
from portal.net import FetchFailed, guarded_session
from portal.rules.entry_content import InformationItem
from portal.tables.column_types import ColumnType
from portal.tables.info import TableInfo

CONNECT_SECONDS = 3.0
MAX_BYTES = 4_000_000
MAX_ROWS = 1_000
MAX_VALUE = 200  # characters of a parameter
MAX_TEXT = 4_000
USER_AGENT = "xiangyun-gateway"
log = structlog.get_logger(__name__)
BREAKER = Breaker()


@dataclass(frozen=True)
class Parameter:
    """What a caller may send: by its name here, sent on under the upstream's own."""

    name: str
    send_as: str
    required: bool = False


@dataclass(frozen=True)
class Target:
    """One upstream service as a call needs it; the secret stays sealed until the request."""

    interface_id: int
    url: str
    rows_path: str
    parameters: tuple[Parameter, ...]
    seconds: int
    secret_header: str
    sealed_secret: str = field(repr=False)
    row_version: int = 1

    @classmethod
    def of(cls, kept: UpstreamService) -> Target:
        return cls(
            interface_id=kept.interface_id,
            url=kept.url,
            rows_path=kept.rows_path,
            parameters=tuple(Parameter(**one) for one in kept.parameters),
            seconds=kept.seconds,
            secret_header=kept.secret_header,
            sealed_secret=kept.sealed_secret,
            row_version=kept.row_version,
        )


def find_target(session: Session, interface_id: int) -> Target | None:
    """Return the service that answers an interface, or None where its table does."""
    found = session.get(UpstreamService, interface_id)
    return Target.of(found) if found is not None and found.disabled_at is None else None


def call_upstream(
    target: Target,
    values: Mapping[str, str],
    secret: str,
    allowed_hosts: frozenset[str],
    *,
    breaker: Breaker = BREAKER,
) -> Any:
    """Return the answer's JSON.

    Raises:
        CallRefused: the breaker is open, or it did not answer in time, or not with JSON and 200.
    """
    wait = breaker.seconds_closed(target.interface_id)
    if wait:
        raise CallRefused("upstream_unavailable", seconds=wait)
    try:
        answer = _send(target, values, secret, allowed_hosts)
    except CallRefused as refused:
        log.warning("an upstream call failed", interface=target.interface_id, code=refused.code)
        breaker.failed(target.interface_id)
        raise
    except BaseException:
        breaker.failed(target.interface_id)
        raise
    breaker.succeeded(target.interface_id)
    return _json(answer)


def _send(
    target: Target, values: Mapping[str, str], secret: str, allowed_hosts: frozenset[str]
) -> requests.Response:
    """Send the request; only what shows the service to be ill raises."""
    headers = {"Accept": "application/json"}
    if secret:
        headers[target.secret_header] = secret
    session = guarded_session(
        allowed_hosts=allowed_hosts,
        user_agent=USER_AGENT,
        connect_timeout=min(CONNECT_SECONDS, target.seconds),
        read_timeout=target.seconds,
        max_bytes=MAX_BYTES,
        max_seconds=target.seconds,
    )
    try:
        with session:
            answer = session.get(
                target.url, params=dict(values), headers=headers, allow_redirects=False
            )
    except FetchFailed as error:
        slow = error.reason in ("timeout", "too_slow")
        raise CallRefused("upstream_timeout" if slow else "upstream_failed") from None
    if answer.status_code in (429, 503):
        raise CallRefused("upstream_unavailable", seconds=_retry_after(answer))
    if answer.status_code >= 500:
        raise CallRefused("upstream_failed")
    return answer


def _retry_after(answer: requests.Response) -> int:
    text = answer.headers.get("Retry-After", "")
    return min(int(text), 3600) if text.isascii() and text.isdigit() and len(text) < 9 else 10


def _json(answer: requests.Response) -> Any:
    if answer.status_code != 200:
        raise CallRefused("upstream_failed")
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        raise CallRefused("upstream_bad_answer") from None


def rows_of(document: Any, path: str) -> list[Any]:
    """Return the rows that a JSON pointer names: a list, or one object as a single row.

    Raises:
        CallRefused: there is no such place, or something else stands there, or too many rows.
    """
    found = document
    for part in path.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdigit() and int(key[:9]) < len(found):
            found = found[int(key)]
        else:
            raise CallRefused("upstream_bad_answer")
    rows = [found] if isinstance(found, dict) else found
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise CallRefused("upstream_bad_answer")
    return rows


def checked_rows(
    rows: Sequence[Any], table: TableInfo, items: Mapping[str, InformationItem]
) -> list[dict[str, Any]]:
    """Return the rows with the table's columns alone, typed.

    Raises:
        CallRefused: a row is no object, or a value does not fit its information item.
    """
    return [_checked(row, table, items) for row in rows]


def _checked(row: Any, table: TableInfo, items: Mapping[str, InformationItem]) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise CallRefused("upstream_bad_answer")
    typed: dict[str, Any] = {}
    for column in table.columns:
        name = column.field_name
        value = row.get(name)
        if value is None or value == "":
            item = items.get(name)
            if item is not None and not item.nullable:
                raise CallRefused("upstream_bad_answer")
            typed[name] = None
        else:
            typed[name] = _typed(value, column.type)
    return typed


def _typed(value: Any, kind: ColumnType) -> Any:
    try:
        found = _READERS[kind](value)
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        raise CallRefused("upstream_bad_answer") from None
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError("no text")
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("no integer")
    return value


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("no number")
    return Decimal(str(value))


def _date(value: Any) -> date:
    return date.fromisoformat(_text(value))


def _moment(value: Any) -> datetime:
    found = datetime.fromisoformat(_text(value))
    return found.astimezone(SHANGHAI).replace(tzinfo=None) if found.tzinfo else found


_READERS = {
    ColumnType.TEXT: _text,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.DATE: _date,
    ColumnType.DATETIME: _moment,
}
