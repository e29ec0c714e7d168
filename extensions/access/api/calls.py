"""What every call goes through: credential, grant, quota, answer, count, record."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import Blueprint, Response, current_app, g, request

from extensions.access.errors import Caller, CallRefused
from extensions.access.quota import Quota, QuotaState
from extensions.access.services.call_log import Called, CallLog
from extensions.access.services.counting import CallCounter
from extensions.access.services.gate import Admission, admit
from extensions.access.services.keys import SECRET_PREFIX
from extensions.access.services.sandbox_gate import admit_to_sandbox, opens_sandbox
from extensions.access.services.sandbox_keys import SANDBOX_PREFIX
from extensions.access.services.tokens import TokenIssuer, is_token
from portal.web.context import EXTENSION_KEY as PLATFORM_KEY
from portal.web.context import clock, platform

CREDENTIAL_NAMES = frozenset(
    {
        "api_key", "apikey", "api-key", "x-api-key", "access_key", "access_token",
        "authorization", "client_secret",
    }
)  # fmt: skip
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


LOG_KEY, COUNTER_KEY = "xiangyun_access_calls", "xiangyun_access_counter"
SANDBOX_HEADER, SYNTHETIC = "Xiangyun-Sandbox", "synthetic"


def install(blueprint: Blueprint) -> None:
    """Give each application that the blueprint is registered with a counter and a log of calls."""

    @blueprint.record
    def _open(state: Any) -> None:
        if LOG_KEY not in state.app.extensions:
            parts = state.app.extensions[PLATFORM_KEY]
            state.app.extensions[LOG_KEY] = CallLog(parts.database)
            counter = CallCounter(parts.database, Quota(parts.settings.redis_url))
            state.app.extensions[COUNTER_KEY] = counter


@dataclass(frozen=True)
class Answer:
    """What a call gives. `fields` are the names it gave or counted by, `rows` how many."""

    response: Response
    rows: int = 0
    fields: Sequence[str] = ()


def serve_call(api_code: str, operation: str, answer: Callable[[Admission], Answer]) -> Response:
    """Answer a call of an interface and record it, or raise why not.

    Raises:
        CallRefused: no credential, no grant, or over a quota.
    """
    started = time.perf_counter()
    try:
        response, answered, caller = _serve(api_code, answer)
    except CallRefused as refused:
        if refused.caller is not None:
            status = refused.refusal.status
            _record(refused.caller, operation, started, status=status, code=refused.code)
        raise
    except Exception:
        if g.get("access_caller") is not None:  # a failure of ours counts in the availability
            _record(g.access_caller, operation, started, status=500, code="internal")
        raise
    if caller is not None:
        _record(caller, operation, started, status=response.status_code, answered=answered)
    return response


def _record(
    caller: Caller,
    operation: str,
    started: float,
    *,
    status: int,
    code: str = "",
    answered: Answer | None = None,
) -> None:
    call_log().add(
        Called(
            application_id=caller.application_id,
            key_id=caller.key_id,
            called_at=clock()(),
            credential="token" if is_token(sent_credential()) else "key",
            operation=operation,
            fields=tuple(answered.fields) if answered else (),
            rows=answered.rows if answered else 0,
            milliseconds=round((time.perf_counter() - started) * 1000),
            status=status,
            code=code,
        )
    )


def call_log() -> CallLog:
    """Return the log of this application's platform."""
    return cast(CallLog, current_app.extensions[LOG_KEY])


def _serve(
    api_code: str, answer: Callable[[Admission], Answer]
) -> tuple[Response, Answer, Caller | None]:
    refuse_credential_in_url()
    now = clock()()
    counter = cast(CallCounter, current_app.extensions[COUNTER_KEY])
    issuer = TokenIssuer(platform().settings.site_url)
    with platform().database.reading() as reading:
        credential = sent_credential()
        door = admit_to_sandbox if opens_sandbox(credential) else admit
        admission = door(reading, now, api_code, credential, issuer)
        caller = g.access_caller = _caller_of(admission)
        refuse_if_over(counter.look(reading, now, admission.allowance), caller)
    answered = answer(admission)
    state = _counted(counter, now, admission, answered)
    refuse_if_over(state, caller)
    if admission.is_sandbox:
        answered.response.headers[SANDBOX_HEADER] = SYNTHETIC
    return with_limits(answered.response, state), answered, caller


def _caller_of(admission: Admission) -> Caller | None:
    """Return whose call is recorded; calls of a sandbox are only added up."""
    if admission.is_sandbox:
        return None
    return Caller(admission.allowance.application_id, admission.key_id)


def _counted(
    counter: CallCounter, now: datetime, admission: Admission, answered: Answer
) -> QuotaState:
    """Count the call. An answer that is not given after all gives back what it holds."""
    failed = answered.response.status_code >= 400
    is_given = False
    try:
        state = counter.count(
            now, admission.allowance, admission.interface.id, rows=answered.rows, failed=failed
        )
        is_given = state.allowed
    finally:
        if not is_given:
            answered.response.close()
    return state


def refuse_credential_in_url() -> None:
    """A key in an address is in somebody's log already: say so instead of taking it."""
    for name, value in request.args.items(multi=True):
        looks_secret = value.startswith((SECRET_PREFIX, SANDBOX_PREFIX)) or _TOKEN.fullmatch(value)
        if name.lower() in CREDENTIAL_NAMES or looks_secret:
            raise CallRefused("credential_in_url")


def sent_credential() -> str:
    """Return the key or token of the call's headers, "" if there is none."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return rest.strip()
    return request.headers.get("X-API-Key", "").strip()


def refuse_if_over(state: QuotaState | None, caller: Caller | None) -> None:
    if state is None or state.allowed:
        return
    g.quota = state
    refused = CallRefused(f"quota_{state.over}", seconds=state.tighter.reset_seconds)
    refused.caller = caller
    raise refused


def with_limits(response: Response, state: QuotaState) -> Response:
    tighter = state.tighter
    headers = response.headers
    headers["RateLimit-Limit"] = str(tighter.limit)
    headers["RateLimit-Remaining"] = str(tighter.remaining)
    headers["RateLimit-Reset"] = str(tighter.reset_seconds)
    headers["RateLimit-Policy"] = state.policy
    return response


def refused_headers(response: Response, error: CallRefused) -> Response:
    """Add what a refusal tells a program: the quota, when to come again, how to sign in."""
    if "quota" in g:
        response = with_limits(response, g.quota)
        response.headers["Retry-After"] = str(error.seconds)
    if error.refusal.status == 401:
        challenge = 'Bearer realm="Xiangyun data interfaces"'
        if error.code.startswith("token_"):
            challenge += ', error="invalid_token"'
        response.headers["WWW-Authenticate"] = challenge
    return response
