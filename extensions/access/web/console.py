"""The try-it console: what was typed becomes a call of the sandbox, answered like any call."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Response, request
from werkzeug.datastructures import MultiDict

from extensions.access.api.calls import SANDBOX_HEADER, SYNTHETIC
from extensions.access.api.forms import FORMATS
from extensions.access.api.gateway import OPERATIONS, answer_to
from extensions.access.errors import CallRefused
from extensions.access.services.gate import Admission
from portal.web.presentation import language_code

MOST_ROWS = 50
SHOWN_CHARACTERS = 20_000
TEXT_MAX = 200
FILTERS = 2
OPERATORS = ("eq", "ne", "lt", "le", "gt", "ge", "contains", "begins", "in", "is_blank")
SHOWN_HEADERS = ("Content-Type", "X-Total-Count", "Link", "ETag", "Last-Modified", SANDBOX_HEADER)


@dataclass(frozen=True)
class Typed:
    """The console's form. `filters` are (field, operator, value)."""

    operation: str
    filters: tuple[tuple[str, str, str], ...]
    sort: str
    limit: str
    group_by: str
    measure: str
    format: str

    @classmethod
    def of_request(cls) -> Typed:
        asked = request.args
        filters = tuple(
            (_text(f"field{n}"), _one_of(asked.get(f"op{n}", ""), OPERATORS), _text(f"value{n}"))
            for n in range(FILTERS)
        )
        return cls(
            operation=_one_of(asked.get("call", ""), tuple(OPERATIONS)),
            filters=filters,
            sort=_text("sort"),
            limit=_text("limit") or "5",
            group_by=_text("group_by"),
            measure=_text("measure"),
            format=_one_of(asked.get("format", ""), FORMATS),
        )

    def parameters(self, *, declared: bool = False) -> MultiDict[str, str]:
        """Return the parameters of the call, as a program would send them.

        Where a service answers it knows `declared` parameters alone: no operators, no order.
        """
        found: MultiDict[str, str] = MultiDict()
        if self.operation == "schema":
            return found
        if declared:
            found.update({field: value for field, _op, value in self.filters if field and value})
            return found
        for field, op, value in self.filters:
            if field and (value or op == "is_blank"):
                found.add(field if op == "eq" else f"{field}__{op}", value)
        if self.operation == "rows":
            found.add("limit", _bounded(self.limit))
            if self.sort:
                found.add("sort", self.sort)
        if self.operation == "aggregate":
            for name in ("group_by", "measure"):
                if getattr(self, name):
                    found.add(name, getattr(self, name))
        if self.operation in ("rows", "aggregate") and self.format != "json":
            found.add("format", self.format)
        return found


@dataclass(frozen=True)
class Tried:
    """One call and its answer, ready to be shown."""

    address: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    milliseconds: int


def try_call(admission: Admission, typed: Typed, site_url: str) -> Tried:
    """Ask the sandbox through the gateway's own answers; a refusal is an answer too."""
    given = typed.parameters(declared=admission.upstream is not None)
    path = f"{site_url}/data/v1/{admission.interface.api_code}/{typed.operation}"
    query = urlencode(list(given.items(multi=True)), safe=",")
    started = time.perf_counter()
    response = answer_to(typed.operation, admission, given).response
    body = _shown(response)
    took = round((time.perf_counter() - started) * 1000)
    response.headers[SANDBOX_HEADER] = SYNTHETIC
    headers = tuple((n, response.headers[n]) for n in SHOWN_HEADERS if n in response.headers)
    address = f"{path}?{query}" if query else path
    return Tried(address, response.status_code, headers, body, took)


def example(admission: Admission, operation: str, **given: str) -> str:
    """Return an answer to show on the page, as indented JSON."""
    return _shown(answer_to(operation, admission, MultiDict(given)).response)


def refused(error: CallRefused) -> str:
    return error.sentence(language_code())


def _shown(response: Response) -> str:
    text = response.get_data(as_text=True)
    response.close()
    if "json" in response.mimetype and "ndjson" not in response.mimetype and text:
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}\n…"


def _bounded(limit: str) -> str:
    """Return the rows asked for, no more than a page shows; what is no number goes through."""
    if limit.isascii() and limit.isdigit():
        return str(min(int(limit[:6]), MOST_ROWS))
    return limit


def _text(name: str) -> str:
    return request.args.get(name, "").strip()[:TEXT_MAX]


def _one_of(value: str, known: tuple[str, ...]) -> str:
    return value if value in known else known[0]
