"""Which of many packages the catalogue has already, and which ids and names are taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session, lazyload

from portal.errors import Invalid
from portal.models.distribution import Distribution
from portal.models.entry import CatalogueEntry
from portal.services.package_input import PackageInput

_AT_ONCE = 400  # values in one query
_KEYS: BindParameter[list[str]] = bindparam("keys", expanding=True)
_NAMED_ENTRIES = (
    select(CatalogueEntry)
    .where(CatalogueEntry.public_id.in_(_KEYS) | CatalogueEntry.slug.in_(_KEYS))
    .options(lazyload(CatalogueEntry.provider), lazyload(CatalogueEntry.responsible_dept))
)
_NAMED_RESOURCES = select(Distribution.public_id).where(Distribution.public_id.in_(_KEYS))


class KnownPackages:
    """Answers for one batch of packages, by one query a kind."""

    def __init__(self, session: Session, packages: Sequence[Mapping[str, Any]]) -> None:
        keys = {_text(p.get(k)) for p in packages if isinstance(p, Mapping) for k in ("id", "name")}
        keys.discard("")
        self._by_id: dict[str, CatalogueEntry] = {}
        self._by_name: dict[str, CatalogueEntry] = {}
        for some in _in_turns(keys):
            for entry in session.scalars(_NAMED_ENTRIES, {"keys": some}):
                self._by_id[entry.public_id] = entry
                self._by_name[entry.slug] = entry
        files = {
            _text(r.get("id"))
            for p in packages
            if isinstance(p, Mapping) and isinstance(p.get("resources"), list)
            for r in p["resources"]
            if isinstance(r, Mapping)
        }
        files.discard("")
        self._resource_ids = {
            found
            for some in _in_turns(files)
            for found in session.scalars(_NAMED_RESOURCES, {"keys": some})
        }
        self._ids: set[str] = set()
        self._names: set[str] = set()

    def entry_of(self, package: Mapping[str, Any]) -> CatalogueEntry | None:
        """Return the entry that the package's id or name stands for (CKAN takes one for the other)."""
        if not isinstance(package, Mapping):
            return None
        for key in (_text(package.get("id")), _text(package.get("name"))):
            entry = self._by_id.get(key) or self._by_name.get(key)
            if entry is not None:
                return entry
        return None

    def take(self, read: PackageInput) -> None:
        """Take note of a new package's ids and names.

        Raises:
            Invalid: one of them is taken, by the catalogue or by an earlier package of the batch.
        """
        if read.public_id in self._ids:
            raise _taken("id", read.public_id)
        if read.name in self._names:
            raise _taken("name", read.name)
        resources = [r.public_id for r in read.resources or () if r.public_id]
        for resource_id in resources:
            if resource_id in self._resource_ids or resources.count(resource_id) > 1:
                raise _taken("resources", resource_id)
        self._ids.add(read.public_id)
        self._names.add(read.name or read.public_id)
        self._resource_ids.update(resources)


def _taken(field: str, value: str) -> Invalid:
    return Invalid.one(field, "taken", "“{value}”已被使用，请换一个。", value=value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _in_turns(keys: Iterable[str]) -> Iterator[list[str]]:
    listed = sorted(keys)
    for start in range(0, len(listed), _AT_ONCE):
        yield listed[start : start + _AT_ONCE]
