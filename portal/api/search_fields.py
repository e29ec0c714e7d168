"""Which of Solr's fields a client of CKAN may ask for, and how their values and ours meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from portal.api.package_query import QueryReader, Resolve
from portal.clock import Clock
from portal.codes import code_list
from portal.db import filled, places
from portal.models.entry import CatalogueEntry
from portal.models.organisation import Organisation
from portal.services.code_book import code_book, format_code, format_label
from search.facets import FACETS

_STATES = {"active": "published", "draft": "draft", "public": "published", "private": "draft",
           "false": "published", "true": "draft"}  # fmt: skip
_CODE_FIELDS = {
    "jl_open_type": ("open_type", "open_types"),
    "jl_share_type": ("share_type", "share_types"),
    "jl_region": ("region", "regions"),
    "jl_theme": ("theme", "themes"),
    "jl_update_frequency": ("update_frequency", "update_frequency"),
    "frequency": ("update_frequency", "update_frequency"),
    "access_rights": ("open_type", "open_types"),
    "theme": ("theme", "themes"),
}
FACET_FIELDS: Mapping[str, tuple[str, str]] = {
    "organization": ("organisation", ""),
    "groups": ("theme", "themes"),
    "tags": ("tags", ""),
    "res_format": ("format", "formats"),
    "license_id": ("licence", "licences"),
    **_CODE_FIELDS,
}
"""Solr field that may be counted -> (facet, list that names its codes)."""

_ORGANISATION = Organisation.__table__.c


@cache
def _named_organisations(count: int) -> Select[Any]:
    return select(_ORGANISATION.code, _ORGANISATION.slug, _ORGANISATION.name).where(
        _ORGANISATION.code.in_(places(count))
    )


@dataclass(frozen=True)
class SearchFields:
    """The fields of one call; organisations are looked up in its transaction."""

    session: Session
    clock: Clock

    def reader(self) -> QueryReader:
        return QueryReader(
            facets=self._facets(),
            names=self._names,
            now=self.clock(),
            beginnings={
                "organization": self._organisations_from,
                "owner_org": self._organisations_from,
                "res_format": lambda beginning: [
                    code.code
                    for code in code_list("formats")
                    if code.code.startswith(beginning.lower())
                ],
            },
        )

    def _organisations_from(self, beginning: str) -> list[str]:
        names = Organisation.slug.startswith(beginning.lower(), autoescape=True)
        codes = Organisation.code.startswith(beginning, autoescape=True)
        return list(self.session.scalars(select(Organisation.code).where(or_(names, codes))))

    def _facets(self) -> dict[str, tuple[str, Resolve]]:
        fields: dict[str, tuple[str, Resolve]] = {
            "organization": ("organisation", self._organisations),
            "owner_org": ("organisation", self._organisations),
            "groups": ("theme", _codes_of("themes")),
            "tags": ("tags", list),
            "keywords": ("tags", list),
            "res_format": ("format", _formats),
            "license_id": ("licence", _codes_of("licences")),
            "isopen": ("licence", _open_licences),
            "state": ("state", _states),
            "capacity": ("state", _states),
            "private": ("state", _states),
        }
        fields |= {
            field: (facet, _codes_of(codes)) for field, (facet, codes) in _CODE_FIELDS.items()
        }
        known = {facet for facet, _ in fields.values()}
        return fields | {f"jl_{name}": (name, list) for name in FACETS if name not in known}

    def _organisations(self, values: Sequence[str]) -> list[str]:
        lowered = [value.lower() for value in values]
        return list(
            self.session.scalars(
                select(Organisation.code).where(
                    or_(
                        Organisation.slug.in_(lowered),
                        Organisation.public_id.in_(values),
                        Organisation.code.in_(values),
                    )
                )
            )
        )

    def _names(self, values: Sequence[str]) -> list[str]:
        return list(
            self.session.scalars(
                select(CatalogueEntry.slug).where(CatalogueEntry.public_id.in_(values))
            )
        )

    def _named(self, codes: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Return the address and the name of each organisation."""
        if not codes:
            return {}
        given = filled(codes)
        rows = self.session.connection().execute(_named_organisations(len(given)), given)
        return {code: (slug, name) for code, slug, name in rows.all()}

    def facet_items(self, field: str, counts: Iterable[Any]) -> list[dict[str, Any]]:
        """Return a field's counts as CKAN's items: the value to filter by, its name, its count."""
        found = [(one.code, one.count) for one in counts]
        if field == "organization":
            named = self._named([code for code, _ in found])
        elif field == "res_format":
            named = {code: (format_label(code), format_label(code)) for code, _ in found}
        else:
            codes = FACET_FIELDS[field][1]
            labels = code_list(codes) if codes else None
            named = {c: (c, labels.label(c) if labels is not None else c) for c, _ in found}
        return [
            {"name": named[code][0], "display_name": named[code][1], "count": count}
            for code, count in found
            if code in named
        ]


def _codes_of(codes: str) -> Resolve:
    def resolve(values: Sequence[str]) -> list[str]:
        known = code_list(codes)
        return [v if v in known else code_book().find(codes, v) or v for v in values]

    return resolve


def _formats(values: Sequence[str]) -> list[str]:
    return [format_code(value) for value in values]


def _open_licences(values: Sequence[str]) -> list[str]:
    wanted = {value.lower() == "true" for value in values}
    return [code.code for code in code_list("licences") if code.is_yes("is_open") in wanted]


def _states(values: Sequence[str]) -> list[str]:
    return [_STATES[value.lower()] for value in values if value.lower() in _STATES]
