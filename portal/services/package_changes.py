"""What of a package that a client sends differs from what the portal shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from portal.errors import Conflict
from portal.services.package_extras import COMPUTED
from portal.services.resource_document import SITE
from portal.services.wire_dates import instant_of

_DERIVED = frozenset(
    {
        "id", "organization", "private", "state", "num_resources", "num_tags", "metadata_created",
        "metadata_modified", "isopen", "license_title", "license_url", "creator_user_id",
        "relationships_as_subject", "relationships_as_object", "tracking_summary", "revision_id",
    }
)  # fmt: skip
_TICK = timedelta(microseconds=1)


def differs(package: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    """Say whether a package says anything new; keys that the portal derives do not count."""
    return any(
        not _same(key, value, shown.get(key))
        for key, value in package.items()
        if key not in _DERIVED
    )


def _same(key: str, value: Any, shown: Any) -> bool:
    if key == "extras":
        return _extras(value) == _extras(shown)
    if key == "resources":
        return _same_resources(value or [], shown or [])
    if key in ("tags", "groups"):
        return [one.get("name") for one in value or []] == [one["name"] for one in shown or []]
    return bool(value == shown or (value in (None, "") and shown in (None, "")))


def _extras(listed: Any) -> dict[str, Any]:
    return {e.get("key"): e.get("value") for e in listed or [] if e.get("key") not in COMPUTED}


def _same_resources(given: Sequence[Mapping[str, Any]], shown: Sequence[Mapping[str, Any]]) -> bool:
    return len(given) == len(shown) and all(
        _same_resource(one, other) for one, other in zip(given, shown, strict=True)
    )


def _same_resource(given: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    """Compare what is given; the portal's own addresses are shown without the site's."""
    for key, value in given.items():
        known = shown.get(key)
        if key == "url" and isinstance(known, str) and known.startswith(SITE):
            if not str(value).endswith(known.removeprefix(SITE)):
                return False
        elif key not in ("datastore_active", "position", "package_id") and value != known:
            return False
    return True


def check_seen(package: Mapping[str, Any], modified: datetime) -> None:
    """Refuse a package that was read before the record last changed, so that no edit is lost.

    Raises:
        Conflict: its `metadata_modified` is older than the record's.
    """
    seen = instant_of(package.get("metadata_modified"))
    if seen is not None and seen < modified:
        raise Conflict(
            "记录在读取之后已有新的修改（metadata_modified 早于现有记录），请重新读取后再改。"
        )


def next_modified(given: Any, before: datetime, now: datetime) -> datetime:
    """Return the new time of change: the one that an administrator states if it is newer than the
    record's, else now; always later than before, so that who read the older state is noticed."""
    stated = instant_of(given)
    if stated is not None and stated > before:
        return stated
    return max(now, before + _TICK)
