"""The actions of the core, one file a subject."""

from __future__ import annotations

from portal.api import (
    activity,
    bulk,
    datastore,
    datastore_sql,
    datastore_writing,
    groups,
    listings,
    not_here,
    organizations,
    package_revise,
    package_search,
    package_writing,
    packages,
    resources,
    site,
    tokens,
    users,
)

CORE_ACTIONS = (
    *site.ACTIONS,
    *packages.ACTIONS,
    *package_search.ACTIONS,
    *package_writing.ACTIONS,
    *package_revise.ACTIONS,
    *resources.ACTIONS,
    *organizations.ACTIONS,
    *groups.ACTIONS,
    *users.ACTIONS,
    *tokens.ACTIONS,
    *activity.ACTIONS,
    *bulk.ACTIONS,
    *listings.ACTIONS,
    *not_here.ACTIONS,
    *datastore.ACTIONS,
    *datastore_sql.ACTIONS,
    *datastore_writing.ACTIONS,
)
