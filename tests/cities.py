"""A city with its authority and an agency, for the supplementary catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.models import EntryVersion, Organisation
from portal.models.organisation import find_organisation, get_organisation
from portal.rules.entry_content import EntryContent
from portal.rules.metadata_profile import JL_1
from portal.services.entries import EntryService
from tests.factories import People, content

CITY_AUTHORITY, CITY_AGENCY, REGION = "CC-DIG", "CC-TRA", "220100"


class City:
    """Changchun: made once in a database, its people by role."""

    def __init__(self, session: Session, clock: Clock, people: People) -> None:
        self._session, self._clock, self._people = session, clock, people
        for code, kind, name in (
            (CITY_AUTHORITY, "city_authority", "长春市政务服务和数字化建设管理局"),
            (CITY_AGENCY, "agency", "长春市交通运输局"),
        ):
            if find_organisation(session, code) is None:
                session.add(
                    Organisation(
                        code=code, slug=code.lower(), name=name, kind=kind, region_code=REGION,
                        serial="9" + str(len(code) + len(name))[:2], created_at=clock(),
                    )
                )  # fmt: skip
                session.flush()

    @property
    def editor(self) -> Actor:
        return self._people.actor("agency_editor", CITY_AGENCY)

    @property
    def authority(self) -> Actor:
        return self._people.actor("city_authority", CITY_AUTHORITY)

    def organisation(self, code: str = CITY_AGENCY) -> Organisation:
        return get_organisation(self._session, code)

    def content(self, **changes: Any) -> EntryContent:
        return replace(content(region=REGION), **changes)

    def new_version(self, *, provider: str = CITY_AGENCY, **changes: Any) -> EntryVersion:
        """Return a version that no flow has touched yet."""
        service = EntryService(self._session, self._clock)
        given = self.content(**changes)
        authority = self.organisation(CITY_AUTHORITY)
        entry = service.new_entry(self.organisation(provider), authority, given, JL_1)
        entry.supplementary = True
        return service.new_version(entry, given, self.editor)
