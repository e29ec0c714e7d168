"""From a CKAN package dict to the content of an entry.

This is the reading of whole records that an administrator loads: known keys become fields, every
other key is kept as it came. What officials write of their own entries is read by
`portal.services.package_draft`, strictly.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import uuid4

from harvesters.ckan.mapping import record_from_package
from harvesters.record import BESIDE_CONTENT
from portal.errors import Defect, Invalid
from portal.rules.entry_content import EntryContent
from portal.rules.metadata_profile import POOLING_STATES
from portal.services.code_book import code_book
from portal.services.content import parse_content
from portal.services.package_extras import COMPUTED, INTERNAL_FIELDS, KEPT, content_extras
from portal.services.package_resources import PUBLIC_ID, ResourceInput, read_resource

SERVER_KEYS = frozenset(
    {
        "id", "name", "organization", "owner_org", "private", "state", "num_resources", "num_tags",
        "metadata_created", "metadata_modified", "tracking_summary", "revision_id",
    }
)  # fmt: skip
"""Keys of a package that the portal says itself."""

PLAIN_KEYS = frozenset({"author", "author_email", "url", "version", "type", "creator_user_id"})
"""CKAN's own keys that have no field here; what they say is kept beside the fields."""

CKAN_KEYS = (
    SERVER_KEYS
    | PLAIN_KEYS
    | {
        "title", "notes", "tags", "groups", "license_id", "license_title", "license_url", "isopen",
        "maintainer", "maintainer_email", "extras", "resources", "relationships_as_subject",
        "relationships_as_object", "tag_string",
    }
)  # fmt: skip

WIRE_NAMES = {
    "abstract": "notes", "keywords": "tags", "licence": "license_id", "theme": "groups",
    "more_themes": "groups", "provider": "owner_org", "contact_name": "maintainer",
    "contact_email": "maintainer_email", "title": "title", "id": "id", "name": "name",
    "distributions": "resources", "file": "upload",
}  # fmt: skip
"""What a field of an entry is called on the wire; every other one is `jl_` and its name."""

OPENABLE = ("unconditional", "conditional")
NAME = re.compile(r"[\w.-]{2,100}")


@dataclass(frozen=True)
class PackageInput:
    """What a package says. `beside` holds what is no part of the content (code, issued, …)."""

    public_id: str
    name: str
    content: EntryContent
    beside: Mapping[str, Any]
    resources: tuple[ResourceInput, ...] | None
    """None when the package does not say which resources it has."""


def wire_name(field: str) -> str:
    """Return what a client calls a field of the content ("items.3.name" → "jl_items.3.name")."""
    first, dot, rest = field.partition(".")
    if first in EntryContent.__dataclass_fields__ or first in WIRE_NAMES:
        first = WIRE_NAMES.get(first, f"jl_{first}")
    return first + dot + rest


def read_foreign(
    package: Mapping[str, Any], base: EntryContent | None = None, *, shown: Mapping[str, Any] = {}
) -> PackageInput:
    """Return what a whole package says, with every unknown key kept.

    Args:
        base: the content that it would replace; what no answer shows of it stays.
        shown: the package as the portal shows `base`; what it repeats is nothing new.

    Raises:
        Invalid: no object, no title, or a value of a wrong shape.
    """
    check_shapes(package)
    given = {"id": str(uuid4()), **package} if not package.get("id") else package
    try:
        record = record_from_package(given, code_book())
    except ValueError as error:
        raise Invalid.one("title", "missing", str(error)) from error
    fields = {k: v for k, v in record.fields.items() if k not in BESIDE_CONTENT}
    beside = {k: v for k, v in record.fields.items() if k in BESIDE_CONTENT}
    extras = extras_of(package)
    fields |= own_fields(extras)
    if base is not None:
        kept = (n for n in (*INTERNAL_FIELDS, "collection_basis") if f"jl_{n}" not in extras)
        fields |= {name: getattr(base, name) for name in kept}
    content = parse_content({k: v for k, v in fields.items() if v is not None})
    foreign = _foreign(record.foreign, package, content, base, shown)
    content = replace(content, foreign=foreign)
    resources = None
    if package.get("resources") is not None:
        pairs = zip(package["resources"], record.files, strict=True)
        resources = tuple(read_resource(resource, file) for resource, file in pairs)
    return PackageInput(record.remote_id, record.name, content, beside, resources)


def resources_of(package: Mapping[str, Any]) -> tuple[ResourceInput, ...] | None:
    if package.get("resources") is None:
        return None
    return tuple(read_resource(resource) for resource in package["resources"])


def check_shapes(package: Any) -> None:
    """Name every part that is not of the shape that CKAN gives it."""
    if not isinstance(package, Mapping):
        raise Invalid.one("", "type", "每条记录应为 JSON 对象。")
    defects = []
    for key in ("extras", "resources", "groups"):
        value = package.get(key)
        if value is not None and not _is_list_of(value, Mapping):
            defects.append(_wrong(key, "“{field}”应为对象的列表。"))
    tags = package.get("tags")
    if tags is not None and not _is_list_of(tags, Mapping):
        defects.append(_wrong("tags", '“{field}”应为对象的列表，如 [{{"name": "公交"}}]。'))
    for key in ("id", "name", "title", "notes", "owner_org", "license_id", "maintainer",
                "maintainer_email", "author", "author_email"):  # fmt: skip
        if package.get(key) is not None and not isinstance(package[key], str):
            defects.append(_wrong(key, "“{field}”应为文字。"))
    for key, pattern in (("id", PUBLIC_ID), ("name", NAME)):
        text = package.get(key)
        if isinstance(text, str) and text and not pattern.fullmatch(text):
            defects.append(
                _wrong(key, "“{field}”只能由文字、数字、点、连字符和下划线组成，最多100个字符。")
            )
    if "private" in package and package["private"] not in (
        True, False, None, "", "true", "false", "True", "False",
    ):  # fmt: skip
        defects.append(_wrong("private", "“{field}”应为 true 或 false。"))
    if defects:
        raise Invalid(defects)


def _is_list_of(value: Any, kind: type[Any]) -> bool:
    return isinstance(value, list) and all(isinstance(one, kind) for one in value)


def _wrong(field: str, message: str) -> Defect:
    return Defect(field, "type", message, {"field": field})


def extras_of(package: Mapping[str, Any]) -> dict[str, Any]:
    return {str(e.get("key")): e.get("value") for e in package.get("extras") or []}


def states_open(package: Mapping[str, Any]) -> bool:
    """Say whether a record lets everybody have its data.

    A foreign record that anyone can download does; one of ours says whether it was on the open list.
    """
    extras = extras_of(package)
    unsaid = "" if "jl_metadata_profile" in extras else "open"
    return bool(extras.get("jl_open_state", unsaid) == "open")


def own_fields(extras: Mapping[str, Any]) -> dict[str, Any]:
    """Read the two of our keys that other catalogues never have."""
    fields: dict[str, Any] = {}
    if extras.get("jl_pooling_state") in POOLING_STATES:
        fields["pooling_state"] = extras["jl_pooling_state"]
    with contextlib.suppress(KeyError, ValueError):
        fields["verified_at"] = date.fromisoformat(str(extras["jl_verified_at"])[:10])
    return fields


def _foreign(
    rest: Mapping[str, Any],
    package: Mapping[str, Any],
    content: EntryContent,
    base: EntryContent | None,
    shown: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what no field holds: top-level keys and extras, as they came.

    What the portal itself said in `shown`, and not a record before, is no news of the record's.
    """
    before = base.foreign if base is not None else {}
    said_top = shown.keys() - before.get("package", {}).keys()
    said_extras = {str(e.get("key")): e.get("value") for e in shown.get("extras", [])}
    for extra in before.get("extras", []):
        said_extras.pop(str(extra.get("key")), None)
    top = {
        key: value
        for key, value in rest.items()
        if key not in SERVER_KEYS
        and key not in ("extras", "resources")
        and not _says_nothing(key, value, rest)
        and not (key in said_top and key in PLAIN_KEYS and shown[key] == value)
    }
    ours = content_extras(content)
    left = {str(e.get("key")): dict(e) for e in rest.get("extras", [])}
    for extra in package.get("extras") or []:  # a mapping takes these out; here they stay
        if extra.get("key") in ("identifier", "issued", "modified", "publisher_name"):
            left.setdefault(str(extra["key"]), dict(extra))
    extras = [
        extra
        for key, extra in left.items()
        if key not in COMPUTED
        and ours.get(key) != extra.get("value")
        and not (key in KEPT | {"modified"} and said_extras.get(key) == extra.get("value"))
    ]
    found: dict[str, Any] = {"package": top, "extras": sorted(extras, key=lambda e: str(e["key"]))}
    return {name: value for name, value in found.items() if value}


def _says_nothing(key: str, value: Any, rest: Mapping[str, Any]) -> bool:
    if key in ("license_title", "license_url", "isopen"):
        return "license_id" not in rest or rest["license_id"] is None
    if key == "type":
        return bool(value == "dataset")
    if key == "version":
        return False
    return value is None or value == [] or (key == "notes" and not value)
