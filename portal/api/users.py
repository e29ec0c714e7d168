"""Accounts as CKAN's users. Nobody learns of anybody else's account but an administrator."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy import func, select

from portal.api.action import Action, Call
from portal.api.inputs import LONGEST_KEY, Input
from portal.errors import Forbidden, NotFound
from portal.models.account import Account, get_account
from portal.models.audit import AuditEvent
from portal.permissions import Permission
from portal.services.resource_document import naive_utc
from portal.web.access import Access


class UserShow(Input):
    id: str = Field(default="", max_length=LONGEST_KEY)


def user_show(call: Call, given: UserShow) -> dict[str, Any]:
    """Return the token's owner, or for an administrator the account asked for."""
    if call.actor.account_id is None:
        raise NotFound("没有找到账号。")
    if not given.id:
        return _user(call, call.session.get_one(Account, call.actor.account_id))
    own = call.session.get_one(Account, call.actor.account_id)
    if given.id in (own.username, own.public_id):
        return _user(call, own)
    if not call.may(Permission.ACCOUNT_MANAGE):
        raise Forbidden()
    return _user(call, get_account(call.session, given.id))


def _user(call: Call, account: Account) -> dict[str, Any]:
    created = call.session.scalar(
        select(func.count(AuditEvent.id)).where(
            AuditEvent.actor_id == account.id,
            AuditEvent.flow == "catalogue_entry",
            AuditEvent.event.in_(("create", "import")),
        )
    )
    return {
        "id": account.public_id,
        "name": account.username,
        "fullname": account.display_name,
        "display_name": account.display_name,
        "created": naive_utc(account.created_at),
        "about": None,
        "last_active": None,
        "activity_streams_email_notifications": False,
        "sysadmin": any(m.role == "bureau_admin" for m in account.memberships),
        "state": "deleted" if account.disabled else "active",
        "image_url": None,
        "image_display_url": None,
        "email_hash": "",
        "number_created_packages": created or 0,
        "jl_roles": [
            {"role": m.role, "organization": m.organisation.slug if m.organisation else None}
            for m in account.memberships
        ],
    }


ACTIONS = (Action("user_show", Access.PUBLIC, user_show, UserShow),)
