"""`package_revise`: change parts of a data set, if it still matches what was expected.

The parameters are those of CKAN 2.9 and later: `match` (the package must hold this), `filter`
(a list of +/- patterns), `update` (merged in), and flattened ones such as `update__title`,
`update__resources__0__name` or `match__metadata_modified`. Resources are named by position, by
the beginning of an id, or `extend` for new ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import Field

from portal.api.action import Action, Call
from portal.api.inputs import Input, JsonObject, TextList
from portal.api.package_writing import save_package
from portal.api.packages import readable_entry
from portal.errors import Invalid, NotFound
from portal.services.package_document import package_dict
from portal.services.packages import PackageService
from portal.web.access import Access

_PART = re.compile(r"(match|update)__(.+)")
_SHORTEST_ID = 5


class Revision(Input):
    match: JsonObject = Field(default_factory=dict)
    filter: TextList = Field(default_factory=list)
    update: JsonObject = Field(default_factory=dict)


def package_revise(call: Call, given: Revision) -> dict[str, Any]:
    """Change parts of a data set in one step, if it matches `match` (at least its id or name).

    match, filter (["-resources__*", "+title"]), update; also flattened: update__title=…,
    update__resources__0__name=…, update__resources__extend=[…].
    """
    match, flat = dict(given.match), []
    for key, value in call.data.items():
        found = _PART.fullmatch(key)
        if found:
            flat.append((found[1], found[2].split("__"), _value(value)))
    for part, path, value in flat:
        if part == "match":
            _put(match, path, value)
    key = match.get("id") or match.get("name")
    if not isinstance(key, str) or not key:
        raise Invalid.one("match", "missing", "match 中至少要有 id 或 name。")
    entry = readable_entry(call, key)
    service = PackageService(call.session, call.platform.clock, call.actor)
    version = service.current(entry)
    package = package_dict(call.session, entry, version, internal=True)
    if not _matches(package, match):
        raise NotFound("数据“{key}”与 match 不符，可能已被他人修改，没有保存任何内容。", key=key)
    revised = orjson.loads(orjson.dumps(package))
    for pattern in given.filter:
        _filter(revised, pattern)
    revised = _merged(revised, given.update)
    for part, path, value in flat:
        if part == "update":
            _put(revised, path, value)
    revised["id"], revised["name"] = package["id"], revised.get("name") or package["name"]
    return {"package": save_package(call, entry, revised)}


def _value(value: Any) -> Any:
    """A form sends text; what is JSON in it counts as JSON."""
    if isinstance(value, str) and value.strip()[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _matches(package: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(package, Mapping) and all(
            key in package and _matches(package[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(package, list)
            and len(wanted) == len(package)
            and all(map(_matches, package, wanted))
        )
    return bool(package == wanted)


def _merged(base: Any, more: Any) -> Any:
    """Merge objects key by key and lists place by place; other values replace."""
    if isinstance(base, dict) and isinstance(more, Mapping):
        merged = dict(base)
        for key, value in more.items():
            merged[key] = _merged(base[key], value) if key in base else value
        return merged
    if isinstance(base, list) and isinstance(more, list):
        places = [_merged(a, b) for a, b in zip(base, more, strict=False)]
        return [*places, *base[len(more) :], *more[len(base) :]]
    return more


def _put(target: Any, path: list[str], value: Any) -> None:
    """Set a value at a flattened path. Raises: Invalid, no such place."""
    for number, step in enumerate(path):
        last = number == len(path) - 1
        if isinstance(target, list):
            if step == "extend" and last:
                if not isinstance(value, list):
                    raise Invalid.one("update", "extend", "extend 的值应为列表。")
                target.extend(value)
                return
            place = _place(target, step)
            if last:
                target[place] = _merged(target[place], value)
                return
            target = target[place]
        elif isinstance(target, dict):
            if last:
                target[step] = value
                return
            target = target.setdefault(step, {})
        else:
            raise Invalid.one("update", "path", "没有“{path}”这一处。", path="__".join(path))


def _place(listed: list[Any], step: str) -> int:
    """Return the place that a number, or the beginning of an id, names."""
    if re.fullmatch(r"-?\d{1,4}", step) and -len(listed) <= int(step) < len(listed):
        return int(step)
    found = [
        n
        for n, one in enumerate(listed)
        if isinstance(one, Mapping)
        and len(step) >= _SHORTEST_ID
        and str(one.get("id", "")).startswith(step)
    ]
    if len(found) != 1:
        raise Invalid.one("update", "place", "列表中没有“{step}”这一项。", step=step[:60])
    return found[0]


def _filter(package: dict[str, Any], pattern: str) -> None:
    """Remove what a "-" pattern names; "+" keeps, which is what happens anyway."""
    sign, path = pattern[:1], pattern[1:].split("__")
    if sign not in "+-" or not path[0]:
        raise Invalid.one(
            "filter", "pattern", "filter 的每一项应以 + 或 - 开头：“{p}”。", p=pattern
        )
    if sign == "-":
        _remove(package, path)


def _remove(target: Any, path: list[str]) -> None:
    step, rest = path[0], path[1:]
    if isinstance(target, dict):
        for key in list(target) if step == "*" else [step]:
            if key in target:
                if rest:
                    _remove(target[key], rest)
                else:
                    del target[key]
    elif isinstance(target, list):
        places = range(len(target)) if step == "*" else [_place(target, step)]
        for place in reversed(list(places)):
            if rest:
                _remove(target[place], rest)
            else:
                del target[place]


ACTIONS = (Action("package_revise", Access.WRITE, package_revise, Revision),)
