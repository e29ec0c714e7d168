"""From the package dict that an official writes to the content of an entry's draft.

Every unknown key and every value that says nothing is named, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harvesters.ckan.extras import EXTRA_RULES, read_extra
from harvesters.record import BESIDE_CONTENT
from portal.errors import Defect, Invalid
from portal.rules.entry_content import EntryContent
from portal.rules.metadata_profile import TITLE_MAX
from portal.services.code_book import code_book
from portal.services.content import parse_content
from portal.services.package_extras import COMPUTED, INTERNAL_FIELDS, KEPT
from portal.services.package_input import (
    CKAN_KEYS,
    PackageInput,
    check_shapes,
    extras_of,
    own_fields,
    resources_of,
)


def read_draft(
    package: Mapping[str, Any], base: EntryContent | None = None, *, shown: Mapping[str, Any] = {}
) -> PackageInput:
    """Return what an official's package says, checked key by key.

    Where two keys speak of one field (a license, `frequency` and `jl_update_frequency`), the one
    that differs from what is shown counts; among equals the exact one, ours, does.

    Raises:
        Invalid: every unknown key, every unreadable value and a missing title, by its name.
    """
    check_shapes(package)
    defects = [
        Defect(key, "unknown_field", "未知字段“{field}”。", {"field": key})
        for key in package
        if key not in CKAN_KEYS and key not in EXTRA_RULES and not _is_own(key)
    ]
    extras = extras_of(package) | {
        key: package[key] for key in package if key in EXTRA_RULES or _is_own(key)
    }
    claims = _claims(package, extras, extras_of(shown), shown, defects)
    fields = {field: value for _, field, value in sorted(claims, key=lambda claim: claim[0])}
    title = str(fields.get("title", "")).strip()
    if not title:
        defects.append(Defect("title", "missing", "请填写“title”。"))
    elif len(title) > TITLE_MAX:
        defects.append(Defect("title", "too_long", "title 不能超过{n}个字。", {"n": TITLE_MAX}))
    if defects:
        raise Invalid(defects)
    beside = {k: fields.pop(k) for k in BESIDE_CONTENT if k in fields}
    if base is not None:
        fields = {n: getattr(base, n) for n in INTERNAL_FIELDS} | fields
    fields["foreign"] = _draft_foreign(package, extras)
    content = parse_content({k: v for k, v in fields.items() if v is not None})
    return PackageInput(
        package.get("id") or "", package.get("name") or "", content, beside, resources_of(package)
    )


def _is_own(key: str) -> bool:
    return key in COMPUTED or key in ("jl_pooling_state", "jl_verified_at", "jl_duplicate_reason")


Claim = tuple[tuple[bool, int], str, Any]
"""((does it differ from what is shown, how exact the key is), field, value)"""


def _claims(
    package: Mapping[str, Any],
    extras: Mapping[str, Any],
    shown_extras: Mapping[str, Any],
    shown: Mapping[str, Any],
    defects: list[Defect],
) -> list[Claim]:
    claims: list[Claim] = []
    for key, field, value in _standard(package, defects):
        claims.append(((key in shown and shown[key] != package[key], 0), field, value))
    for rank, key in enumerate([*EXTRA_RULES, "jl_pooling_state", "jl_verified_at"], 1):
        if key not in extras or key in COMPUTED - {"jl_responsible_dept"}:
            continue
        if extras[key] in (None, "") or (key == "publisher_name"):
            continue
        read = _read_strictly(key, extras[key])
        changed = key in shown_extras and shown_extras[key] != extras[key]
        if read is None:
            if key not in ("identifier", "theme", "access_rights", "language") or changed:
                defects.append(
                    Defect(key, "value", "“{field}”的值不在代码表中或格式不对。", {"field": key})
                )
            continue
        claims.append(((changed, rank), *read))
    if "jl_duplicate_reason" in extras:
        claims.append(((False, 0), "duplicate_reason", extras["jl_duplicate_reason"]))
    return claims


def _read_strictly(key: str, value: Any) -> tuple[str, Any] | None:
    if key in ("jl_pooling_state", "jl_verified_at"):
        return next(iter(own_fields({key: value}).items()), None)
    found = read_extra(key, value, code_book())
    return None if found is None else (found[0], found[1])


def _standard(package: Mapping[str, Any], defects: list[Defect]) -> Iterator[tuple[str, str, Any]]:
    """Yield (key, field, value) of CKAN's own keys."""
    for key, field in (
        ("title", "title"), ("notes", "abstract"), ("maintainer", "contact_name"),
        ("maintainer_email", "contact_email"),
    ):  # fmt: skip
        if key in package:
            yield key, field, package[key] or ""
    if package.get("tags") is not None:
        words = (str(tag.get("name") or "").strip() for tag in package["tags"])
        yield "tags", "keywords", tuple(dict.fromkeys(word for word in words if word))
    if package.get("license_id"):
        code = code_book().find("licences", package["license_id"])
        if code is None:
            defects.append(_unknown("license_id", package["license_id"]))
        else:
            yield "license_id", "licence", code
    if package.get("groups") is not None:
        themes = list(_themes(package["groups"], defects))
        yield "groups", "theme", themes[0] if themes else ""
        yield "groups", "more_themes", tuple(themes[1:])


def _themes(groups: Sequence[Mapping[str, Any]], defects: list[Defect]) -> Iterator[str]:
    for group in groups:
        words = [str(group[key]) for key in ("name", "id", "title") if group.get(key)]
        code = next(filter(None, (code_book().find("themes", word) for word in words)), None)
        if code is None:
            defects.append(_unknown("groups", words[0] if words else ""))
        else:
            yield code


def _unknown(field: str, value: str) -> Defect:
    return Defect(
        field,
        "unknown_code",
        "“{field}”的值“{value}”不在代码表中。",
        {"field": field, "value": value},
    )


def _draft_foreign(package: Mapping[str, Any], extras: Mapping[str, Any]) -> dict[str, Any]:
    """Return an official's free extras, and CKAN's keys that have no field here."""
    free = [
        {"key": key, "value": value}
        for key, value in sorted(extras.items())
        if key not in EXTRA_RULES
        and key not in KEPT
        and not _is_own(key)
        and value not in (None, "")
    ]
    top = {key: package[key] for key in ("author", "author_email", "url") if package.get(key)}
    found: dict[str, Any] = {"extras": free, "package": top}
    return {name: value for name, value in found.items() if value}
