"""Who acts: an account with its roles, the anonymous visitor, or the system."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from portal.codes import code_list


@dataclass(frozen=True)
class RoleIn:
    """A role of roles.csv in an organisation (None for applicants)."""

    role: str
    organisation_id: int | None
    organisation_code: str = ""


@cache
def acts_as(role: str) -> frozenset[str]:
    """Return the actor kinds of the transition tables that a role may act as."""
    found = code_list("roles").find(role)
    return frozenset(found["acts_as"].split(";")) if found else frozenset()


@dataclass(frozen=True)
class Actor:
    account_id: int | None
    name: str
    roles: tuple[RoleIn, ...] = ()
    identity_verified: bool = False
    is_system: bool = False

    @property
    def is_anonymous(self) -> bool:
        return self.account_id is None and not self.is_system

    @property
    def organisation_ids(self) -> frozenset[int]:
        return frozenset(r.organisation_id for r in self.roles if r.organisation_id is not None)

    def is_kind(self, kind: str) -> bool:
        """True if any role acts as this actor kind, in whatever organisation."""
        if kind == "system":
            return self.is_system
        if kind == "anyone":
            return True
        return any(kind in acts_as(role.role) for role in self.roles)

    def acts_for(self, kind: str) -> frozenset[int]:
        """Return the organisations in which the actor acts as this kind."""
        return frozenset(
            role.organisation_id
            for role in self.roles
            if role.organisation_id is not None and kind in acts_as(role.role)
        )

    def has_role(self, role: str) -> bool:
        return any(r.role == role for r in self.roles)

    @property
    def labels(self) -> frozenset[str]:
        """Return the search labels the actor holds: search knows these, not roles."""
        labels = {"public"}
        labels.update(f"org:{r.organisation_code}" for r in self.roles if r.organisation_code)
        if self.is_kind("bureau") or self.is_kind("third_party_assessor") or self.is_system:
            labels.add("bureau")
        return frozenset(labels)


ANONYMOUS = Actor(None, "访客")
SYSTEM = Actor(None, "系统", is_system=True)
