"""OAuth 2 client credentials (RFC 6749, section 4.4): `/oauth/token` and what it is found by."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from extensions.access.services.sandbox_gate import opens_sandbox
from extensions.access.services.sandbox_keys import authenticate_sandbox
from extensions.access.services.signing_keys import (
    find_signing_key,
    make_signing_key,
    open_private,
    public_keys,
)
from extensions.access.services.tokens import (
    LIFE,
    Client,
    TokenIssuer,
    authenticate_client,
)
from portal.services.rates import count_hit
from portal.web.access import public
from portal.web.context import clock, platform, session

blueprint = Blueprint("access_oauth", __name__)
TOKENS_A_MINUTE = 60
GRANT_TYPE = "client_credentials"
MAX_FORM_BYTES = 16 * 1024
SCOPE = "data:read"
MESSAGES = {
    "invalid_request": "Send grant_type and the credentials in the body or by HTTP Basic, once, "
    "and never in the address.",
    "invalid_client": "The client id or the secret is not valid.",
    "unsupported_grant_type": f"Only {GRANT_TYPE} is supported.",
    "invalid_scope": f"Only {SCOPE} can be asked for.",
    "temporarily_unavailable": "Too many tokens were asked for; use the one you have.",
}


@blueprint.post("/oauth/token")
@public
def token() -> Any:
    """Give an access token for a client id and a secret."""
    request.max_content_length = MAX_FORM_BYTES
    problem = _request_problem()
    if problem:
        return _refuse(problem, 400)
    client_id, secret = _credentials()
    now = clock()()
    with platform().database.reading() as reading:
        known = authenticate_sandbox if opens_sandbox(secret) else authenticate_client
        client = known(reading, now, client_id, secret)
    if client is None:
        return _refuse("invalid_client", 401)
    return _token_for(client)


@blueprint.get("/.well-known/jwks.json")
@public
def jwks() -> Any:
    """The public keys that access tokens are verified with."""
    response = jsonify(keys=public_keys(session()))
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@blueprint.get("/.well-known/oauth-authorization-server")
@public
def metadata() -> Any:
    """What a client library needs to know (RFC 8414)."""
    issuer = _issuer().issuer
    return jsonify(
        issuer=issuer,
        token_endpoint=f"{issuer}/oauth/token",
        jwks_uri=f"{issuer}/.well-known/jwks.json",
        grant_types_supported=[GRANT_TYPE],
        response_types_supported=[],
        scopes_supported=[SCOPE],
        token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"],
    )


def _request_problem() -> str:
    """Return the error of a request that cannot be answered, whoever sent it; "" if it can."""
    form = request.form
    repeated = any(len(values) > 1 for values in form.listvalues())
    twice = request.authorization is not None and "client_secret" in form
    if request.args or repeated or twice or not form.get("grant_type"):
        return "invalid_request"
    if form["grant_type"] != GRANT_TYPE:
        return "unsupported_grant_type"
    return "" if form.get("scope", SCOPE) in ("", SCOPE) else "invalid_scope"


def _credentials() -> tuple[str, str]:
    """Return the client id and the secret, by HTTP Basic or from the form."""
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        return basic.username or "", basic.password or ""
    return request.form.get("client_id", ""), request.form.get("client_secret", "")


def _token_for(client: Client) -> Response:
    now, secret_key = clock()(), platform().settings.secret_key
    with platform().database.writing() as writing:
        rate = count_hit(
            writing,
            now,
            f"access:{client.client_id}:token",
            limit=TOKENS_A_MINUTE,
            window_seconds=60,
        )
        key = find_signing_key(writing, now, secret_key) or make_signing_key(
            writing, now, secret_key
        )
    if not rate.allowed:
        response = _refuse("temporarily_unavailable", 429)
        response.headers["Retry-After"] = str(rate.reset_seconds)
        return response
    made = _issuer().make(client, key.kid, open_private(key, secret_key), now)
    return _uncached(
        jsonify(
            access_token=made,
            token_type="Bearer",
            expires_in=int(LIFE.total_seconds()),
            scope=SCOPE,
        )
    )


def _issuer() -> TokenIssuer:
    return TokenIssuer(platform().settings.site_url)


def _refuse(error: str, status: int) -> Response:
    response = jsonify(error=error, error_description=MESSAGES[error])
    response.status_code = status
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Xiangyun access tokens"'
    return _uncached(response)


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response
