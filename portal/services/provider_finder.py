"""Which organisation provides a package: found by every name that CKAN dicts give it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Invalid
from portal.models.organisation import RESPONSIBLE_DEPT, Organisation
from portal.services.organisations import create_organisation
from portal.services.wire_dates import instant_of

SLUG = re.compile(r"[a-z0-9_-]{2,100}")


class ProviderFinder:
    """Looks organisations up by id, slug, code or name; reads them all once a transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session, self._clock = session, clock
        self._by_key: dict[str, Organisation] = {}
        self._by_id: dict[int, Organisation] = {}
        for organisation in session.scalars(select(Organisation)):
            self._keep(organisation)

    def _keep(self, organisation: Organisation) -> None:
        self._by_id[organisation.id] = organisation
        for key in (
            organisation.name,
            organisation.code,
            organisation.slug,
            organisation.public_id,
        ):
            self._by_key[key] = organisation

    def find(self, key: Any) -> Organisation | None:
        if not isinstance(key, str) or not key:
            return None
        return self._by_key.get(key) or self._by_key.get(key.lower())

    def provider_of(
        self, package: Mapping[str, Any], *, create_as: Actor | None = None
    ) -> Organisation:
        """Return the organisation of `owner_org`, else of the `organization` that comes along.

        Args:
            create_as: a Bureau administrator in whose name an unknown one is made.

        Raises:
            Invalid: none is named, or it is unknown and may not be made.
        """
        given = package.get("organization")
        described: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        keys = (package.get("owner_org"), *(described.get(k) for k in ("id", "name", "title")))
        for key in keys:
            found = self.find(key)
            if found is not None:
                return found
        if create_as is not None and described.get("name"):
            return self._create(create_as, described)
        named = next((str(key) for key in keys if key), "")
        if not named:
            raise Invalid.one("owner_org", "missing", "请填写提供单位（owner_org）。")
        raise Invalid.one("owner_org", "unknown", "没有机构“{value}”。", value=named)

    def _create(self, actor: Actor, described: Mapping[str, Any]) -> Organisation:
        slug = str(described["name"])
        if not SLUG.fullmatch(slug):
            raise Invalid.one(
                "organization",
                "pattern",
                "机构的 name “{value}”只能由小写字母、数字、连字符和下划线组成。",
                value=slug,
            )
        organisation = create_organisation(
            self._session,
            self._clock,
            actor,
            slug=slug,
            name=str(described.get("title") or slug)[:200],
            description=str(described.get("description") or "")[:2000],
        )
        public_id = described.get("id")
        if isinstance(public_id, str) and 0 < len(public_id) <= 36:
            organisation.public_id = public_id
        organisation.created_at = instant_of(described.get("created")) or organisation.created_at
        self._session.flush()
        self._keep(organisation)
        return organisation

    def responsible_for(self, provider: Organisation, code: Any = None) -> Organisation:
        """Return the department that answers for the provider: the one named, else the next above."""
        named = self.find(code)
        if named is not None:
            return named
        above: Organisation | None = provider
        while above is not None and above.kind != RESPONSIBLE_DEPT:
            above = self._by_id.get(above.parent_id) if above.parent_id else None
        return above or provider
