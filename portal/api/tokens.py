"""A caller's own API tokens: made (shown once), listed by their beginnings, revoked."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from portal.api.action import Action, Call
from portal.api.inputs import LONGEST_KEY, Input
from portal.errors import Forbidden, NotFound
from portal.services.account_management import issue_token, list_tokens, own_account, revoke_token
from portal.services.accounts import is_hash_of
from portal.services.resource_document import naive_utc
from portal.web.access import Access


class TokenCreate(Input):
    user: str = Field(default="", max_length=LONGEST_KEY)
    name: str = Field(min_length=1, max_length=100)


class TokenList(Input):
    user: str = Field(
        default="",
        max_length=LONGEST_KEY,
        validation_alias=AliasChoices("user_id", "user"),
    )


class TokenRevoke(Input):
    jti: str = Field(default="", max_length=40)
    token: str = Field(default="", max_length=500)


def _check_own(call: Call, user: str) -> None:
    """Raises: Forbidden, tokens of another account."""
    own = own_account(call.session, call.actor)
    if user and user not in (own.username, own.public_id):
        raise Forbidden()


def api_token_create(call: Call, given: TokenCreate) -> dict[str, str]:
    """Make a token of the caller's own account. It is shown this once.

    name: what it is for; user: the own name, if given.
    """
    _check_own(call, given.user)
    return {"token": issue_token(call.session, call.platform.clock, call.actor, given.name)}


def api_token_list(call: Call, given: TokenList) -> list[dict[str, Any]]:
    """Return the caller's tokens that still hold: id, name, beginning and time, never the token."""
    _check_own(call, given.user)
    user = own_account(call.session, call.actor)
    return [
        {
            "id": str(one.id),
            "name": one.name,
            "user_id": user.public_id,
            "created_at": naive_utc(one.created_at),
            "last_access": None,
            "jl_prefix": one.prefix,
        }
        for one in list_tokens(call.session, call.actor)
    ]


def api_token_revoke(call: Call, given: TokenRevoke) -> None:
    """Revoke an own token, named by its id (jti) or by itself; at once, everywhere."""
    for one in list_tokens(call.session, call.actor):
        if given.jti == str(one.id) or (given.token and is_hash_of(one.token_hash, given.token)):
            revoke_token(call.session, call.platform.clock, call.actor, one.id)
            return
    raise NotFound("没有这个令牌。")


ACTIONS = (
    Action("api_token_create", Access.WRITE, api_token_create, TokenCreate),
    Action("api_token_list", Access.READ, api_token_list, TokenList),
    Action("api_token_revoke", Access.WRITE, api_token_revoke, TokenRevoke),
)
