"""Who acts: an account with its roles, the anonymous visitor, or the system."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from portal.codes import code_list


@dataclass(frozen=True)
class RoleIn:
    """A role of roles.csv in an organisation (None for applicants).

    `principal_id`, `principal`: whose role it is, where somebody has it as a substitute.
    """

    role: str
    organisation_id: int | None
    organisation_code: str = ""
    principal_id: int | None = None
    principal: str = ""


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
    must_enrol: bool = False  # signed in, but without the second factor that the roles demand

    @property
    def principals(self) -> dict[int, str]:
        """Return account id -> name of everybody for whom the actor stands in today."""
        return {r.principal_id: r.principal for r in self.roles if r.principal_id is not None}

    @property
    def own(self) -> Actor:
        """Return the actor with nothing but the roles of their own."""
        return replace(self, roles=tuple(r for r in self.roles if r.principal_id is None))

    def standing_for(self, principal_id: int) -> Actor:
        """Return the actor with their own roles and those of one principal."""
        kept = tuple(r for r in self.roles if r.principal_id in (None, principal_id))
        return replace(self, roles=kept)

    def stands_for(self, account_id: int | None) -> bool:
        """True if this is the actor, or somebody for whom they stand in: one person to every guard."""
        return account_id is not None and (
            account_id == self.account_id or account_id in self.principals
        )

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
