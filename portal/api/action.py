"""What an action of the Action API is, and what its handler works with.

Names on the wire are CKAN's. An extension adds its own through `Extension.actions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.permissions import is_allowed, require
from portal.platform import Platform
from portal.services.distributions import Upload
from portal.web.access import Access

_NAME = re.compile(r"[a-z][a-z0-9_]{1,60}")


@dataclass(frozen=True)
class Raw:
    """A result that is JSON already; it goes into the answer as it is. `etag` names its state."""

    json: bytes
    etag: str = ""


@dataclass(frozen=True)
class Call:
    """One call: who calls, with what, in which transaction. `data` is the input as it came."""

    platform: Platform
    session: Session
    actor: Actor
    data: Mapping[str, Any]
    upload: Upload | None = None
    prepared: Any = None

    def may(self, permission: StrEnum, subject: Any = None) -> bool:
        return is_allowed(self.actor, permission, subject)

    def require(self, permission: StrEnum, subject: Any = None) -> None:
        require(self.actor, permission, subject)


Handler = Callable[[Call, Any], Any]
"""Takes the call and the input as an instance of the action's schema; returns JSON values or `Raw`."""


class NoInput(BaseModel):
    """The action takes nothing."""


@dataclass(frozen=True)
class Action:
    """One action.

    access: `public` answers anybody, `read` accounts, `write` accounts and never by GET.
    schema: what the input must be; unknown keys are the handler's affair (`call.data`).
    permission: held by whoever may call it at all; what depends on the subject is asked by the
    handler, and events of a flow by their transition table.
    before_upload: asked, in a reading transaction, before a file that came along is stored; an
    action without it takes no file.
    prepare: does, in a reading transaction, what takes long, before the writing one begins: no lock
    waits for it. The handler finds what it returns in `call.prepared`, and looks again.
    """

    name: str
    access: Access
    handler: Handler
    schema: type[BaseModel] = NoInput
    permission: StrEnum | None = None
    before_upload: Callable[[Call], None] | None = None
    prepare: Handler | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"action name {self.name!r}: use a-z, 0-9 and _")

    @property
    def help(self) -> str:
        return (self.handler.__doc__ or self.name).strip()


def table_of(actions: Iterable[Action]) -> dict[str, Action]:
    """Return name -> action.

    Raises:
        ValueError: two actions have one name.
    """
    table: dict[str, Action] = {}
    for action in actions:
        if action.name in table:
            raise ValueError(f"the action {action.name} stands twice")
        table[action.name] = action
    return table
