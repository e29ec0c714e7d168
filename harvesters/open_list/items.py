"""Information items: their own sheet joined to the list by code or title, and field names made."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harvesters.open_list.rows import Row

_FIELD_NAME_MAX = 63
_OTHER = re.compile(r"[^a-z0-9]+")


class ItemRows:
    """The lines of the items sheet by the data set they belong to."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows: dict[tuple[str, str], list[Row]] = {}
        for row in rows:
            self._rows.setdefault(_key(row.values), []).append(row)
        self._taken: set[tuple[str, str]] = set()

    def of(self, values: Mapping[str, Any]) -> list[Row]:
        """Return the lines of one data set: those with its code, else those with its title."""
        found: list[Row] = []
        for key in (("code", values.get("code", "")), ("title", values.get("title", ""))):
            if key[1] and key in self._rows:
                self._taken.add(key)
                found += self._rows[key]
        return found

    def left_over(self) -> list[Row]:
        return [row for key, rows in self._rows.items() if key not in self._taken for row in rows]


def _key(values: Mapping[str, Any]) -> tuple[str, str]:
    if values.get("code"):
        return "code", str(values["code"])
    return "title", str(values.get("title", ""))


def items_from_rows(rows: Sequence[Row]) -> tuple[tuple[dict[str, Any], ...], list[str]]:
    """Return (items in order, faults that name their line)."""
    faults = [f"{row.place_in_book}：{fault}" for row in rows for fault in row.faults]
    faults += [f"{row.place_in_book}：缺少信息项名称" for row in rows if not row.values.get("name")]
    names = Counter(row.values["name"] for row in rows if row.values.get("name"))
    faults += [f"信息项“{name}”重复" for name, count in names.items() if count > 1]
    if faults:
        return (), faults
    numbered = sorted(
        enumerate(rows), key=lambda pair: (pair[1].values.get("order", 10**9), pair[0])
    )
    items = [
        {key: value for key, value in row.values.items() if key not in ("title", "code")}
        for _, row in numbered
    ]
    return _finished(items), []


def items_from_names(names: Iterable[str]) -> tuple[dict[str, Any], ...]:
    """Return items of which only the names are known."""
    return _finished([{"name": name} for name in names])


def _finished(items: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Number them from 1 and give those without a field name one made of pinyin."""
    used = {item["field_name"] for item in items if item.get("field_name")}
    for order, item in enumerate(items, 1):
        item["order"] = order
        if not item.get("field_name"):
            item["field_name"] = _unused(field_name_of(item["name"]), used)
            used.add(item["field_name"])
    return tuple(items)


def field_name_of(name: str) -> str:
    """Return a column name: 站点名称 → zhan_dian_ming_cheng, at most 63 characters."""
    # Imported here: its dictionary takes 50 MB, which web processes seldom need.
    from pypinyin import lazy_pinyin

    joined = "_".join(lazy_pinyin(name)).lower()
    plain = _OTHER.sub("_", joined).strip("_")
    if not plain[:1].isalpha():
        plain = f"f_{plain}".rstrip("_")
    return plain[:_FIELD_NAME_MAX].rstrip("_")


def _unused(name: str, used: set[str]) -> str:
    candidate, number = name, 1
    while candidate in used:
        number += 1
        ending = f"_{number}"
        candidate = name[: _FIELD_NAME_MAX - len(ending)] + ending
    return candidate
