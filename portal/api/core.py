"""The actions of the core, one file a subject."""

from __future__ import annotations

from portal.api import (
    datastore,
    groups,
    organizations,
    package_search,
    package_writing,
    packages,
    resources,
    site,
    users,
)

CORE_ACTIONS = (
    *site.ACTIONS,
    *packages.ACTIONS,
    *package_search.ACTIONS,
    *package_writing.ACTIONS,
    *resources.ACTIONS,
    *organizations.ACTIONS,
    *groups.ACTIONS,
    *users.ACTIONS,
    *datastore.ACTIONS,
)
